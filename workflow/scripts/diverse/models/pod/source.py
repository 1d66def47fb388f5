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
from diverse.models.polynomial.cell_source import CellSource


class PodSource(CellSource):
    """Sums of descriptors over the atoms of a cell, and their derivatives.

    LAMMPS computes them: ``compute pod/global``.

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
        super().__init__(n_components)
        self._parameters, self._cutoff, self._element = parameters, cutoff, element

    def _compute(self, cells: Sequence[Atoms]) -> list[np.ndarray]:
        if not cells:
            return []
        instance = lammps_library.start()
        try:
            with TemporaryDirectory() as folder:
                file = Path(folder) / "parameters.pod"
                file.write_text(self._parameters)
                command = f'compute rows all pod/global "{file}" "" {self._element}'
                self._check_columns(instance, cells[0], command)
                return [self._table(instance, cell, command) for cell in cells]
        finally:
            instance.close()

    def _check_columns(self, instance: Any, cell: Atoms, command: str) -> None:
        self._load(instance, cell, command)
        n_columns = instance.extract_compute("rows", 0, 5)  # takes as long as the rows
        if n_columns != 1 + self.n_components:
            raise RuntimeError(f"LAMMPS has {n_columns} columns, not {1 + self.n_components}")

    def _load(self, instance: Any, cell: Atoms, command: str) -> np.ndarray:
        zero = f"zero {self._cutoff!r}", ["* *"]
        rotation = lammps_library.load_cell(instance, cell, *zero)
        instance.commands_list([command, "run 0 post no"])
        return rotation

    def _table(self, instance: Any, cell: Atoms, command: str) -> np.ndarray:
        rotation = self._load(instance, cell, command)
        rows = instance.extract_compute("rows", 0, 2)
        numbers = ctypes.cast(rows[0], ctypes.POINTER(ctypes.c_double))
        shape = 1 + 3 * len(cell), 1 + self.n_components
        table = np.ctypeslib.as_array(numbers, shape=shape)[:, 1:].copy()
        derivatives = table[1:].reshape(-1, 3, self.n_components)
        derivatives[:] = np.einsum("nik,ij->njk", derivatives, rotation)
        return table


@lru_cache(maxsize=1)
def pod_source(parameters: str, cutoff: float, element: str, n_components: int) -> PodSource:
    """Return the source of these parameters, the one of before where they are the same."""
    return PodSource(parameters, cutoff, element, n_components)
