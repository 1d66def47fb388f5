"""Neighbour pairs of ASE cells, found by the compiled search of `diverse.kernel`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from diverse import kernel


@dataclass(frozen=True)
class CellPairs(kernel.NeighbourPairs):
    """The pairs of a batch of cells, and which cell each atom belongs to.

    Atoms are numbered through the whole batch. A pair of an atom with its own periodic image
    has ``center == neighbour``.

    Attributes
    ----------
    cell_of_atom : ndarray of int, shape (n_atoms,)
    """

    cell_of_atom: np.ndarray

    @property
    def n_atoms(self) -> int:
        """Number of atoms in the batch."""
        return len(self.cell_of_atom)

    @property
    def distance(self) -> np.ndarray:
        """Distance of each pair, shape (n_pairs,), Å."""
        x, y, z = self.vector.T
        return np.asarray(np.sqrt(x * x + y * y + z * z))  # the bits of numpy's norm, in less time


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
    return CellPairs(**vars(pairs), cell_of_atom=cell_of_atom)


def shortest_distance(atoms: Atoms) -> float:
    """Return d_min, the shortest interatomic distance (Å), periodic images included."""
    reach = 1.05 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    while True:
        distance = find_pairs([atoms], reach).distance
        if len(distance):
            return float(distance.min())
        reach *= 1.5
