"""Ratios of errors on the same test cells: the better training set, and by how much.

Two models that differ in their training set alone err on the same cells, so the interval of the
ratio of their errors (paired bootstrap over cells) is narrower than the intervals of both errors
suggest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from diverse.errors.intervals import resample
from diverse.errors.views import ZERO_FORCE_ERROR

CELL_KEYS = ["test", "quantity", "model", "cell"]
COMPARISON_KEYS = ["test", "quantity", "train", "reference"]


def reference_set(trains: Sequence[str], families: Mapping[str, str]) -> str:
    """Return the set that others are compared with: the first of family entropy, or the first."""
    return next((train for train in trains if families[train] == "entropy"), trains[0])


def error_ratios(cells: pd.DataFrame, trains: Sequence[str], reference: str) -> pd.DataFrame:
    """Return the RMSE of every model over that of the same model trained on the reference set.

    Parameters
    ----------
    cells : DataFrame
        Of `diverse.errors.scores.cell_rows`, for every model, training and test set.
    trains : sequence of str
        Training sets that are compared with `reference`, one of them.

    Returns
    -------
    DataFrame
        Columns ``test``, ``quantity``, ``model``, ``train``, ``reference``, ``ratio`` (above 1:
        the reference set is better), ``ci_low`` and ``ci_high`` (95 % percentile interval; NaN for
        a single cell), ``n_cells``. Cells whose forces symmetry makes zero are left out of force
        errors.

    Raises
    ------
    pandas.errors.MergeError
        If a cell of a test set stands twice under one model and training set.
    """
    by_set = {train: part.set_index(CELL_KEYS) for train, part in cells.groupby("train")}
    compared_with = by_set[reference]["squared"].rename("reference")
    rows = []
    for train in trains:
        if train == reference:
            continue
        pairs = by_set[train].join(compared_with, on=CELL_KEYS, validate="1:1")
        for (test, quantity, model), part in pairs.groupby(level=CELL_KEYS[:3], sort=False):
            larger = part[["squared", "reference"]].max(axis=1)
            if quantity == "forces":
                part = part[larger > ZERO_FORCE_ERROR**2 * part["components"]]
            if part.empty:
                continue
            fixed = {"test": test, "quantity": quantity, "model": model, "train": train}
            value, low, high = resample(
                _ratio, part["squared"].to_numpy(), part["reference"].to_numpy()
            )
            values = {"ratio": value, "ci_low": low, "ci_high": high, "n_cells": len(part)}
            rows.append({**fixed, "reference": reference, **values})
    return pd.DataFrame(rows)


def count_verdicts(ratios: pd.DataFrame) -> pd.DataFrame:
    """Return how many models each training set makes better or worse than the reference set does.

    Returns
    -------
    DataFrame
        Columns ``test``, ``quantity``, ``train``, ``reference``; ``models``; the ``lowest``,
        ``median`` and ``highest`` ratio; ``better`` and ``worse``, the numbers of models whose
        interval lies below and above 1.
    """
    verdicts = ratios.assign(better=ratios["ci_high"] < 1, worse=ratios["ci_low"] > 1)
    counts = verdicts.groupby(COMPARISON_KEYS, sort=False, as_index=False).agg(
        models=("model", "size"),
        lowest=("ratio", "min"),
        median=("ratio", "median"),
        highest=("ratio", "max"),
        better=("better", "sum"),
        worse=("worse", "sum"),
    )
    tests = list(counts["test"].unique())
    return counts.sort_values(
        "test", key=lambda names: names.map(tests.index), kind="stable", ignore_index=True
    )


def verdicts_table(verdicts: pd.DataFrame) -> str:
    """Return the counts of verdicts as a table in Markdown: a row for each test set."""
    texts = [
        f"{row.median:.2g} ({row.lowest:.2g} to {row.highest:.2g}); {row.worse} : {row.better}"
        for row in verdicts.itertuples()
    ]
    titles = verdicts["train"] + " / " + verdicts["reference"] + ", " + verdicts["quantity"]
    shown = verdicts.assign(text=texts, title=titles, test="on " + verdicts["test"])
    wide = shown.pivot(index="test", columns="title", values="text")
    wide = wide.loc[shown["test"].unique(), sorted(wide.columns)]
    return str(wide.rename_axis(index="").fillna("").to_markdown(disable_numparse=True))


def _ratio(squared: np.ndarray, reference: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the ratio of two RMSEs over the same cells."""
    quotient: np.ndarray = (squared.sum(axis=axis) / reference.sum(axis=axis)) ** 0.5
    return quotient
