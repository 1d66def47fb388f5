"""Cells labelled side by side in worker processes, which may crash, hang or be killed.

What counts as what:

- The calculator crashes (a signal for what the process itself did, such as SIGSEGV, or it exits):
  the cell is tried once more, and has failed if that ends in a crash as well.
- The cell is at it longer than the timeout: it has failed under this limit.
- The worker is ended from outside (any other signal, as SIGKILL when memory runs out), or memory,
  disk or open files ran out: that says nothing of the cell. It is tried twice more, after the
  others; then `LostCellsError` is raised, once all other cells are done.
- What decides a label is no longer what it was when the run began, as every answer and every crash
  tells: the run stops, and nothing of that cell is recorded.
- No calculator can be made at all, or a worker crashes before its first cell: the run stops, since
  every cell would fail in the same way.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from ase import Atoms

from diverse.labels.labellers import Labeller, LabellerError
from diverse.labels.labellers.worker import Answer, Outcome, protocol_now
from diverse.labels.process import End, Guard, Process

Job = tuple[Atoms, Path]

CRASHES = 2  # of a cell, after which it has failed
ENDS = 3  # from outside, after which a cell, or a worker that does not get to its cell, is given up
START = 600.0  # s, for a worker to import its calculator and make one, at least
GLANCE = 0.1  # s, after which a worker that died without a word is noticed
CHANGED = (
    "what decides a label changed while cells were labelled, or is gone (the factory's module, a "
    "file that it or an option names, a package): nothing is recorded of the cells in flight. Put "
    "it back, or leave it as it is now, and run the same command again. If this comes back, the "
    "calculator itself writes such a file: give that a name that ends in .txt or .log"
)


class WorkerError(RuntimeError):
    """Workers cannot work: the message says why and what to do."""


class LostCellsError(WorkerError):
    """The machine, not the calculator, kept cells from being labelled; nothing is recorded."""


@dataclass(frozen=True)
class Effort:
    """Resources that cells are labelled with; nothing here changes a label.

    Attributes
    ----------
    workers : int
        Cells labelled at the same time.
    cores_per_cell : int
        Threads that a calculator may use, or MPI processes if there is a launcher.
    timeout : float, s
        Time after which a cell has failed and its worker is killed.
    time_limit : float, s
        No cell is begun that would, taking as long as the longest so far, end after this; 0 for
        no limit.
    launcher : str
        Command that starts MPI processes, such as ``mpiexec``; of GPAW alone.
    """

    workers: int = 1
    cores_per_cell: int = 1
    timeout: float = 7200.0
    time_limit: float = 0.0
    launcher: str = ""


def outcomes(
    jobs: Sequence[Job], labeller: Labeller, effort: Effort
) -> Iterator[tuple[int, Outcome]]:
    """Run jobs on workers; yield their numbers and outcomes as they come.

    Ends early, without an outcome for the jobs that are left, when the time limit comes.

    Raises
    ------
    LabellerError
        If the labeller cannot label anything.
    WorkerError
        If workers do not start; `LostCellsError` in the end if cells were lost.
    """
    if not jobs:
        return
    start, longest = time.monotonic(), 0.0
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    tries, guard = _Tries(len(jobs)), Guard(mark)
    count = min(effort.workers, len(jobs))
    workers = [_Worker(labeller, effort, f"{mark}.{place}") for place in range(count)]
    try:
        while True:
            limit = effort.time_limit - longest if effort.time_limit else float("inf")
            for worker in workers:
                if tries.waiting and worker.job is None and time.monotonic() - start < limit:
                    number = tries.waiting.popleft()
                    worker.take(number, jobs[number])
            busy = [worker for worker in workers if worker.job is not None]
            if not busy:
                break
            for number, event in _collect(busy):
                outcome = tries.judge(number, event)
                if outcome is not None:
                    longest = max(longest, outcome.wall)
                    yield number, outcome
    finally:
        for worker in workers:
            worker.dismiss()
        for worker in workers:
            worker.end()
        guard.close()
    if tries.lost:
        raise LostCellsError(_loss(jobs, tries.lost))


def _collect(busy: Sequence[_Worker]) -> Iterator[tuple[int, Outcome | _Ended]]:
    """Wait until a worker answers, dies or has used up its time; yield what came of it."""
    patience = min(worker.deadline for worker in busy) - time.monotonic()
    ready = wait([worker.answers for worker in busy], min(max(patience, 0), GLANCE))
    for worker in busy:
        assert worker.job is not None
        number, event = worker.job, worker.look(ready=worker.answers in ready)
        if event is not None:
            yield number, event


@dataclass(frozen=True)
class _Ended:
    """The end of a worker over a cell, and how long (s) it was at it."""

    end: End
    wall: float


class _Tries:
    """Numbers of the jobs that wait, and how often each was given up."""

    def __init__(self, jobs: int) -> None:
        self.waiting = deque(range(jobs))
        self.lost: dict[int, list[str]] = {}
        self._crashes: dict[int, list[str]] = defaultdict(list)
        self._ends: dict[int, list[str]] = defaultdict(list)

    def judge(self, number: int, event: Outcome | _Ended) -> Outcome | None:
        """Return the outcome of a job; None if it is to be tried again, or is lost."""
        crashes, ends = self._crashes[number], self._ends[number]
        if isinstance(event, Outcome) and not event.outside:
            return replace(event, attempts=event.attempts + len(crashes))
        if isinstance(event, _Ended) and event.end.crash:
            crashes.append(event.end.reason)
            if len(crashes) == CRASHES:
                reasons = ", then ".join(dict.fromkeys(crashes))
                cause = f"the labeller crashed twice ({reasons})"
                return Outcome(None, cause, len(crashes), event.wall, event.wall)
        else:
            ends.append(event.cause if isinstance(event, Outcome) else event.end.reason)
            if len(ends) == ENDS:
                self.lost[number] = ends
                return None
        self.waiting.append(number)
        return None


class _Worker:
    """One worker and the number of the job it is at; its process is started again when it died."""

    def __init__(self, labeller: Labeller, effort: Effort, mark: str) -> None:
        self._labeller, self._effort, self._mark = labeller, effort, mark
        self.job: int | None = None
        self._parcel: Job | None = None
        self._ends: list[str] = []  # of its processes before their first cell, without a break
        self._start()

    @property
    def deadline(self) -> float:
        patience = self._effort.timeout
        return self._since + (patience if self._greeted else max(patience, START))

    def take(self, number: int, job: Job) -> None:
        """Begin a job, as soon as the process is ready."""
        self.job, self._parcel = number, job
        if not self._process.is_alive():
            self._process.kill()
            self._start()
        elif self._greeted:
            self._send()

    def look(self, *, ready: bool) -> Outcome | _Ended | None:
        """Return what came of the job since the last look; None if it is not over.

        A message of another process, or of another job, is none.
        """
        if ready or not self._process.is_alive():
            message = self._process.receive()
            if isinstance(message, End):
                return self._over(message)
            if not self._greeted:
                self._greet(message)
            elif (message.process, message.job) == (self._process.number, self.job):
                self._check(message.protocol)
                self.job = None
                return message.outcome
        elif time.monotonic() >= self.deadline:
            return self._give_up()
        return None

    def kill(self) -> None:
        self._process.kill()

    def dismiss(self) -> None:
        """Let the process end if it is between jobs, or else kill it."""
        if self.job is None and self._greeted:
            self._process.dismiss()
        else:
            self.kill()

    def end(self) -> None:
        self._process.end()

    @property
    def answers(self) -> Connection:
        return self._process.answers

    def _start(self) -> None:
        effort = self._effort
        self._process = Process(self._labeller, effort.cores_per_cell, self._mark, effort.launcher)
        self._greeted, self._since = False, time.monotonic()

    def _send(self) -> None:
        assert self._parcel is not None
        self._process.send((self.job, *self._parcel))
        self._since = time.monotonic()

    def _greet(self, message: Answer) -> None:
        if message.refusal:
            raise LabellerError(
                f"{message.refusal}; no cell can be labelled, and nothing is recorded of any"
            )
        self._check(message.protocol)
        self._greeted, self._ends = True, []
        self._send()

    def _check(self, protocol: str) -> None:
        if protocol != self._labeller.protocol:
            raise WorkerError(CHANGED)

    def _over(self, end: End) -> _Ended | None:
        """Say how the process ended over its job; before the job it is only started again."""
        if self._greeted:
            if end.crash:
                self._check(protocol_now(self._labeller))
            self.job = None
            return _Ended(end, time.monotonic() - self._since)
        self._ends.append(end.reason)
        if end.crash or len(self._ends) == ENDS:
            raise WorkerError(
                f"a labelling process could not start ({', '.join(self._ends)}); its message is "
                "above"
            )
        self._start()
        return None

    def _give_up(self) -> Outcome:
        """Kill the process, which had its time."""
        self.kill()
        if not self._greeted:
            waited = time.monotonic() - self._since
            raise WorkerError(
                f"a labelling process was not ready after {waited:.0f} s: the calculator takes too "
                "long to import or to make"
            )
        self._check(protocol_now(self._labeller))
        wall, self.job = time.monotonic() - self._since, None
        cause = f"no label within {self._effort.timeout:g} s"
        return Outcome(None, cause, 1, wall, wall, timeout=self._effort.timeout)


def _loss(jobs: Sequence[Job], lost: dict[int, list[str]]) -> str:
    names = [str(jobs[number][0].info.get("trajectory", number + 1)) for number in lost]
    first = next(iter(lost.values()))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"{len(lost)} of {len(jobs)} cells are not labelled ({', '.join(names[:3])}{more}): their "
        f"workers were ended from outside {len(first)} times ({', '.join(dict.fromkeys(first))}), "
        "most likely because memory ran out or a limit of the machine was reached. Nothing is "
        "recorded of these cells; give the job more memory (--set-resources "
        "label_chunk:mem_mb=...) or label fewer cells side by side (--set-threads label_chunk=1), "
        "and run the same command again"
    )
