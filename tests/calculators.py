"""Calculators for tests of labelling: fast and exact, or faulty on chosen cells.

They are made through the `ase` labeller, so they run in its worker processes.
"""

import os
import signal
import time

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, SCFError, all_changes


class Spring(Calculator):
    """E = k/2 sum |r|^2: no physics, but every number follows from the positions.

    `faults` says what happens in a cell with so many atoms, `delay` how long (s) each cell takes;
    every call is noted in the file `calls`: first coordinate and time.
    """

    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def __init__(
        self, k: float = 1.0, faults: dict | None = None, delay: float = 0.0, calls: str = ""
    ) -> None:
        super().__init__()
        self.k, self.faults, self.delay, self.calls = k, faults or {}, delay, calls

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self._note()
        time.sleep(self.delay)
        fault = self.faults.get(str(len(self.atoms)))
        if fault:
            FAULTS[fault]()
        r = self.atoms.positions
        energy = 0.5 * self.k * float((r**2).sum())
        self.results = {
            "energy": float("nan") if fault == "nan" else energy,
            "free_energy": energy,
            "forces": -self.k * r,
            "stress": np.full(6, energy / self.atoms.get_volume()),
        }

    def _note(self) -> None:
        if self.calls:
            with open(self.calls, "a") as file:
                file.write(f"{self.atoms.positions[0, 0]:.6f} {time.monotonic():.3f}\n")


def refuse() -> None:
    raise SCFError("it never converges")


FAULTS = {
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda: os._exit(3),
    "hang": lambda: time.sleep(1000),
    "nan": lambda: None,
    "refuse": refuse,
}


def spring(**options) -> Spring:
    return Spring(**options)


def chain(n_atoms: int, index: int = 0) -> Atoms:
    """`n_atoms` atoms 2.5 Å apart in a row, its first one at a place that `index` decides."""
    x = 0.01 * index + 2.5 * np.arange(n_atoms)
    atoms = Atoms("W" * n_atoms, positions=np.outer(x, [1, 0, 0]), cell=[2.5 * n_atoms, 9, 9])
    atoms.pbc = True
    atoms.info.update(config_type="chain", trajectory=f"chain_{n_atoms}_{index}", dataset="test")
    return atoms
