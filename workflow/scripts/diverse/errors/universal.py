"""The question beside the claims: does a universal potential make the training set unnecessary?

Universal potentials are reference models that are meant for any material. Each is asked for lower
errors on neutral ground than the models trained on the entropy-maximised set, by the rows of
``tables/reference_models.csv`` (`diverse.errors.references`). Energies of another code or
functional differ by a constant per atom, and how large an error is may hang on it: a verdict on
energies must hold after one constant for all cells, and after one for each test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.claims import COLUMNS, METRIC_NAMES, NO_DATA, NUMBERS, UNDECIDED
from diverse.errors.effects import POOLED
from diverse.errors.theta import DECISIVE

CLAIM = "Universal"
YES, NO = "yes", "no"
TABLE = "tables/reference_models.csv"
STATEMENT = (
    "{train}, a universal potential that was not trained for this material, makes the training set "
    "unnecessary: it has lower errors on neutral ground than models trained on {reference}."
)
DEFINITION = (
    "{metric} of {quantity} by {train}, after one constant per atom for energies, over the same by "
    "models trained on {reference}, on groups neutral to every training set, mean of its logarithm "
    f"over groups, forms, classes and draws; {YES} if the 95 % interval ends below 1, {NO} if it "
    f"begins above 1, for energies also with each model's mean error on a test set taken off, else "
    f"{UNDECIDED}."
)
OFFSET = "mae_offset"  # errors of energies, less each model's mean error on a test set
RUN = "./envs/run --with universal snakemake --cores all"


def universal_claims(table: pd.DataFrame, models: Sequence[str], reference: str) -> pd.DataFrame:
    """Return a row of claims for each universal potential and quantity.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.references.measure_references`.
    models : sequence of str
        Names of the universal potentials.
    reference : str
        Training set that they are compared with.

    Returns
    -------
    DataFrame
        Columns of `diverse.errors.claims.claims_table`; ``train`` is the potential.
    """
    rows = []
    for model in models:
        for quantity, metric in DECISIVE.items():
            chosen = (table["model"] == model) & (table["test"] == POOLED)
            rows_of = table[chosen & (table["quantity"] == quantity)]
            found = rows_of[rows_of["metric"] == metric].to_dict("records")
            shifted = rows_of[rows_of["metric"] == OFFSET].to_dict("records")
            words = {"train": model, "reference": reference, "quantity": quantity}
            names = {"claim": CLAIM, **words, "test": POOLED}
            definition = DEFINITION.format(**words, metric=METRIC_NAMES[quantity])
            texts = {
                "statement": STATEMENT.format(**words),
                "definition": definition[:1].upper() + definition[1:],
            }
            asked = bool((table["model"] == model).any())
            numbers = _numbers(found, reference)
            said = _said(numbers, model, asked=asked, there=bool(found))
            if shifted and said["verdict"] != NO_DATA:
                said = _with_shifted(said, _numbers(shifted, reference))
            links = {"table": TABLE, "figure": ""}
            rows.append({**names, **texts, **numbers, **said, **links})
    return pd.DataFrame(rows, columns=COLUMNS)


def _numbers(found: Sequence[dict[Any, Any]], reference: str) -> dict[str, float]:
    """Return the columns of numbers that a row of the table gives; NaN without one."""
    row = found[0] if found else {}
    ratio = f"over_{reference}"
    ends = {"ci_low": row.get(f"{ratio}_low", np.nan), "ci_high": row.get(f"{ratio}_high", np.nan)}
    return {**dict.fromkeys(NUMBERS, np.nan), "effect": row.get(ratio, np.nan), **ends}


def _said(numbers: dict[str, float], model: str, *, asked: bool, there: bool) -> dict[str, str]:
    """Return the verdict, and the reason where there are no numbers or no interval."""
    if not np.isfinite(numbers["effect"]):
        reason = (
            f"{model} was not asked, and no answers of it are released: run {RUN}."
            if not asked
            else f"{model} has no error, or no answer, on neutral ground."
            if there
            else "No group of test cells is neutral to every training set."
        )
        return {"verdict": NO_DATA, "reason": reason}
    if not np.isfinite(numbers["ci_low"]):
        reason = "There is no interval: it takes several draws, and models of halves of them."
        return {"verdict": UNDECIDED, "reason": reason}
    return {"verdict": _verdict(numbers), "reason": ""}


def _verdict(numbers: dict[str, float]) -> str:
    return YES if numbers["ci_high"] < 1 else NO if numbers["ci_low"] > 1 else UNDECIDED


def _with_shifted(said: dict[str, str], shifted: dict[str, float]) -> dict[str, str]:
    """Return verdict and reason of energies, which hold whatever constant is taken off or not."""
    if not np.isfinite(shifted["effect"]):
        return said
    known = ""
    if np.isfinite(shifted["ci_low"]):
        known = f" (95 % interval {shifted['ci_low']:.3f} to {shifted['ci_high']:.3f})"
    reason = (
        "With each model's mean error on a test set taken off, its errors are "
        f"{shifted['effect']:.2f} times theirs{known}."
    )
    same = said["verdict"] == _verdict(shifted)
    verdict = said["verdict"] if same else UNDECIDED
    return {"verdict": verdict, "reason": f"{reason} {said['reason']}".rstrip()}
