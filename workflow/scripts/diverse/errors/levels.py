"""Levels of error: the logarithm of a training set's error, averaged alike over groups of cells.

A *ground* is a list of groups of test cells on which training sets are compared: all groups of one
test set, or the neutral groups of several. A level is that of one draw; how far levels scatter over
draws says how much depends on which cells happened to be trained on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from diverse.errors.draws import DrawErrors
from diverse.errors.ground import Group
from diverse.errors.material import Ground
from diverse.errors.theta import DECISIVE, log_errors, mean_of_finite

NEUTRAL_GROUND = "neutral ground"
LEVEL_COLUMNS = ["train", "model", "class", "draw", "ground", "quantity", "level"]

Grounds = Mapping[str, Mapping[str, Sequence[Group]]]  # by name and quantity


def find_grounds(grounds: Iterable[Ground]) -> dict[str, dict[str, list[Group]]]:
    """Return each test set as a ground, after them the neutral ground, by quantity.

    Parameters
    ----------
    grounds : iterable of Ground
        All groups of test cells, one entry a quantity.

    Returns
    -------
    dict of str to dict of str to list of Group
        The neutral ground holds the groups that are neutral for every training set. Groups that no
        model has skill on are in no ground, and a ground without groups is not there.
    """
    found: dict[str, dict[str, list[Group]]] = {}
    for ground in grounds:
        for number, group in enumerate(ground.groups):
            if ground.filled[number] and ground.skill[number]:
                found.setdefault(group.test, {}).setdefault(ground.quantity, []).append(group)
        for number in ground.able:
            neutral = found.setdefault(NEUTRAL_GROUND, {})
            neutral.setdefault(ground.quantity, []).append(ground.groups[number])
    return {name: found[name] for name in sorted(found, key=NEUTRAL_GROUND.__eq__)}


def errors_by_set(
    errors: pd.DataFrame, cells: pd.DataFrame, models: Sequence[str]
) -> dict[str, DrawErrors]:
    """Return the errors of the models of every training set.

    Parameters
    ----------
    errors, cells : DataFrame
        Of `diverse.errors.draws.read_errors` and `read_cells`.
    models : sequence of str
        The axis of models.
    """
    n_draws = int(errors["draw"].max()) + 1
    by_set = errors.groupby("train", sort=False)
    return {str(train): DrawErrors.of(rows, cells, models, n_draws) for train, rows in by_set}


def ground_levels(
    errors: Mapping[str, DrawErrors],
    cells: pd.DataFrame,
    classes: Mapping[str, str],
    grounds: Grounds,
    beside: Mapping[str, str | None],
) -> pd.DataFrame:
    """Return the mean of log e over the groups of each ground, all groups alike.

    Parameters
    ----------
    errors : mapping of str to DrawErrors
        By training set; their whole training parts and first seeds count.
    cells : DataFrame
        The table of cells that `grounds` was made from (`Material.cells`).
    classes : mapping of str to str
        Class of each model, in the order of the axis of models of `errors`.
    grounds : mapping
        Of `find_grounds`.
    beside : mapping of str to str or None
        By training set, the set that it is compared with, whose draws it may lack some of: the
        groups of such a set are balanced as `balanced_levels` says. Sets that are not named, or
        have None, balance themselves.

    Returns
    -------
    DataFrame
        Columns ``train``, ``model``, ``class``, ``draw``, ``ground``, ``quantity`` and ``level``:
        the natural logarithm of the mean absolute error of energies (meV/atom), or of the
        root-mean-square error of force components (meV/Å), by `balanced_levels`.

    Raises
    ------
    ValueError
        If the groups number the rows of another table of cells.
    """
    sizes = {"energy": np.ones(len(cells)), "forces": 3.0 * cells["n_atoms"].to_numpy()}
    ones, parts, models = np.ones((1, len(cells))), [], np.array(list(classes))

    def logs(train: str, quantity: str, groups: Sequence[Group]) -> np.ndarray:
        values = np.abs(errors[train].quantity(quantity)[0])
        return log_errors(sizes[quantity], values, groups, ones, DECISIVE[quantity])[0]

    for train in errors:
        other = beside.get(train)
        for ground, by_quantity in grounds.items():
            for quantity, groups in by_quantity.items():
                _check_places(groups, cells)
                others = (
                    logs(other, quantity, groups) if other is not None and other in errors else None
                )
                levels = balanced_levels(logs(train, quantity, groups), others)
                draw, model = np.nonzero(np.isfinite(levels))
                part = pd.DataFrame({"model": models[model], "draw": draw})
                part["level"] = levels[draw, model]
                parts.append(part.assign(train=train, ground=ground, quantity=quantity))
    if not parts:
        return pd.DataFrame(columns=LEVEL_COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(**{"class": table["model"].map(classes)})[LEVEL_COLUMNS]


def _check_places(groups: Sequence[Group], cells: pd.DataFrame) -> None:
    tests = cells["test"].to_numpy()
    for group in groups:
        if (tests[group.cells] != group.test).any():
            raise ValueError(
                f"group {group.name} of {group.test} numbers the rows of another table of cells: "
                "take the table that the grounds were made from"
            )


def balanced_levels(logs: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Return the mean over groups of every draw, freed of which groups have test cells in it.

    Groups differ by orders of magnitude, so that a draw without one of them would stand apart for
    that reason alone. The mean of a draw is therefore that of deviations from the mean of each
    group over draws, plus the mean of these over all groups.

    A training set that has some draws alone may have no error at all on a group that it is compared
    on. Its groups are balanced by the means of the other set.

    Parameters
    ----------
    logs : ndarray, shape (n_draws, n_models, n_groups)
        Logarithms of errors; NaN where there is none.
    others : ndarray, shape (n_draws, n_models, n_groups), optional
        Logarithms of errors of the training set that this one is compared with. Its means over
        draws stand for those of `logs`, for models that have no error in one of its draws.

    Returns
    -------
    ndarray, shape (n_draws, n_models)
    """
    of_group = _over_draws_of_group(logs)
    if others is not None:
        lacks = np.isfinite(others).any(axis=-1) & ~np.isfinite(logs).any(axis=-1)
        of_group = np.where(lacks.any(axis=0)[:, None], _over_draws_of_group(others), of_group)
    levels: np.ndarray = mean_of_finite(logs - of_group) + mean_of_finite(of_group)
    return levels


