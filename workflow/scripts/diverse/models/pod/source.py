"""POD descriptors of cells and their derivatives, computed by LAMMPS."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase import Atoms

from diverse import lammps_library
from diverse.descriptors.statistics import SetStatistics
from diverse.models.polynomial.basis import Basis

KEPT = 20_000  # environments whose descriptors are kept: 100 MB of 185 descriptors


class PodSource:
    """Sums of descriptors over the atoms of a cell, and their derivatives.

    LAMMPS computes them: ``compute pod/global``.

    The first `KEPT` environments are described once: draws fit and test on the same cells again
    and again. Memory does not grow beyond that.

    Parameters
    ----------
    parameters : str
        Text of the parameter file.
    cutoff : float, Å
    element : str
    n_components : int
        Number of descriptors, D.
    """

    def __init__(self, parameters: str, cutoff: float, element: str, n_components: int) -> None:
        self._parameters, self._cutoff, self._element = parameters, cutoff, element
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
        derivatives = np.concatenate([table[1:] for table in tables])
        return np.array([table[0] for table in tables]), derivatives.reshape(
            -1, 3, self.n_components
        )

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
        sums = np.array([table[0] for table in self.describe(cells)])
        return basis.columns(basis.white(sums / np.array([[len(cell)] for cell in cells])))

    def rows(self, cells: Sequence[Atoms], basis: Basis) -> tuple[np.ndarray, np.ndarray]:
        """Return the energy rows, and minus the derivatives of the sums of the columns.

        Shapes (n_cells, n_columns) and (n_atoms, 3, n_columns).
        """
        _, derivatives = self.sums(cells)
        forces = np.zeros((len(derivatives), 3, basis.n_columns))
        forces[:, :, 1:] = derivatives @ basis.transform
        return self.energy_rows(cells, basis), forces

    def _compute(self, cells: Sequence[Atoms]) -> list[np.ndarray]:
        if not cells:
            return []
        instance = lammps_library.start()
        try:
            with TemporaryDirectory() as folder:
                file = Path(folder) / "parameters.pod"
                file.write_text(self._parameters)
                command = f'compute rows all pod/global "{file}" "" {self._element}'
                return [self._table(instance, cell, command) for cell in cells]
        finally:
            instance.close()

    def _table(self, instance: Any, cell: Atoms, command: str) -> np.ndarray:
        zero = f"zero {self._cutoff!r}", ["* *"]
        rotation = lammps_library.load_cell(instance, cell, *zero)
        instance.commands_list([command, "run 0 post no"])
        n_rows, n_columns = 1 + 3 * len(cell), instance.extract_compute("rows", 0, 5)
        if n_columns != 1 + self.n_components:
            raise RuntimeError(f"LAMMPS has {n_columns} columns, not {1 + self.n_components}")
        rows = instance.extract_compute("rows", 0, 2)  # computed once more at each call
        numbers = ctypes.cast(rows[0], ctypes.POINTER(ctypes.c_double))
        table = np.ctypeslib.as_array(numbers, shape=(n_rows, n_columns))[:, 1:].copy()
        derivatives = table[1:].reshape(-1, 3, self.n_components)
        derivatives[:] = np.einsum("nik,ij->njk", derivatives, rotation)
        return table


@lru_cache(maxsize=1)
def pod_source(parameters: str, cutoff: float, element: str, n_components: int) -> PodSource:
    """Return the source of these parameters, the one of before where they are the same."""
    return PodSource(parameters, cutoff, element, n_components)
