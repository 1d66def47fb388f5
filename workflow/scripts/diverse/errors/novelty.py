"""Errors of single test cells against their novelty and against their shortest distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from diverse.errors.curves import in_order
from diverse.errors.ground import counted
from diverse.errors.scores import UNITS

AXES = ("novelty", "d_min")
BINS = 8
SMALLEST_BIN = 4  # cells: fewer say little of a median


def largest_of_class(parameters: Mapping[str, int], classes: Mapping[str, str]) -> list[str]:
    """Return the model with the most parameters of each class.

    Parameters
    ----------
    parameters : mapping
        Number of parameters of each model.
    classes : mapping
        Class of each model, in the order of the study.
    """
    best: dict[str, str] = {}
    for model, name in classes.items():
        if model in parameters and parameters[model] > parameters.get(best.get(name, ""), 0):
            best[name] = model
    return list(best.values())


def error_by_novelty(
    errors: pd.DataFrame, cells: pd.DataFrame, novelty: pd.DataFrame, models: Sequence[str]
) -> pd.DataFrame:
    """Return the error of every test cell of draw 0 beside its novelty.

    Parameters
    ----------
    errors, cells : DataFrame
        Of `diverse.errors.draws.read_errors` and `read_cells`, these with ``key`` and ``d_min``.
    novelty : DataFrame
        ``train``, ``test``, ``key`` and ``novelty`` of test cells of draw 0.
    models : sequence of str
        Models that are taken.

    Returns
    -------
    DataFrame
        Columns ``train``, ``model``, ``test``, ``cell``, ``quantity``, ``novelty`` (whitened
        units), ``d_min`` (Å) and ``error``: the magnitude of the energy's (meV/atom), or the root
        mean square over the components of the forces (meV/Å). Cells without labels of a quantity,
        or with forces that symmetry makes zero, have no row for it.
    """
    first = (errors["draw"] == 0) & (errors["part"] == "whole") & (errors["seed"] == 0)
    rows = errors[first & errors["model"].isin(models)]
    known = cells.assign(**{name: counted(cells, name) for name in UNITS})
    place = known.set_index(["test", "cell"])[["key", "d_min", *UNITS]]
    rows = rows.join(place, on=["test", "cell"])
    nearest = novelty.drop_duplicates(["train", "test", "key"])
    rows = rows.merge(nearest[["train", "test", "key", "novelty"]], on=["train", "test", "key"])
    rms = (rows["forces_squared"] / (3 * rows["n_atoms"])).pow(0.5)
    values = {"energy": rows["energy_error"].abs(), "forces": rms}
    parts = [
        rows.assign(quantity=quantity, error=value)[rows[quantity].astype(bool) & value.notna()]
        for quantity, value in values.items()
    ]
    columns = ["train", "model", "test", "cell", "quantity", *AXES, "error"]
    return pd.concat(parts, ignore_index=True)[columns]


def binned_medians(rows: pd.DataFrame) -> pd.DataFrame:
    """Return medians of errors in bins of novelty and of the shortest distance.

    Bins are the same for all training sets, models and quantities: octiles of the values of all
    rows. A bin with fewer than 4 cells of a curve is left out.

    Parameters
    ----------
    rows : DataFrame
        Of `error_by_novelty`.

    Returns
    -------
    DataFrame
        Columns ``axis`` (``novelty`` or ``d_min``), ``quantity``, ``model``, ``train``, ``value``
        (median of the axis in the bin), ``error`` (median), ``low``, ``high`` (quartiles),
        ``n_cells``, ``rank_correlation`` (Spearman's, of axis and error over all cells of the
        curve, the same in each of its rows) and ``unit``.
    """
    keys, tables = ["quantity", "model", "train"], []
    for axis in AXES:
        edges = np.unique(np.quantile(rows[axis], np.linspace(0, 1, BINS + 1)))
        place = np.clip(np.searchsorted(edges, rows[axis], side="right"), 1, len(edges) - 1)
        binned = rows.assign(bin=place).groupby([*keys, "bin"], sort=False)
        table = binned.agg(
            value=(axis, "median"),
            error=("error", "median"),
            low=("error", _lower_quartile),
            high=("error", _upper_quartile),
            n_cells=("error", "size"),
        ).reset_index()
        ranks = rows.groupby(keys)[[axis, "error"]].rank()
        correlation = (
            pd.concat([rows[keys], ranks], axis=1)
            .groupby(keys)
            .apply(_correlation, axis, include_groups=False)
            .rename("rank_correlation")
        )
        tables.append(table.join(correlation, on=keys).assign(axis=axis))
    table = pd.concat(tables, ignore_index=True)
    table = table[table["n_cells"] >= SMALLEST_BIN]
    table = table.assign(unit=table["quantity"].map(UNITS)).drop(columns="bin")
    columns = ["axis", *keys, "value", "error", "low", "high", "n_cells"]
    table = in_order(table, ["axis", *keys, "value"])
    return table[[*columns, "rank_correlation", "unit"]]


def _lower_quartile(values: pd.Series) -> float:
    return float(values.quantile(0.25))


def _upper_quartile(values: pd.Series) -> float:
    return float(values.quantile(0.75))


def _correlation(ranks: pd.DataFrame, axis: str) -> float:
    """Return the correlation of two columns of ranks; NaN where one of them does not vary."""
    varied = (ranks[[axis, "error"]].std() > 0).all()
    return float(ranks[axis].corr(ranks["error"])) if varied else np.nan
