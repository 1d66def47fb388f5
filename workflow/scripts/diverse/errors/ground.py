"""Test grounds: groups of test cells, and their relation to a training set.

A group is *home* for a training set that was split from the same cells, *near home* for one made in
the same way, *neutral* for the rest; a group whose energies or forces no model predicts better
than one number would is of *no skill*, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diverse.errors.draws import DrawErrors
from diverse.errors.views import SMALLER

HOME, NEAR, NEUTRAL, NO_SKILL = "home", "near home", "neutral", "no skill"
CLOSEST = [HOME, NEAR, NEUTRAL]
SAMPLED = {"entropy", "random"}
SMALLEST = 4  # cells of a group that stands for itself
ZERO_FORCES = 1e-3  # eV/Å; forces that symmetry makes zero have a smaller root mean square


@dataclass(frozen=True)
class Group:
    """Test cells that count together: those of one ``config_type``, or several small ones.

    Attributes
    ----------
    test, name : str
        Test set, and ``config_type`` or `SMALLER`.
    members : tuple of str
        Every ``config_type`` in it.
    cells : ndarray of int
        Rows of the table of test cells which count for a quantity.
    """

    test: str
    name: str
    members: tuple[str, ...]
    cells: np.ndarray

    @property
    def places(self) -> list[tuple[str, str]]:
        """Test set and ``config_type`` of every member."""
        return [(self.test, member) for member in self.members]


def counted(cells: pd.DataFrame, quantity: str) -> np.ndarray:
    """Return whether each cell counts for a quantity, shape (n_cells,).

    Cells whose forces symmetry makes zero (root mean square below 1 meV/Å) do not count for
    forces, nor do cells without labels of forces.
    """
    if quantity == "energy":
        return np.isfinite(cells["energy"].to_numpy(float))
    rms = np.sqrt(cells["forces_squared"].to_numpy(float) / (3 * cells["n_atoms"].to_numpy()))
    found: np.ndarray = rms >= ZERO_FORCES
    return found


def test_groups(cells: pd.DataFrame, quantity: str, tested: np.ndarray) -> list[Group]:
    """Return the groups of all test sets; those of fewer than 4 cells are pooled in each set.

    Parameters
    ----------
    cells : DataFrame
        Of `diverse.errors.draws.read_cells`.
    quantity : str
        Groups without a cell that counts for it are there, empty.
    tested : ndarray of bool, shape (n_cells,)
        Cells that are test cells of some draw; small groups are told by all cells that count.
    """
    counts = counted(cells, quantity)
    groups = []
    for test, part in cells.groupby("test", sort=False):
        of_type = {
            name: rows.index.to_numpy()[counts[rows.index]]
            for name, rows in part.groupby("group", sort=False)
        }
        small = [name for name, rows in of_type.items() if 0 < len(rows) < SMALLEST]
        if len(small) < 2:
            small = []
        pools = {name: (name,) for name in of_type if name not in small}
        if small:
            pools[SMALLER] = tuple(small)
        for name, members in pools.items():
            rows = np.concatenate([of_type[member] for member in members])
            groups.append(Group(str(test), str(name), members, rows[tested[rows]]))
    return groups


def relation(
    group: Group,
    sources: Iterable[str],
    families: Mapping[str, str],
    types: Mapping[str, Collection[str]],
) -> str:
    """Return the relation of a group of test cells to a training set: the closest of its sources.

    Parameters
    ----------
    group : Group
    sources : iterable of str
        Data sets that the training set was taken from.
    families : mapping
        Family of each data set.
    types : mapping
        The ``config_type`` that occur in each data set.

    Returns
    -------
    str
        `HOME`: the test cells are of the same data set. `NEAR`: both are sampled (entropy or
        random), or both are not and the training set holds a ``config_type`` of the group.
    """

    def to_source(source: str) -> str:
        if source == group.test:
            return HOME
        sampled = [families[name] in SAMPLED for name in (source, group.test)]
        alike = not any(sampled) and not set(types.get(source, ())).isdisjoint(group.members)
        return NEAR if all(sampled) or alike else NEUTRAL

    return min(map(to_source, sources), key=CLOSEST.index)


def has_skill(
    group: Group,
    errors: Iterable[DrawErrors],
    cells: pd.DataFrame,
    quantity: str,
    models: Sequence[int],
) -> bool:
    """Return whether one of these `models` predicts a group better than one number for it does.

    The measure is R² = 1 - (sum of squared errors) / (sum of squares of the labels), in the mean
    over draws: energies per atom about their mean over the group, forces about zero. A model of
    R² > 0, trained on any of the sets, is enough.
    """
    rows = cells.iloc[group.cells]
    sizes = np.ones(len(rows)) if quantity == "energy" else 3.0 * rows["n_atoms"].to_numpy()
    for of_train in errors:
        found = of_train.quantity(quantity)[0][:, models][..., group.cells]
        present = np.isfinite(found)
        squared = np.where(present, found**2 * sizes, 0).sum(axis=-1)
        spread = _squares_of_labels(rows, present, quantity)
        able = spread > 0
        fit = np.where(able, 1 - squared / np.where(able, spread, 1), np.nan)
        for by_draw in fit.T:
            if np.isfinite(by_draw).any() and np.nanmean(by_draw) > 0:
                return True
    return False


def _squares_of_labels(rows: pd.DataFrame, present: np.ndarray, quantity: str) -> np.ndarray:
    """Return the sums of squares of the labels, (meV/atom)² or (meV/Å)², of the cells present."""
    if quantity == "forces":
        squares: np.ndarray = present @ (1e6 * rows["forces_squared"].to_numpy(float))
        return squares
    energies = 1e3 * rows["energy"].to_numpy(float)
    means = (present @ energies) / np.maximum(present.sum(axis=-1), 1)
    off = np.where(present, energies - means[..., None], 0)
    about: np.ndarray = (off**2).sum(axis=-1)
    return about
