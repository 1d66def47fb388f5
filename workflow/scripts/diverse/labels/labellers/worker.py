"""A process that labels the cells it is sent: what kills or hangs it costs one cell.

Jobs come through standard input, outcomes leave through what was standard output, both pickled;
anything that a calculator prints goes to standard error.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from ase import Atoms

from diverse.labels.labellers import Label, LabelError, Labeller


@dataclass(frozen=True)
class Outcome:
    """A label, or the cause why there is none.

    Attributes
    ----------
    label : Label or None
    cause : str
        Empty if there is a label.
    attempts : int
    seconds : float
        Core seconds spent.
    wall : float
        Seconds that passed.
    """

    label: Label | None
    cause: str
    attempts: int
    seconds: float
    wall: float


def try_to_label(labeller: Labeller, atoms: Atoms, log: Path) -> Outcome:
    """Label one cell; whatever goes wrong in Python is a cause."""
    wall, core = time.perf_counter(), time.process_time()
    label, cause, attempts = None, "", 1
    try:
        label = labeller.label(atoms, log)
        attempts = label.attempts
    except LabelError as error:
        cause, attempts = str(error), error.attempts
    except Exception as error:  # a fault of the calculator must not cost the other cells
        traceback.print_exc()
        cause = traceback.format_exception_only(error)[-1].strip()
    seconds = time.process_time() - core
    return Outcome(label, cause, attempts, seconds, time.perf_counter() - wall)


def main() -> None:
    """Take the labeller, which comes first, say so, then label cell after cell."""
    _die_with_parent()
    jobs = Connection(os.dup(0), writable=False)
    outcomes = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)
    with suppress(EOFError, BrokenPipeError):  # the parent is gone
        labeller = replace(jobs.recv())
        outcomes.send(labeller.protocol)
        while True:
            atoms, log = jobs.recv()
            outcomes.send(try_to_label(labeller, atoms, log))


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies: a hung calculator would live on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
