"""Any exported model as an ASE calculator, with its ZBL repulsion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers

from diverse.models import Predictions, load_model
from diverse.models.export import read_cutoff, read_zbl


class PotentialCalculator(Calculator):
    """Energy, forces and stress of periodic cells of one element.

    Parameters
    ----------
    folder : str or Path
        A model's folder, with ``potential.lammps`` beside the files that it names.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.implemented_properties = ["energy", "free_energy", "forces", "stress"]
        self.model, self.cutoff = load_model(folder), read_cutoff(folder)
        self.zbl = read_zbl(folder)
        self._predict = self.model.predictor(self.cutoff, self.zbl, stresses=True)

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what changed since the last calculation: nothing, or everything.

        ASE's own comparison takes as long as the forces of a small cell.
        """
        last = cast(Atoms | None, self.atoms)
        same = last is not None and (
            np.array_equal(atoms.positions, last.positions)
            and np.array_equal(atoms.cell.array, last.cell.array)
            and np.array_equal(atoms.numbers, last.numbers)
            and np.array_equal(atoms.pbc, last.pbc)
        )
        return [] if same else list(all_changes)

    def evaluate(self, cells: Sequence[Atoms]) -> Predictions:
        """Return energies, forces and stresses of periodic cells of its element, all at once.

        What ASE adds to a cell takes as long as the forces of fifty atoms at 2Jmax 4.
        """
        return self._predict(cells)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[Any] = all_changes,
    ) -> None:
        """Compute energy, forces and stress together, whichever of them are asked for.

        Raises
        ------
        ValueError
            If the cell does not repeat in all directions, or holds another element.
        """
        if atoms is not None:  # all that ASE's own method does, but for a look at a folder
            self.atoms = atoms.copy()
        cell = cast(Atoms, self.atoms)
        own = atomic_numbers[self.zbl.element]
        if not (cell.pbc.all() and len(cell) and (cell.numbers == own).all()):
            raise ValueError(
                f"this potential is for {self.zbl.element} in cells that repeat in all "
                f"directions, not for {', '.join(sorted(set(cell.symbols)))} with pbc "
                f"{cell.pbc.tolist()}: add vacuum and set pbc=True"
            )
        found = self.evaluate([cell])
        self.results = {
            "energy": float(found.energies[0]),
            "free_energy": float(found.energies[0]),
            "forces": found.forces,
            "stress": found.stresses[0],
        }
