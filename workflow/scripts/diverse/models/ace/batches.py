"""Cells in padded batches, as ace-jax takes them.

ace-jax compiles its code anew, in up to twenty seconds, for each shape of its arrays: few shapes
serve all cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from diverse.neighbours import find_pairs

ATOMS, CELLS, SLOTS = 96, 24, 32  # of a batch; slots are of neighbours, in steps of as many

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]


def evaluate(
    cells: Sequence[Atoms], cutoff: float, element: str, function: Callable[[Any], Parts]
) -> list[Parts]:
    """Apply a function to all cells, batch by batch, and return what it gives for each.

    Parameters
    ----------
    cells : sequence of Atoms
    cutoff : float, Å
    element : str
    function : callable
        Takes a padded batch (a ``Dataset`` of ace-jax without its axis of batches), and returns
        arrays whose first axes are cells, atoms and cells.

    Returns
    -------
    list of tuple of ndarray
        Of each cell its entries of the first and of the third array, and its atoms' of the second.
    """
    found: dict[int, Parts] = {}
    for members, slots in _groups(cells, cutoff):
        of_cell, of_atom, others = map(
            np.asarray, function(_batch([cells[n] for n in members], cutoff, element, slots))
        )
        ends = np.cumsum([len(cells[number]) for number in members])
        parts = zip(of_cell, np.split(of_atom, ends), others, strict=False)
        found |= dict(zip(members, parts, strict=False))
    return [found[number] for number in range(len(cells))]


def _groups(cells: Sequence[Atoms], cutoff: float) -> Iterator[tuple[list[int], int]]:
    """Yield the numbers of cells that make a batch, and its slots for the neighbours of an atom."""
    if not cells:
        return
    pairs = find_pairs(cells, cutoff)
    most = np.zeros(len(cells), dtype=int)
    of_atom = np.bincount(pairs.center, minlength=pairs.n_atoms)
    np.maximum.at(most, pairs.cell_of_atom, of_atom)
    steps = np.maximum(1, -(-most // SLOTS))
    members: list[int] = []
    for number in np.argsort(steps, kind="stable").tolist():
        atoms = sum(len(cells[other]) for other in [*members, number])
        if members and (
            steps[members[0]] != steps[number] or atoms > ATOMS or len(members) == CELLS
        ):
            yield members, int(steps[members[0]]) * SLOTS
            members = []
        members.append(number)
    yield members, int(steps[members[0]]) * SLOTS


def _batch(cells: Sequence[Atoms], cutoff: float, element: str, slots: int) -> Any:
    from ace_jax.basis.radial_init import resolve_elements
    from ace_jax.fit.data import Config, build_dataset

    none = {"energy": None, "forces": None, "virial": None, "w_E": 0.0, "w_F": 0.0, "w_V": 0.0}
    configs = [
        Config(cell.positions, cell.numbers, cell.cell.array, cell.pbc, **none) for cell in cells
    ]
    room = ATOMS * -(-sum(map(len, cells)) // ATOMS)
    facts = {"rcut": cutoff, "elements": resolve_elements([element])}
    dataset = build_dataset(configs, facts, np.zeros(1), CELLS, n_cap=room, k_cap=slots, pack=False)
    return type(dataset)(*(array[0] for array in dataset))
