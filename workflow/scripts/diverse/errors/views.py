"""Views of ``scores.csv``: by test set, and by group of cells."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

# meV/Å: cells are stored to 1e-6 Å, so that forces which symmetry makes zero have errors below it.
ZERO_FORCE_ERROR = 0.1
SMALLER = "smaller groups"
GROUP_KEYS = ["test", "quantity", "unit", "group", "n_cells", "n"]


def read_scores(*paths: str | Path) -> pd.DataFrame:
    """Read tables of scores back, one below the other; those without a row add nothing.

    Names of groups and keys are text, also ``300`` and ``nan``.
    """
    texts = {"group": str, "key": str}
    tables = [pd.read_csv(path, converters=texts, dtype={"twojmax": "Int64"}) for path in paths]
    return pd.concat([table for table in tables if len(table)] or tables[:1])


def transferability(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the table of transferability: rows training set x model, columns test set.

    Of each test set there are three columns: the value over all its cells and seeds, and the ends
    of its interval (suffixes ``_low`` and ``_high``).
    """
    chosen = scores[(scores["group"] == "all") & (scores["seed"] == "all")]
    index = ["train", "model", "quantity", "metric", "unit"]
    wide = chosen.pivot(index=index, columns="test", values=["value", "ci_low", "ci_high"])
    suffix = {"value": "", "ci_low": "_low", "ci_high": "_high"}
    wide.columns = pd.Index([f"{test}{suffix[kind]}" for kind, test in wide.columns])
    columns = [f"{test}{end}" for test in chosen["test"].unique() for end in suffix.values()]
    rows = pd.MultiIndex.from_frame(chosen[index].drop_duplicates())
    return wide.loc[rows, columns].reset_index()


def group_errors(
    scores: pd.DataFrame, trains: Collection[str], tests: Collection[str]
) -> pd.DataFrame:
    """Return the RMSE of every group of test cells (rows) by every model (columns).

    Parameters
    ----------
    scores : DataFrame
        ``scores.csv``.
    trains, tests : collection of str
        Training and test sets that the table shows, in this order.

    Returns
    -------
    DataFrame
        Columns ``test``, ``quantity``, ``unit``, ``group`` (``all`` last), ``n_cells``, ``n``
        (energies, or force components), then one ``train/model`` each; values of all seeds
        together, as in the table of transferability.
    """
    chosen = _rmse(scores)
    chosen = chosen[chosen["train"].isin(trains) & chosen["test"].isin(tests)]
    models = list(dict.fromkeys(chosen["model"]))
    columns = [f"{train}/{model}" for model in models for train in trains]
    wide = chosen.assign(column=chosen["train"] + "/" + chosen["model"]).pivot(
        index=GROUP_KEYS, columns="column", values="value"
    )
    wide = wide.reindex(columns=columns).reset_index().rename_axis(columns=None)
    order = pd.DataFrame(
        {
            "test": wide["test"].map(list(tests).index),
            "quantity": wide["quantity"],
            "whole": wide["group"] == "all",
            "group": wide["group"],
        }
    )
    return wide.loc[order.sort_values(list(order)).index].reset_index(drop=True)


def pool_small_groups(table: pd.DataFrame, smallest: int) -> pd.DataFrame:
    """Put groups of fewer than `smallest` cells of each test set together, if there are several.

    Parameters
    ----------
    table : DataFrame
        Of `group_errors`.
    smallest : int

    Returns
    -------
    DataFrame
        Of the same columns; the pooled group is called `SMALLER`, stands before ``all``, and its
        RMSE is that of all its cells together.
    """
    parts = []
    for _, part in table.groupby(GROUP_KEYS[:3], sort=False):
        small = (part["n_cells"] < smallest) & (part["group"] != "all")
        if small.sum() < 2:
            parts.append(part)
            continue
        members, errors = part[small], part.columns[len(GROUP_KEYS) :]
        row = members.iloc[[0]].assign(
            group=SMALLER, n_cells=members["n_cells"].sum(), n=members["n"].sum()
        )
        squares = members[errors].pow(2).mul(members["n"], axis=0).sum()
        row[errors] = (squares / members["n"].sum()).pow(0.5).to_numpy()
        whole = part["group"] == "all"
        parts += [part[~small & ~whole], row, part[whole]]
    return pd.concat(parts, ignore_index=True)


def parameters_of_models(scores: pd.DataFrame) -> dict[str, int]:
    """Return the number of parameters of each model."""
    models = scores.drop_duplicates("model")
    return dict(zip(models["model"], models["n_parameters"], strict=True))


def largest_models(scores: pd.DataFrame) -> dict[str, str]:
    """Return the model of each family with the most parameters, and its family."""
    models = scores.reset_index().drop_duplicates("model")
    largest = models.loc[models.groupby("family", sort=False)["n_parameters"].idxmax()]
    return dict(zip(largest["model"], largest["family"], strict=True))


def _rmse(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``scores.csv`` that hold the RMSE over all seeds."""
    return scores[(scores["metric"] == "rmse") & (scores["seed"] == "all")]
