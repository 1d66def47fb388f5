"""Worker processes: started, fed, and replaced when they die or hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from ase import Atoms

from diverse.labels.labellers import Labeller
from diverse.labels.labellers.worker import Outcome

Job = tuple[Atoms, Path]


@dataclass(frozen=True)
class Effort:
    """Resources that cells are labelled with; nothing here changes a label.

    Attributes
    ----------
    workers : int
        Cells labelled at the same time.
    cores_per_cell : int
        Threads that a calculator may use.
    timeout : float, s
        Time after which a cell has failed and its worker is killed.
    time_limit : float, s
        No cell is begun that would, taking as long as the longest so far, end after this; 0 for
        no limit.
    """

    workers: int = 1
    cores_per_cell: int = 1
    timeout: float = 7200.0
    time_limit: float = 0.0


def outcomes(
    jobs: Sequence[Job], labeller: Labeller, effort: Effort
) -> Iterator[tuple[int, Outcome]]:
    """Run jobs on workers; yield their numbers and outcomes as they come.

    Ends early, without an outcome for the jobs that are left, when the time limit comes.
    """
    start, longest = time.monotonic(), 0.0
    waiting = list(reversed(range(len(jobs))))
    workers = [_Worker(labeller, effort) for _ in range(min(effort.workers, len(jobs)))]
    try:
        while True:
            limit = effort.time_limit - longest if effort.time_limit else float("inf")
            for worker in workers:
                if waiting and worker.job is None and time.monotonic() - start < limit:
                    number = waiting.pop()
                    worker.submit(number, jobs[number])
            busy = [worker for worker in workers if worker.job is not None]
            if not busy:
                return
            for number, outcome in _collect(busy):
                longest = max(longest, outcome.wall)
                yield number, outcome
    finally:
        for worker in workers:
            worker.kill()


def _collect(busy: Sequence[_Worker]) -> Iterator[tuple[int, Outcome]]:
    """Wait until a worker answers, dies or has used up its time; yield what came of it."""
    patience = min(worker.deadline for worker in busy) - time.monotonic()
    ready = wait([worker.outcomes for worker in busy], max(patience, 0))
    for worker in busy:
        if worker.outcomes in ready:
            yield worker.answer()
        elif time.monotonic() >= worker.deadline:
            yield worker.give_up()


class _Worker:
    """One worker process and the number of the job it is at; started again after it died."""

    def __init__(self, labeller: Labeller, effort: Effort) -> None:
        self._labeller, self._effort = labeller, effort
        self.job: int | None = None
        self._submitted = 0.0
        self._start()

    @property
    def deadline(self) -> float:
        return self._submitted + self._effort.timeout

    def submit(self, number: int, job: Job) -> None:
        if self._process.poll() is not None:
            self._start()
        if not self._greeted:
            self._greet()
        self.jobs.send(job)
        self.job, self._submitted = number, time.monotonic()

    def answer(self) -> tuple[int, Outcome]:
        """Take the outcome of the job; a failure if the process died over it."""
        try:
            return self._end(self.outcomes.recv())
        except EOFError:
            status = self._process.wait()
            return self._end(self._failure(f"the labeller crashed ({_reason(status)})"))

    def give_up(self) -> tuple[int, Outcome]:
        """Kill the process, which had its time."""
        self.kill()
        return self._end(self._failure(f"no label within {self._effort.timeout:g} s"))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        cores = str(self._effort.cores_per_cell)
        threads = {"OMP_NUM_THREADS": cores, "OPENBLAS_NUM_THREADS": cores}
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        jobs, results = os.pipe(), os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from diverse.labels.labellers.worker import main; main()"],
            stdin=jobs[0],
            stdout=results[1],
            env={**os.environ, **path, **threads},
        )
        os.close(jobs[0])
        os.close(results[1])
        self.jobs = Connection(jobs[1], readable=False)
        self.outcomes = Connection(results[0], writable=False)
        self._greeted = False

    def _greet(self) -> None:
        """Give the process its labeller and wait until it is ready."""
        self.jobs.send(self._labeller)
        try:
            self.outcomes.recv()
        except EOFError:
            raise RuntimeError(
                "a labelling process could not start; its message is above"
            ) from None
        self._greeted = True

    def _failure(self, cause: str) -> Outcome:
        wall = time.monotonic() - self._submitted
        return Outcome(None, cause, attempts=1, seconds=wall, wall=wall)

    def _end(self, outcome: Outcome) -> tuple[int, Outcome]:
        assert self.job is not None
        number, self.job = self.job, None
        return number, outcome


def _reason(status: int) -> str:
    """Say how a process ended."""
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"
