"""Many periodic cells as arrays, moved together and each on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ase import Atoms

from diverse.structures import PRECISION


@dataclass
class Batch:
    """The cells an optimiser moves; `positions`, `cells` and `failed` change, the rest does not.

    Attributes
    ----------
    positions : ndarray, shape (n_atoms, 3), Å
    cells : ndarray, shape (n_cells, 3, 3), Å
    core : ndarray, shape (n_cells,), Å
        Core radius of each cell.
    first_atom : ndarray of int, shape (n_cells + 1,)
        The atoms of cell c are first_atom[c] to first_atom[c + 1] - 1.
    failed : ndarray of bool, shape (n_cells,)
        Cells that met a number that is not finite, or atoms on top of each other.
    """

    positions: np.ndarray
    cells: np.ndarray
    core: np.ndarray
    first_atom: np.ndarray
    failed: np.ndarray

    def __post_init__(self) -> None:
        self.sizes = np.diff(self.first_atom)  # atoms of each cell, shape (n_cells,)
        self.cell_of_atom = np.repeat(np.arange(len(self.cells)), self.sizes)  # (n_atoms,)

    @classmethod
    def of(cls, cells: Sequence[Atoms], core: np.ndarray) -> Batch:
        """Collect ASE cells and their core radii (Å)."""
        return cls(
            positions=np.concatenate([cell.positions for cell in cells]),
            cells=np.array([cell.cell.array for cell in cells]),
            core=np.asarray(core, dtype=float),
            first_atom=np.append(0, np.cumsum([len(cell) for cell in cells])),
            failed=np.zeros(len(cells), dtype=bool),
        )

    @property
    def volumes(self) -> np.ndarray:
        """Volume of each cell, shape (n_cells,), Å^3."""
        return np.abs(np.linalg.det(self.cells))

    def park(self, cell: int) -> None:
        """Give up a cell: it fails, and its atoms go where they do no harm to the others."""
        self.failed[cell] = True
        n = int(self.sizes[cell])
        atoms = slice(*self.first_atom[cell : cell + 2])
        self.positions[atoms] = (np.arange(n) / n)[:, None] * self.cells[cell, 0]

    def part(self, chosen: np.ndarray) -> Batch:
        """Return a copy of the chosen cells, a mask of shape (n_cells,)."""
        return Batch(
            positions=self.positions[chosen[self.cell_of_atom]],
            cells=self.cells[chosen],
            core=self.core[chosen],
            first_atom=np.append(0, np.cumsum(self.sizes[chosen])),
            failed=self.failed[chosen],
        )

    def put_back(self, part: Batch, chosen: np.ndarray) -> None:
        """Copy positions, vectors and failures of `part` back into the chosen cells."""
        self.positions[chosen[self.cell_of_atom]] = part.positions
        self.cells[chosen] = part.cells
        self.failed[chosen] = part.failed

    def to_atoms(self, element: str) -> list[Atoms]:
        """Return ASE cells, wrapped and rounded to the stored precision."""
        cells = []
        for number, (begin, end) in enumerate(pairwise(self.first_atom.tolist())):
            cell = Atoms(
                [element] * (end - begin),
                positions=self.positions[begin:end],
                cell=self.cells[number],
                pbc=True,
            )
            cell.wrap()
            cell.positions = cell.positions.round(PRECISION)
            cell.cell[:] = cell.cell.array.round(PRECISION)
            cells.append(cell)
        return cells


def equal_sizes(sizes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the cells of each size and their atoms, so that they stack to (g, n, ...) arrays.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_cells,)

    Yields
    ------
    members : ndarray of int, shape (g,)
    atoms : ndarray of int, shape (g, n)
    """
    first = np.append(0, np.cumsum(sizes))
    for n in np.unique(sizes):
        members = np.flatnonzero(sizes == n)
        yield members, first[members][:, None] + np.arange(n)
