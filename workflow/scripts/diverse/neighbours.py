"""Neighbour pairs of ASE cells, found by the compiled search of `diverse.kernel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from diverse import kernel


@dataclass(frozen=True)
class CellPairs:
    """Directed pairs (i, j) within the cutoff of a batch of cells, sorted by their centre i.

    Atoms are numbered through the whole batch. A pair of an atom with its own periodic image
    has ``center == neighbour``.

    Attributes
    ----------
    center, neighbour : ndarray of int, shape (n_pairs,)
        Indices of i and j.
    first : ndarray of int, shape (n_atoms + 1,)
        The pairs of atom i are ``first[i]`` to ``first[i + 1] - 1``.
    vector : ndarray, shape (n_pairs, 3), Å
        r_j - r_i, periodic image included.
    cell_of_atom : ndarray of int, shape (n_atoms,)
        Index of the cell each atom belongs to.
    """

    center: np.ndarray
    neighbour: np.ndarray
    first: np.ndarray
    vector: np.ndarray
    cell_of_atom: np.ndarray

    @property
    def n_atoms(self) -> int:
        return len(self.cell_of_atom)

    @property
    def distance(self) -> np.ndarray:
        """Pair distances, shape (n_pairs,), Å."""
        return np.linalg.norm(self.vector, axis=1)


def find_pairs(cells: Sequence[Atoms], cutoff: float) -> CellPairs:
    """Find all pairs closer than `cutoff` (Å) in each of `cells`, periodic in every direction.

    Raises
    ------
    GeometryError
        If a cell has no volume, positions that are not finite, or overlapping atoms.
    """
    sizes = [len(atoms) for atoms in cells]
    pairs = kernel.neighbour_pairs(
        np.concatenate([atoms.positions for atoms in cells]),
        np.array([atoms.cell.array for atoms in cells]),
        np.concatenate([[0], np.cumsum(sizes)]),
        cutoff=cutoff,
    )
    cell_of_atom = np.repeat(np.arange(len(cells)), sizes)
    return CellPairs(pairs.center, pairs.neighbour, pairs.first, pairs.vector, cell_of_atom)


def shortest_distance(atoms: Atoms) -> float:
    """Return d_min, the shortest interatomic distance (Å), periodic images included."""
    reach = 1.05 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    while True:
        distance = find_pairs([atoms], reach).distance
        if len(distance):
            return float(distance.min())
        reach *= 1.5
