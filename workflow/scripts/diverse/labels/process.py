"""One worker process, seen from outside: started, fed, watched, and killed with its family."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from diverse.labels import family
from diverse.labels.labellers import Labeller
from diverse.labels.labellers.parallel import LAUNCHER, with_processes
from diverse.labels.labellers.worker import Answer

# Signals that a process gets for what it did itself. Every other one, SIGKILL and SIGTERM first of
# all, is sent by somebody: the kernel that has no memory left, a queue at its limit, a person.
OWN_SIGNALS = {
    *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGSYS),
    *(signal.SIGTRAP, signal.SIGPIPE, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF),
}
LARGEST = 1 << 28  # bytes of an answer: text of a calculator would read as a longer one
GRACE = 1.0  # s, for a process that has closed its connection to end
FAREWELL = 10.0  # s, for a process without further cells to give back what it holds, and end
COMMAND = "from diverse.labels.labellers.worker import main; main({})"


@dataclass(frozen=True)
class End:
    """End of a worker process.

    Attributes
    ----------
    reason : str
        Name of the signal, or the exit status.
    crash : bool
        Whether the process ended by itself (an exit status, a signal of `OWN_SIGNALS`); if not, it
        was ended from outside, and the cell it was at is not to blame.
    """

    reason: str
    crash: bool


def end_of(status: int) -> End:
    """Return how a process ended, from its return code: negative for a signal."""
    if status >= 0:
        return End(f"exit status {status}", crash=True)
    try:
        name = signal.Signals(-status).name
    except ValueError:  # real-time signals but the first and the last
        name = f"signal {-status}"
    return End(name, crash=-status in OWN_SIGNALS)


class Process:
    """A running worker that was given its labeller.

    Parameters
    ----------
    labeller : Labeller
    cores : int
        Threads that a calculator may use.
    mark : str
        Of the worker and of all that its calculator starts (`diverse.labels.family`).
    launcher : str
        Command that starts as many MPI processes instead of threads (`labellers.parallel`).
    """

    def __init__(self, labeller: Labeller, cores: int, mark: str, launcher: str = "") -> None:
        self._mark = mark
        number = "1" if launcher else str(cores)
        threads = {"OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number}
        threads[LAUNCHER] = with_processes(launcher, cores)
        path = {"PYTHONPATH": os.pathsep.join(sys.path), family.MARK: mark}
        jobs, answers = os.pipe(), os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", COMMAND.format(os.getpid())],
            stdin=jobs[0],
            stdout=answers[1],
            env={**os.environ, **path, **threads},
            start_new_session=True,  # a signal to the process group of a worker is its own
        )
        os.close(jobs[0])
        os.close(answers[1])
        self._jobs = Connection(jobs[1], readable=False)
        self.answers = Connection(answers[0], writable=False)
        self.send(labeller)

    @property
    def number(self) -> int:
        """Number that the system gave the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether the process has not ended."""
        return self._process.poll() is None

    def send(self, message: Any) -> None:
        """Send a message; one to a process that is dead is lost, as `receive` will tell."""
        with suppress(BrokenPipeError):
            self._jobs.send(message)

    def receive(self) -> Answer | End:
        """Take what the process answered; without an answer it has ended, or is made to end."""
        try:
            if self.is_alive() or self.answers.poll():
                answer = pickle.loads(self.answers.recv_bytes(LARGEST))
                if isinstance(answer, Answer):
                    return answer
        except EOFError:  # it has ended, or is about to
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        except Exception:  # what a calculator wrote into the connection can be anything
            self.kill()
            return End("its connection broke", crash=True)
        status = self._process.poll()
        self.kill()
        return End("its connection broke", crash=True) if status is None else end_of(status)

    def dismiss(self) -> None:
        """Tell a process that waits for a cell that none will come, so that it ends."""
        self._jobs.close()

    def end(self) -> None:
        """Wait for a dismissed process to end, or kill it; kill all that its calculator started.

        A process that is killed gives nothing back, such as temporary files of its calculator. The
        shared memory of MPI is unlinked while it runs (`lammps_library.release_shared_memory`).
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(FAREWELL)
        self.kill()

    def kill(self) -> None:
        """Kill the process and everything that its calculator started."""
        if self.is_alive():  # or else the number may be another's by now
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        family.kill_family(self._mark)


class Guard:
    """A process that kills every worker's family when this process ends in whatever way."""

    def __init__(self, mark: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", family.__file__, mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def close(self) -> None:
        """Let it kill what is left, and wait until it has."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
