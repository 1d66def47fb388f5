"""A process that labels the cells it is sent: what kills or hangs it costs one cell.

Jobs come through what was standard input, answers leave through what was standard output, both
pickled; anything that a calculator prints goes to standard error, and what it reads is empty.
"""

from __future__ import annotations

import ctypes
import errno
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

from diverse.labels.labellers import Label, LabelError, Labeller, LabellerError
from diverse.labels.labellers.factory import forget_packages

LONGEST = 2000  # characters of a cause that are kept
# Errors of the operating system that are the machine's: memory, disk, open files, broken mounts.
MACHINE = {
    getattr(errno, name)
    for name in ("ENOMEM", "ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "EIO", "ESTALE", "EROFS")
    if hasattr(errno, name)
}


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
    timeout : float, s
        Limit under which the cell failed, if that is its cause; else 0.
    outside : bool
        Whether the cause is the machine's and not the cell's: memory or disk ran out.
    """

    label: Label | None
    cause: str
    attempts: int
    seconds: float
    wall: float
    timeout: float = 0.0
    outside: bool = False


@dataclass(frozen=True)
class Answer:
    """Message of a worker.

    Attributes
    ----------
    process : int
        Of the worker; a process that a calculator forked is none.
    job : int or None
        Number of the job that `outcome` is of; None in the first message.
    outcome : Outcome or None
    protocol : str
        Of the labeller, as files and packages are when the message is sent; empty if it can no
        longer be told.
    refusal : str
        Sentence why no cell can be labelled, in the first message.
    """

    process: int
    job: int | None = None
    outcome: Outcome | None = None
    protocol: str = ""
    refusal: str = ""


def try_to_label(labeller: Labeller, atoms: Atoms, log: Path) -> Outcome:
    """Label one cell; whatever goes wrong in Python is a cause."""
    wall, core = time.perf_counter(), time.process_time()
    label, cause, attempts = None, "", 1
    fault: BaseException | None = None
    try:
        label = labeller.label(atoms, log)
        attempts = label.attempts
    except LabelError as error:
        cause, attempts, fault = str(error), error.attempts, error
    except LabellerError as error:
        cause, fault = str(error), error
    except BaseException as error:  # a calculator's fault must not cost the other cells
        traceback.print_exc()
        cause, fault = traceback.format_exception_only(error)[-1].strip(), error
    if len(cause) > LONGEST:
        cause = f"{cause[:LONGEST]} ... ({len(cause) - LONGEST} characters more)"
    seconds = time.process_time() - core + (label.seconds if label else 0.0)
    wall = time.perf_counter() - wall
    return Outcome(label, cause, attempts, seconds, wall, outside=_is_the_machines(fault))


def main(parent: int) -> None:
    """Take the labeller, which comes first, say so, then label cell after cell."""
    _die_with(parent)
    stay_nice()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # from outside it ends the process, as others do
    process, home = os.getpid(), Path.cwd()
    jobs, answers = _take_standard_streams()
    with suppress(EOFError, BrokenPipeError):  # the parent is gone
        labeller = replace(jobs.recv())  # a copy that computes its own provenance
        try:
            labeller.prepare()
            answers.send(Answer(process, protocol=labeller.protocol))
        except LabellerError as error:
            answers.send(Answer(process, refusal=str(error)))
            return
        read = False  # whether the calculator holds what it reads of files
        while True:
            number, atoms, log = jobs.recv()
            outcome = try_to_label(labeller, atoms, log)
            if os.getpid() != process:  # a process that the calculator forked came back here
                os._exit(0)
            os.chdir(home)  # where paths in options start
            in_memory = outcome.label is not None and read and labeller.reads_once()
            protocol = labeller.protocol if in_memory else protocol_now(labeller, outcome)
            read = outcome.label is not None
            answers.send(Answer(process, number, outcome, protocol))


def protocol_now(labeller: Labeller, outcome: Outcome | None = None) -> str:
    """Return the protocol of a labeller as files and packages are now.

    Empty if it can no longer be told. An outcome that is the machine's fault becomes no row: the
    labeller's known protocol stands for the one of now.
    """
    if outcome is not None and outcome.outside:
        return labeller.protocol
    if outcome is None or outcome.label is None:
        forget_packages()  # one that is gone may be the cause
    try:
        return replace(labeller).protocol
    except Exception:  # an environment that is gone fails in any way
        return ""


def stay_nice() -> None:
    """Give this session the niceness of its process.

    A worker has a session of its own, and Linux shares out processors among sessions first
    (``/proc/self/autogroup``): without this, labelling under ``nice`` takes a full share.
    """
    with suppress(OSError):  # no such file, or not ours to write
        if (niceness := os.nice(0)) > 0:
            Path("/proc/self/autogroup").write_text(str(niceness))


def _take_standard_streams() -> tuple[Connection, Connection]:
    """Return the connections to the parent; a calculator finds nothing of them in its place."""
    jobs = Connection(os.dup(0), writable=False)
    answers = Connection(os.dup(1), readable=False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, answers


def _is_the_machines(error: BaseException | None) -> bool:
    """Return whether memory, disk or files ran out, here or in what the error came of."""
    if error is None:
        return False
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in MACHINE):
        return True
    return _is_the_machines(error.__cause__)


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies: a hung calculator would live on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)
