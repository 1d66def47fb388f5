"""Descriptors of whole cells: rows of forms whose packages describe a cell at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from diverse.descriptors.statistics import SetStatistics
from diverse.models.polynomial.basis import Basis

KEPT = 20_000  # environments whose descriptors are kept: 100 MB of 185 descriptors


class CellSource(ABC):
    """Sums of descriptors over the atoms of a cell, and their derivatives.

    The first `KEPT` environments are described once: draws fit and test on the same cells again
    and again. Memory does not grow beyond that.

    Parameters
    ----------
    n_components : int
        Number of descriptors, D.
    """

    def __init__(self, n_components: int) -> None:
        self.n_components = n_components
        self._kept: dict[bytes, np.ndarray] = {}
        self._room = KEPT

    def describe(self, cells: Sequence[Atoms]) -> list[np.ndarray]:
        """Return the descriptors of each cell, shape (1 + 3 n_atoms, D).

        The first row is their sum over the atoms; the rest are minus the derivatives of that sum by
        the positions, three rows an atom, in the orientation of the cell.
        """
        keys = [cell.cell.array.tobytes() + cell.positions.tobytes() for cell in cells]
        new = {key: cell for key, cell in zip(keys, cells, strict=True) if key not in self._kept}
        found = dict(zip(new, self._compute(list(new.values())), strict=True))
        tables = [found[key] if key in found else self._kept[key] for key in keys]
        for key, cell in new.items():
            if len(cell) <= self._room:
                self._kept[key] = found[key]
                self._room -= len(cell)
        return tables

    def sums(self, cells: Sequence[Atoms]) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of each cell, (n_cells, D), and minus their derivatives, (n_atoms, 3, D).

        Atoms of all cells lie one after the other.
        """
        tables = self.describe(cells)
        sums, derivatives = [table[0] for table in tables], [table[1:] for table in tables]
        return np.array(sums), np.concatenate(derivatives).reshape(-1, 3, self.n_components)

    def statistics(self, cells: Sequence[Atoms]) -> SetStatistics:
        """Return count and mean of the environments, and a scatter that holds the derivatives, too.

        The scatter is of the means of the cells, one an environment, and of the changes that moving
        one atom by 1 Å makes to first order: few cells span all directions by them.
        """
        sums, derivatives = self.sums(cells)
        sizes = np.array([len(cell) for cell in cells])
        of_means = SetStatistics.of(np.repeat(sums / sizes[:, None], sizes, axis=0))
        moved = derivatives.reshape(-1, self.n_components)
        return SetStatistics(of_means.count, of_means.mean, of_means.scatter + moved.T @ moved)

    def energy_rows(self, cells: Sequence[Atoms], basis: Basis) -> np.ndarray:
        """Return the means of the columns over the atoms of each cell, (n_cells, n_columns)."""
        return _energy_rows(np.array([table[0] for table in self.describe(cells)]), cells, basis)

    def rows(self, cells: Sequence[Atoms], basis: Basis) -> tuple[np.ndarray, np.ndarray]:
        """Return the energy rows, and minus the derivatives of the sums of the columns.

        Shapes (n_cells, n_columns) and (n_atoms, 3, n_columns).
        """
        sums, derivatives = self.sums(cells)
        forces = np.zeros((len(derivatives), 3, basis.n_columns))
        forces[:, :, 1:] = derivatives @ basis.transform
        return _energy_rows(sums, cells, basis), forces

    @abstractmethod
    def _compute(self, cells: Sequence[Atoms]) -> list[np.ndarray]:
        """Return what `describe` returns, of cells that were not described before."""


def _energy_rows(sums: np.ndarray, cells: Sequence[Atoms], basis: Basis) -> np.ndarray:
    return basis.columns(basis.white(sums / np.array([[len(cell)] for cell in cells])))
