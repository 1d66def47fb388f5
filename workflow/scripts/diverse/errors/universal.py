"""The question beside the claims: does a universal potential make the training set unnecessary?

Universal potentials are reference models that are meant for any material. Each is asked for lower
errors on neutral ground than the models trained on the entropy-maximised set, by the row of
``tables/reference_models.csv`` (`diverse.errors.references`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.claims import COLUMNS, METRIC_NAMES, NO_DATA, UNDECIDED
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
    f"begins above 1, else {UNDECIDED}."
)
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
            chosen &= (table["quantity"] == quantity) & (table["metric"] == metric)
            found = table[chosen].to_dict("records")
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
            links = {"table": TABLE, "figure": ""}
            rows.append({**names, **texts, **numbers, **said, **links})
    return pd.DataFrame(rows, columns=COLUMNS)


def _numbers(found: Sequence[dict[Any, Any]], reference: str) -> dict[str, float]:
    """Return the columns of numbers that a row of the table gives; NaN without one."""
    row = found[0] if found else {}
    ratio = f"over_{reference}"
    ends = {"ci_low": row.get(f"{ratio}_low", np.nan), "ci_high": row.get(f"{ratio}_high", np.nan)}
    return {"effect": row.get(ratio, np.nan), **ends, "p_holm": np.nan}


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
    low, high = numbers["ci_low"], numbers["ci_high"]
    return {"verdict": YES if high < 1 else NO if low > 1 else UNDECIDED, "reason": ""}
