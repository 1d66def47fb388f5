"""Errors on cells larger than any test cell of a data set, over errors on these, of the same kinds.

They tell whether potentials that were trained on small cells serve for larger ones. Kinds are told
by their names alone: whether a recipe has the same settings on both sides is the study's affair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.effects import EFFECT, effect_of, summary
from diverse.errors.ground import SMALLEST, Group
from diverse.errors.material import Ground, Material, tested_cells
from diverse.errors.theta import DECISIVE, trajectory_weights
from diverse.errors.views import SMALLER

SIDES = ("own", "larger")
KEYS = ["train", "cells", "quantity", "metric"]
COUNTS = ["draws", "kinds", "forms", "n_cells_own", "atoms_own", "n_cells_larger", "atoms_larger"]


def size_effects(material: Material, trains: Sequence[str]) -> pd.DataFrame:
    """Compare errors on larger cells with those on small ones, for every training set.

    Parameters
    ----------
    material : Material
    trains : sequence of str
        Data sets that train models; those without errors are passed over.

    Returns
    -------
    DataFrame
        Columns `KEYS`, `EFFECT`, `COUNTS`: one row for each training set, data set that cells are
        like (``cells``) and quantity. ``effect`` is a ratio of errors, above 1 where those on the
        larger cells are larger: the mean of its logarithm over kinds of cells, forms and classes of
        models of the paper, and draws, with its 95 % interval (`diverse.errors.theta`).
        ``atoms_own`` and ``atoms_larger`` are the mean numbers of atoms. Empty where no test set
        holds larger cells of the kinds of a data set.
    """
    rows: list[dict[str, Any]] = []
    trained = [train for train in trains if train in material.errors]
    names = list(material.classes.values())
    for quantity, metric in DECISIVE.items():
        for source in trains:
            tested = tested_cells(material, quantity)
            pairs = list(same_kinds(material.cells, source, quantity, tested))
            if not pairs:
                continue
            groups = [group for side in zip(*pairs, strict=True) for group in side]
            numbers = range(len(pairs))
            ground = _ground_of(material, quantity, groups)
            for train in trained:
                logs = ground.logs(material, train, metric)
                forms = material.complete(train, train)
                larger = logs.take(forms, [len(pairs) + n for n in numbers])
                delta = larger - logs.take(forms, numbers)
                found = summary(delta, [names[n] for n in forms], material.shrink[train])
                row = dict(zip(KEYS, (train, source, quantity, metric), strict=True))
                counts = {"kinds": len(pairs), "forms": len(forms)}
                rows.append(row | effect_of(found) | counts | _counts(material.cells, pairs))
    return pd.DataFrame(rows, columns=[*KEYS, *EFFECT, *COUNTS])


def same_kinds(
    cells: pd.DataFrame, source: str, quantity: str, tested: np.ndarray
) -> Iterator[tuple[Group, Group]]:
    """Yield, kind by kind, the test cells of a data set and the larger ones of other test sets.

    A kind is a ``config_type``; kinds with fewer than 4 larger cells are pooled. Larger cells have
    more atoms than any test cell of the data set.

    Parameters
    ----------
    cells : DataFrame
        Of `diverse.errors.draws.read_cells`.
    source : str
        Data set.
    quantity : str
        Energy or forces.
    tested : ndarray of bool, shape (n_cells,)
        Cells that count (`diverse.errors.material.tested_cells`).
    """
    own = (cells["test"] == source).to_numpy()
    if not own.any():
        return
    larger = ~own & (cells["n_atoms"] > cells.loc[own, "n_atoms"].max()).to_numpy()
    kinds = cells["group"]
    rows = {
        str(kind): [np.flatnonzero(tested & side & (kinds == kind)) for side in (own, larger)]
        for kind in kinds[own].unique()
    }
    both = {kind: sides for kind, sides in rows.items() if all(map(len, sides))}
    small = [kind for kind, sides in both.items() if len(sides[1]) < SMALLEST]
    pools = {kind: [kind] for kind in both if kind not in small}
    if small:
        pools[small[0] if len(small) == 1 else SMALLER] = small
    for name, members in pools.items():
        sides = (np.concatenate([both[kind][side] for kind in members]) for side in range(2))
        mine, others = (Group(source, name, tuple(members), side) for side in sides)
        yield mine, others


def _ground_of(material: Material, quantity: str, groups: list[Group]) -> Ground:
    sizes = np.ones(len(material.cells))
    if quantity == "forces":
        sizes = 3.0 * material.cells["n_atoms"].to_numpy()
    weights = trajectory_weights(groups, material.cells)
    skill = [True] * len(groups)
    return Ground(quantity, groups, {}, skill, [], sizes, weights)


def _counts(cells: pd.DataFrame, pairs: Sequence[tuple[Group, Group]]) -> dict[str, float]:
    """Return how many cells each side has, and their mean number of atoms."""
    found: dict[str, float] = {}
    for name, side in zip(SIDES, zip(*pairs, strict=True), strict=True):
        rows = np.concatenate([group.cells for group in side])
        found[f"n_cells_{name}"] = len(rows)
        found[f"atoms_{name}"] = float(cells["n_atoms"].to_numpy()[rows].mean())
    return found
