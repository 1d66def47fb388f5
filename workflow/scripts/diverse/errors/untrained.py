"""Reference models, which were not trained here, in the tables and figures of those that were.

They stand at the end of the table of transferability, beside the ratios of training sets, and among
the errors by cost of dynamics. What they are compared with, and how, is in
`diverse.errors.references`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from diverse.errors.effects import POOLED
from diverse.errors.ground import NEUTRAL
from diverse.errors.levels import NEUTRAL_GROUND
from diverse.errors.references import Reference
from diverse.errors.scores import UNITS
from diverse.errors.theta import DECISIVE

NOT_TRAINED = "not trained here"  # in the place of a training set
SCORED = (("energy", "rmse"), ("energy", "mae"), ("forces", "rmse"))
SCORES = [
    *("train", "test", "model", "group", "seed", "n_cells"),
    *("quantity", "metric", "unit", "value", "ci_low", "ci_high"),
]
POINT = ["model", "ground", "quantity", "error", "microseconds"]


def score_references(
    cells: pd.DataFrame, references: Sequence[Reference], held_out: Mapping[str, Collection[str]]
) -> pd.DataFrame:
    """Return the errors of reference models as rows of ``scores.csv`` that tables of transfer read.

    Parameters
    ----------
    cells : DataFrame
        Test cells, of `Material`.
    references : sequence of Reference
    held_out : mapping
        Keys of the cells of each test set that trained models are scored on.

    Returns
    -------
    DataFrame
        ``train`` is `NOT_TRAINED`; RMSE and MAE of energies and RMSE of forces over all cells that
        the model answered, with intervals as those of `diverse.errors.scores.score_rows`.
    """
    rows, n_atoms = [], cells["n_atoms"].to_numpy()
    for test, keys in held_out.items():
        own = ((cells["test"] == test) & cells["key"].isin(keys)).to_numpy()
        for reference in references:
            chosen = np.flatnonzero(own & reference.answered)
            names = {"train": NOT_TRAINED, "test": test, "model": reference.name}
            fixed = names | {"group": "all", "seed": "all", "n_cells": len(chosen)}
            errors = reference.of_cells(chosen, n_atoms) if len(chosen) else {}
            for quantity, metric in SCORED:
                if quantity in errors:
                    value, low, high = errors[quantity].metric(metric)
                    found = {"value": value, "ci_low": low, "ci_high": high}
                    about = {"quantity": quantity, "metric": metric, "unit": UNITS[quantity]}
                    rows.append(fixed | about | found)
    return pd.DataFrame(rows, columns=SCORES)


def neighbours_of_ratios(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the ratios of reference models on neutral ground as rows of effects, for the figure.

    Parameters
    ----------
    table : DataFrame
        Of `measure_references`.
    reference : str
        Training set whose models they are compared with.

    Returns
    -------
    DataFrame
        ``train`` is `NOT_TRAINED` and ``test`` the reference model; where there is a ratio.
    """
    own = table[(table["test"] == POOLED) & table[f"over_{reference}"].notna()]
    names = {"train": NOT_TRAINED, "reference": reference, "relation": NEUTRAL}
    numbers = {"effect": "", "ci_low": "_low", "ci_high": "_high"}
    ratios = {name: own[f"over_{reference}{end}"] for name, end in numbers.items()}
    return own[["quantity", "metric"]].assign(test=own["model"], **names, **ratios)


def errors_by_cost(table: pd.DataFrame) -> pd.DataFrame:
    """Return the error of every reference model on every ground beside the cost of dynamics.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.references.measure_references`, with ``microseconds`` an atom and step.

    Returns
    -------
    DataFrame
        Columns `POINT`: errors by the metric that decides, grounds as in `diverse.errors.levels`.
    """
    own = table[(table["metric"] == table["quantity"].map(DECISIVE)) & table["error"].gt(0)]
    return own.assign(ground=own["test"].replace(POOLED, NEUTRAL_GROUND))[POINT]
