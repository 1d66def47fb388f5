"""Log of a labelling job: where and when it ran, what it took, read again by those who watch."""

from __future__ import annotations

import os
import platform
import re
import resource
from dataclasses import dataclass
from datetime import UTC, datetime

STARTED = re.compile(r"^on (\S+) with (\d+) cores since ([^\s,]+)", re.M)
LABELLED = re.compile(r" atoms, ([\d.]+) core s, attempts ")


@dataclass(frozen=True)
class Job:
    """One labelling job, as its log tells.

    Attributes
    ----------
    node : str
    cores : int
    start : datetime
    seconds : float
        Core seconds of the cells that it has labelled so far.
    """

    node: str
    cores: int
    start: datetime
    seconds: float

    def speed(self, now: datetime) -> float:
        """Return core seconds labelled a second; the cores until the first cell is done."""
        elapsed = max((now - self.start).total_seconds(), 1.0)
        return self.seconds / elapsed if self.seconds else float(self.cores)


def start_line(cores: int, request: str = "") -> str:
    """Return what a job begins its log with: node, cores, time and, on Slurm, its number.

    Parameters
    ----------
    cores : int
    request : str
        What the job asked for (`diverse.study.requests.request_line`).
    """
    number = os.environ.get("SLURM_JOB_ID")
    node = os.environ.get("SLURMD_NODENAME", platform.node())
    time = datetime.now(UTC).isoformat(timespec="seconds")
    own = [f"Slurm job {number}"] if number else []
    parts = [f"on {node} with {cores} cores since {time}", *own, *([request] if request else [])]
    return ", ".join(parts)


def end_line() -> str:
    """Return the line that a job ends its log with: core seconds and peak memory of its workers."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return f"workers took {seconds:.0f} core s, the largest {memory:.0f} MiB"


def read_job(log: str) -> Job | None:
    """Return the job that wrote a log last; None if it has not begun."""
    starts = list(STARTED.finditer(log))
    if not starts:
        return None
    node, cores, time = starts[-1].groups()
    seconds = sum(map(float, LABELLED.findall(log[starts[-1].end() :])))
    return Job(node, int(cores), datetime.fromisoformat(time), seconds)
