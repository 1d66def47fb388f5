"""Gains of a training set: what cells that are added to it, or put in their place, do to errors."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from diverse.errors.curves import in_order, set_sizes
from diverse.errors.levels import over_draws

WHOLE_BASE = 0.99  # part of the base set that a growing mixture holds at least, in environments
FULL_SIZE = 0.97  # part of the base set's size that a mixture of constant size reaches at least
PAIR_KEYS = ["model", "draw", "ground", "quantity"]
MIXTURE_COLUMNS = ["added", "growth", "environments", "added_environments", "added_core_hours"]


def base_set(families: Mapping[str, str]) -> str:
    """Return the training set that a user would have: the first that no sampler made, or the first.

    Parameters
    ----------
    families : mapping
        Family of each training set, in the order of the study.
    """
    had = (name for name, family in families.items() if family in ("expert", "literature"))
    return next(had, next(iter(families)))


def find_mixtures(training_sets: pd.DataFrame, base: str) -> pd.DataFrame:
    """Return the training sets that are mixed from the base set and one other.

    Parameters
    ----------
    training_sets : DataFrame
        ``training_sets.csv``.
    base : str
        Name of the training set that the others are added to.

    Returns
    -------
    DataFrame
        Index ``train``; ``added``, the other source; ``growth``: ``growing`` where the mixture
        holds the whole base set, else ``constant``; ``environments`` of both sources,
        ``added_environments`` and ``added_core_hours`` of the other; means over draws. Mixtures
        of constant size that fall short of it, for want of cells to add, are left out.
    """
    whole = training_sets[training_sets["part"] == "whole"]
    sums = whole.groupby(["train", "source"], sort=False)[["environments", "core_hours"]].mean()
    needed = WHOLE_BASE * sums["environments"].get((base, base), np.inf)
    rows = {}
    for train, part in sums.groupby(level="train", sort=False):
        parts = part.droplevel("train")
        others = [source for source in parts.index if source != base]
        if base not in parts.index or len(others) != 1:
            continue
        kept, added = parts.loc[base, "environments"], parts.loc[others[0]]
        growth = "growing" if kept >= needed else "constant"
        total = kept + added["environments"]
        if growth == "constant" and total < FULL_SIZE / WHOLE_BASE * needed:
            continue  # the other set has not as many environments as were to be replaced
        rows[train] = [others[0], growth, total, added["environments"], added["core_hours"]]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=MIXTURE_COLUMNS)
    table.index = pd.Index(rows, dtype="str", name="train")
    return table


def changes(levels: pd.DataFrame, base: str) -> pd.DataFrame:
    """Return levels of training sets minus those of the base set, draw by draw.

    Both differ in the training set alone: model, draw and test cells are the same, so that the
    spread over draws is that of the difference. Draws and models that the base set has not are
    left out.

    Parameters
    ----------
    levels : DataFrame
        Of `diverse.errors.levels.ground_levels`.
    base : str
    """
    of_base = levels[levels["train"] == base].set_index(PAIR_KEYS)["level"].rename("base")
    pairs = levels.join(of_base, on=PAIR_KEYS).dropna(subset="base")
    return pairs.assign(level=pairs["level"] - pairs["base"]).drop(columns="base")


def gains(levels: pd.DataFrame, trains: Collection[str], base: str) -> pd.DataFrame:
    """Return the ratio of errors of training sets to those of the base set, of every model and all.

    Parameters
    ----------
    levels : DataFrame
        Of `diverse.errors.levels.ground_levels`.
    trains : collection of str
        Training sets that are compared with the base set.
    base : str

    Returns
    -------
    DataFrame
        Columns ``train``, ``ground``, ``quantity``, ``model``, ``class``, ``ratio`` (below 1: the
        base set is worse), ``low``, ``high`` (one standard deviation of the paired difference over
        draws), ``draws`` and ``improved``, the number of draws with a ratio below 1. Rows of model
        ``all`` average the logarithms over the models of a class, then over classes.
    """
    part = changes(levels[levels["train"].isin([base, *trains])], base)
    part = part[part["train"].isin(trains)]
    keys = ["train", "ground", "quantity", "draw"]
    by_class = part.groupby([*keys, "class"], sort=False, as_index=False)["level"].mean()
    joined = by_class.groupby(keys, sort=False, as_index=False)["level"].mean()
    every = pd.concat([part, joined.assign(model="all", **{"class": "all"})])
    every = every.assign(improved=every["level"] < 0)
    index = ["train", "ground", "quantity", "model", "class"]
    better = every.groupby(index, sort=False)["improved"].sum()
    return over_draws(every, index, "ratio").join(better, on=index)


def mixture_gains(levels: pd.DataFrame, training_sets: pd.DataFrame, base: str) -> pd.DataFrame:
    """Return the gains of all mixtures, by what is added and how much; empty without mixtures.

    Returns
    -------
    DataFrame
        Columns of `gains` and of `find_mixtures`, sorted by growth, added set and environments.
    """
    found = find_mixtures(training_sets, base)
    rows = gains(levels, list(found.index), base).join(found, on="train")
    rows.insert(0, "base", base)
    sort = ["ground", "quantity", "model", "growth", "added", "added_environments"]
    return in_order(rows, sort)


def baseline_gains(
    levels: pd.DataFrame, training_sets: pd.DataFrame, trains: Collection[str], base: str
) -> pd.DataFrame:
    """Return the gains of further training sets over the base set, with their size and cost.

    Parameters
    ----------
    levels, training_sets, base
        As for `mixture_gains`.
    trains : collection of str
        Training sets in their order; mixtures among them have a table of their own and are left
        out, as is the base set.

    Returns
    -------
    DataFrame
        Rows of `gains` for all models together, with ``sources``, ``cells``, ``environments`` and
        ``core_hours``.
    """
    left_out = {base, *find_mixtures(training_sets, base).index}
    trains = [train for train in trains if train not in left_out]
    rows = gains(levels, trains, base)
    rows = rows[rows["model"] == "all"].drop(columns=["model", "class"])
    rows.insert(0, "base", base)
    rows = rows.join(set_sizes(training_sets), on="train")
    return rows.sort_values(
        "train", key=lambda names: names.map(trains.index), kind="stable", ignore_index=True
    )
