"""Structures of many cells as arrays, and their neighbour pairs: of a few of them, or of all."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from diverse.kernel.pairs import NeighbourPairs, neighbour_pairs

Array = np.ndarray[Any, np.dtype[Any]]

CELLS_AT_ONCE = 200


@dataclass(frozen=True)
class PackedPairs:
    """Pairs of atoms inside many cells.

    Attributes
    ----------
    first_atom : ndarray of int64, shape (n_cells + 1,)
        The atoms of cell c are first_atom[c] to first_atom[c + 1] - 1.
    first : ndarray of int64, shape (n_atoms + 1,)
        The pairs of atom i are first[i] to first[i + 1] - 1.
    neighbour : ndarray of int32, shape (n_pairs,)
        Number of the neighbour within its cell.
    vector : ndarray, shape (n_pairs, 3), Å
    """

    first_atom: Array
    first: Array
    neighbour: Array
    vector: Array


@dataclass(frozen=True)
class PackedCells:
    """Structures of many periodic cells, in arrays that may lie on a disk.

    Pairs would take some twenty times their room, and are found faster than anything is computed of
    them.

    Attributes
    ----------
    first_atom : ndarray of int64, shape (n_cells + 1,)
        The atoms of cell c are first_atom[c] to first_atom[c + 1] - 1.
    positions : ndarray, shape (n_atoms, 3), Å
    lattices : ndarray, shape (n_cells, 3, 3), Å
        Rows are lattice vectors.
    cutoff : float, Å
    n_neighbours : ndarray of int, shape (n_atoms,)
        Neighbours of each atom within the cutoff, images included.
    """

    first_atom: Array
    positions: Array
    lattices: Array
    cutoff: float
    n_neighbours: Array

    def pairs_of(self, numbers: Array) -> NeighbourPairs:
        """Find the pairs of the cells of these numbers, whose atoms are numbered in that order."""
        begin, end = self.first_atom[numbers], self.first_atom[numbers + 1]
        first_atom = np.concatenate([[0], np.cumsum(end - begin)])
        positions = self.positions[ranges(begin, end)]
        return neighbour_pairs(positions, self.lattices[numbers], first_atom, cutoff=self.cutoff)

    def all_pairs(self) -> PackedPairs:
        """Find the pairs of all cells, a few cells at a time."""
        first = np.concatenate([[0], np.cumsum(self.n_neighbours)])
        neighbour, vector = np.empty(first[-1], dtype=np.int32), np.empty((first[-1], 3))
        for begin in range(0, len(self.lattices), CELLS_AT_ONCE):
            numbers = np.arange(begin, min(begin + CELLS_AT_ONCE, len(self.lattices)))
            found = self.pairs_of(numbers)
            ends = self.first_atom[begin : numbers[-1] + 2]
            of_cell = np.repeat(ends[:-1] - ends[0], np.diff(ends))
            chunk = slice(first[ends[0]], first[ends[-1]])
            neighbour[chunk] = found.neighbour - of_cell[found.center]
            vector[chunk] = found.vector
        return PackedPairs(self.first_atom, first, neighbour, vector)


def ranges(start: Array, stop: Array) -> Array:
    """Return the integers from start[i] to stop[i] - 1 of every i, one range after the other."""
    lengths = stop - start
    offset = np.repeat(start - (np.cumsum(lengths) - lengths), lengths)
    return np.arange(len(offset)) + offset
