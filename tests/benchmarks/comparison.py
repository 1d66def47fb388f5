"""Rates of this repository beside those of its peers: the rows that every benchmark writes."""

import datetime
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil


@dataclass(frozen=True)
class Comparison:
    """Two rates of the same work, measured in turns.

    Attributes
    ----------
    name : str
        Name of the row.
    work : str
        What was done, in words.
    peer : str
        What did the same work.
    unit : str
        Unit of both rates.
    ours, theirs : float
    target : float, optional
        Smallest ratio that is aimed at.
    """

    name: str
    work: str
    peer: str
    unit: str
    ours: float
    theirs: float
    target: float | None = None


class Run:
    """One run of a benchmark: when and where it took place, and what else the machine did."""

    def __init__(self) -> None:
        self._start = _busy()

    def write(self, path: Path | None, comparisons: Sequence[Comparison], **facts: str) -> None:
        """Write a row a comparison as CSV, with facts about the run; nothing without a path.

        ``load`` is how many cores other programs kept busy on average while the benchmark ran.
        """
        if path is None:
            return
        wall, every, own = (now - then for now, then in zip(_busy(), self._start, strict=True))
        table = pd.DataFrame([vars(comparison) for comparison in comparisons])
        table.insert(6, "ratio", table["ours"] / table["theirs"])
        table = table.assign(
            processor=cpu(),
            load=round(max(0.0, every - own) / wall, 1),
            date=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
            **facts,
        )
        table.to_csv(path, index=False, float_format="%.6g")


def cpu() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _busy() -> tuple[float, float, float]:
    """Return seconds: of the clock, of the cores while they worked, and those worked for us."""
    times, own = psutil.cpu_times(), os.times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # in user time, too
    return own.elapsed, sum(times) - idle - guest, sum(own[:4])
