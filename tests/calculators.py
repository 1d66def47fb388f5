"""Calculators for tests of labelling: fast and exact, or faulty on chosen cells.

They are made through the `ase` labeller, so they run in its worker processes.
"""

import atexit
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, SCFError, all_changes


class Spring(Calculator):
    """E = k/2 sum |r|^2: no physics, but every number follows from the positions.

    `constant` names a file that k stands in instead, read at every cell.
    `faults` says what happens in a cell with so many atoms, `strikes` in how many calls of it,
    `delay` how long (s) each cell takes; every call is noted in the file `calls`: first coordinate
    and time; names of what a cell holds in the file `seen`. Without `stress` it has none.
    """

    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def __init__(
        self,
        k: float = 1.0,
        faults: dict | None = None,
        delay: float = 0.0,
        calls: str = "",
        strikes: int = 1000,
        stress: bool = True,
        constant: str = "",
        seen: str = "",
    ) -> None:
        super().__init__()
        self.k, self.faults, self.delay, self.calls = k, faults or {}, delay, calls
        self.strikes, self.constant, self.seen = strikes, constant, seen
        if not stress:
            self.implemented_properties = ["energy", "free_energy", "forces"]

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        place = f"{self.atoms.positions[0, 0]:.6f}"
        self._note(place)
        time.sleep(self.delay)
        fault = self.faults.get(str(len(self.atoms)))
        if fault and self.calls and Path(self.calls).read_text().count(place) > self.strikes:
            fault = None
        if fault:
            FAULTS[fault]()
        if self.seen:
            names = [sorted(self.atoms.arrays), sorted(self.atoms.info)]
            Path(self.seen).write_text(" | ".join(map(" ".join, names)))
        if self.constant:
            self.k = float(Path(self.constant).read_text())
        r = self.atoms.positions
        energy = 0.5 * self.k * float((r**2).sum())
        self.results = {
            "energy": float("nan") if fault == "nan" else energy,
            "free_energy": energy,
            "forces": -self.k * (r[:1] if fault == "one force" else r),
            "stress": np.full(6, energy / self.atoms.get_volume()),
        }
        if "stress" not in self.implemented_properties:
            del self.results["stress"]

    def _note(self, place: str) -> None:
        if self.calls:
            with open(self.calls, "a") as file:
                file.write(f"{place} {time.monotonic():.3f}\n")


def refuse() -> None:
    raise SCFError("it never converges")


def run_out_of_memory() -> None:
    raise MemoryError("no memory for the charge density")


def interrupt() -> None:
    raise KeyboardInterrupt("by a calculator")


def refuse_in_lines() -> None:
    raise SCFError(f'it never\nconverges\r\n checksum={"0" * 16} key={"0" * 32} \\ "\u2028\udc80')


def read() -> None:
    assert sys.stdin.read() == "" and os.read(0, 10) == b""


def fork() -> None:
    """Come back twice, as a calculator does that forks and forgets to end its child."""
    if os.fork() == 0:
        time.sleep(0.3)  # comes back late, when the worker is at another cell


def write_everywhere() -> None:
    for descriptor in range(256):
        with suppress(OSError):
            os.write(descriptor, b"Iteration 1: converged\n")


def start_child() -> None:
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    forked = os.fork()  # holds everything open that the worker holds
    if forked == 0:
        time.sleep(1000)
    with open("children", "a") as file:
        file.write(f"{child.pid} {forked}\n")


def crash_with_child() -> None:
    start_child()
    os._exit(3)


def hang_with_child() -> None:
    start_child()
    time.sleep(1000)


FAULTS = {
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda: os._exit(3),
    "hang": lambda: time.sleep(1000),
    "nan": lambda: None,
    "refuse": refuse,
    "refuse in lines": refuse_in_lines,
    "one force": lambda: None,
    "move": lambda: os.chdir("/"),
    "interrupt": interrupt,
    "leave": lambda: sys.exit("a licence is missing"),
    "read": read,
    "fork": fork,
    "write everywhere": write_everywhere,
    "close everything": lambda: os.closerange(0, 256),
    "crash with child": crash_with_child,
    "hang with child": hang_with_child,
    "memory": run_out_of_memory,
    "tidy up": lambda: atexit.register(Path("tidy").touch),
    "linger": lambda: atexit.register(time.sleep, 1000),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGINT": lambda: os.kill(os.getpid(), signal.SIGINT),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "signal 40": lambda: os.kill(os.getpid(), 40),
}


def spring(**options) -> Spring:
    return Spring(**options)


def refusing() -> Spring:
    raise FileNotFoundError("no model at /models/w.pt")


def leaving() -> Spring:
    sys.exit(4)


def dying() -> Spring:
    os._exit(5)


def naught() -> float:
    return 3.0


def chain(n_atoms: int, index: int = 0) -> Atoms:
    """`n_atoms` atoms 2.5 Å apart in a row, its first one at a place that `index` decides."""
    x = 0.01 * index + 2.5 * np.arange(n_atoms)
    atoms = Atoms("W" * n_atoms, positions=np.outer(x, [1, 0, 0]), cell=[2.5 * n_atoms, 9, 9])
    atoms.pbc = True
    atoms.info.update(config_type="chain", trajectory=f"chain_{n_atoms}_{index}", dataset="test")
    return atoms
