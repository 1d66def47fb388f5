"""Potentials as ASE calculators: exported models, reference models, the study's labeller."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from diverse.labels.chunk import TimeLimitError, label_cells
from diverse.labels.labellers import LabelError, Labeller
from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort
from diverse.physics import PhysicsError
from diverse.structures import tagged

NO_LIMIT = Effort()
SHORTEST = 1e-3  # s, of a time limit that has passed
LARGEST = 1e4  # eV/Å, above which a force means that the potential explodes


class LabellerCalculator(Calculator):
    """Energy, forces and stress of periodic cells by a labeller.

    Parameters
    ----------
    labeller : Labeller
    log : Path
        For what the labeller itself writes.
    ledger : Ledger, optional
        Where labels are looked up and kept. Without one the labeller is called in this process,
        for labellers that take a second or less.
    effort : Effort
        Time after which a label of the ledger has failed, and after which none is begun, counted
        from here on.
    say : callable
        Takes lines about the labels of a ledger: which are computed, and about how long the rest
        takes.
    """

    def __init__(
        self,
        labeller: Labeller,
        log: Path,
        ledger: Ledger | None = None,
        effort: Effort = NO_LIMIT,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        super().__init__()
        self.implemented_properties = ["energy", "free_energy", "forces", "stress"]
        self.labeller, self.log, self.ledger, self.effort = labeller, log, ledger, effort
        self.say, self.start = say, time.monotonic()

    def strained(self, atoms: Atoms) -> LabellerCalculator:
        """Return a calculator for small strains of a cell: k-points held, a complete basis."""
        other = copy(self)
        other.labeller = self.labeller.strained(atoms)
        return other

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[Any] = all_changes,
    ) -> None:
        """Compute energy, forces and stress together, whichever of them are asked for.

        Raises
        ------
        PhysicsError
            If the labeller fails, with its cause.
        """
        super().calculate(atoms, properties, system_changes)
        cell = cast(Atoms, self.atoms)
        (self.results,) = [self._direct(cell)] if self.ledger is None else self.label_all([cell])

    def _direct(self, cell: Atoms) -> dict[str, Any]:
        try:
            label = self.labeller.label(cell, self.log)
        except LabelError as error:
            raise PhysicsError(f"no energy: {error}") from error
        energies = {"energy": label.free_energy, "free_energy": label.free_energy}
        stress = {} if label.stress is None else {"stress": label.stress}
        return {**energies, "forces": label.forces, **stress}

    def label_all(self, cells: Sequence[Atoms]) -> list[dict[str, Any]]:
        """Return the results of cells through the ledger, computed by one worker process.

        Raises
        ------
        PhysicsError
            If one of them fails, with its cause, or the time limit comes first.
        """
        assert self.ledger is not None, "only labels of a ledger are kept"
        try:
            rows = label_cells(
                [tagged(cell, "physics", "physics") for cell in cells],
                self.labeller,
                self.ledger,
                effort=self._effort_left(),
                log=self.log,
                say=self.say,
            )
        except TimeLimitError as error:
            raise PhysicsError(f"not computed: {error}") from error
        for row in rows:
            if row.calc is None:
                raise PhysicsError(f"no energy: {row.info['cause']}")
        return [{**row.calc.results, "energy": row.calc.results["free_energy"]} for row in rows]

    def _effort_left(self) -> Effort:
        """Return the effort with what is left of its time limit; zero would be no limit."""
        if not self.effort.time_limit:
            return self.effort
        left = self.effort.time_limit - (time.monotonic() - self.start)
        return replace(self.effort, time_limit=max(left, SHORTEST))


def for_strains(calculator: Calculator, atoms: Atoms) -> Calculator:
    """Return the calculator for stresses of small strains of a cell: smooth ones."""
    strained = getattr(calculator, "strained", None)
    return calculator if strained is None else strained(atoms)


def energies_of(cells: Sequence[Atoms], calculator: Calculator) -> np.ndarray:
    """Return the energies (eV) of cells; see `energy_of`. A labeller labels them together."""
    if not isinstance(calculator, LabellerCalculator) or calculator.ledger is None:
        return np.array([energy_of(cell, calculator) for cell in cells])
    labels = calculator.label_all(cells)
    for label in labels:
        check_forces(label["energy"], label["forces"])
    return np.array([label["energy"] for label in labels])


def energy_of(atoms: Atoms, calculator: Calculator) -> float:
    """Return the energy (eV) of a cell.

    Raises
    ------
    PhysicsError
        If the potential gives no number, or forces beyond 10,000 eV/Å.
    """
    cell = atoms.copy()
    cell.calc = calculator
    energy = float(cell.get_potential_energy())
    check_forces(energy, cell.get_forces())
    return energy


def check_forces(energy: float, forces: np.ndarray) -> None:
    """Refuse energies and forces that no relaxation can go on from.

    Raises
    ------
    PhysicsError
        If one is not finite, or a force is larger than 10,000 eV/Å.
    """
    if not (np.isfinite(energy) and np.isfinite(forces).all()):
        raise PhysicsError("the potential explodes: energy or forces are not finite")
    largest = float(np.abs(forces).max())
    if largest > LARGEST:
        raise PhysicsError(f"the potential explodes: a force of {largest:.2g} eV/Å")