def _over_draws_of_group(logs: np.ndarray) -> np.ndarray:
    """Return the means of logarithms over draws, shape (n_models, n_groups)."""
    return mean_of_finite(np.moveaxis(logs, 0, -1))


def grounds_table(grounds: Grounds) -> pd.DataFrame:
    """Return the groups of each ground, one a row, with their number of cells that count.

    Parameters
    ----------
    grounds : mapping
        Of `find_grounds`.
    """
    rows = [
        {"ground": name, "quantity": quantity, "test": group.test, "group": group.name}
        | {"n_cells": len(group.cells)}
        for name, by_quantity in grounds.items()
        for quantity, groups in by_quantity.items()
        for group in groups
    ]
    return pd.DataFrame(rows, columns=["ground", "quantity", "test", "group", "n_cells"])


def over_draws(levels: pd.DataFrame, keys: Collection[str], name: str) -> pd.DataFrame:
    """Return the exponential of the mean level over draws, and of one standard deviation about it.

    Parameters
    ----------
    levels : DataFrame
        With `keys`, ``draw`` and ``level``, one row a draw.
    keys : collection of str
        Columns that rows of the result differ in.
    name : str
        What the result is called: an error, or a ratio of errors.

    Returns
    -------
    DataFrame
        Columns `keys`, `name`, ``low``, ``high`` (exp of mean minus and plus the standard deviation
        of levels over draws; NaN for one draw) and ``draws``.
    """
    groups = levels.groupby(list(keys), sort=False)["level"]
    table = groups.agg(["mean", "std", "size"]).reset_index()
    centre, spread = table["mean"], table["std"]
    values = {
        name: np.exp(centre),
        "low": np.exp(centre - spread),
        "high": np.exp(centre + spread),
        "draws": table["size"],
    }
    return table[list(keys)].assign(**values)
