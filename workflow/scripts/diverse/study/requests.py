"""Memory and time that jobs ask a cluster for, and the time that Slurm leaves them."""

from __future__ import annotations

import math
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from diverse.labels.labellers import make_labeller
from diverse.structures import cell_sizes
from diverse.study.settings import Config, labeller_options

START_MINUTES = 15.0  # of a job, besides its labels
BASE_MB = 1000.0  # of a worker, besides its wave functions
SPARE = 1.5  # times what is estimated
RESERVE = 0.05  # of the time that is left, in which no cell is begun
LEFT = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)")  # days, hours, minutes, seconds


@dataclass(frozen=True)
class LabelRate:
    """Time and memory that labels of a data set take, as the estimate says.

    The defaults stand where there is no estimate: a chunk then asks for the same whatever its size.

    Attributes
    ----------
    core_minutes : float
        Core minutes an atom; NaN where nothing is known.
    memory_mb : float
        Memory of a core, MB.
    """

    core_minutes: float = math.nan
    memory_mb: float = 2000.0
    fixed_minutes: float = 240.0

    def memory(self, threads: int, attempt: int) -> int:
        """Return the memory (MB) that a job asks for in an attempt: the same for each core."""
        return math.ceil(self.memory_mb) * threads * attempt

    def minutes(self, sizes: list[int], threads: int, attempt: int) -> int:
        """Return the time (min) that a job asks for in an attempt.

        All atoms of the chunk share the cores, and its largest cell, whose atoms cost more in
        proportion to their number, is the last to be begun.

        Parameters
        ----------
        sizes : list of int
            Atoms of every cell of the chunk.
        threads, attempt : int
        """
        if math.isnan(self.core_minutes) or not sizes:
            return math.ceil(self.fixed_minutes * attempt)
        last = max(sizes) ** 2 * len(sizes) / sum(sizes)
        labels = self.core_minutes * (sum(sizes) / threads + last)
        return math.ceil((START_MINUTES + SPARE * labels) * attempt)


def read_label_rates(path: Path, study: Config) -> dict[str, LabelRate]:
    """Return the rates of data sets from the table ``stages.csv`` of the estimate, if it exists.

    A data set that the estimate does not know, or knows with labels of another protocol, is not
    among them and has the default rate.
    """
    if not path.exists():
        return {}
    table = pd.read_csv(path, dtype={"protocol": str}).query("stage == 'label'")
    table = table.reindex(columns=[*table.columns.drop("protocol", errors="ignore"), "protocol"])
    protocols = {name: _protocol(study, name) for name in table["dataset"]}
    table = table[table["protocol"] == table["dataset"].map(protocols)].set_index("dataset")
    hours = table["high"].fillna(table["core_hours"])
    minutes = 60 * hours / table["environments"]
    known = table[minutes.notna() & table["memory_mb"].notna()].index
    return {
        name: LabelRate(minutes[name], BASE_MB + SPARE * table.loc[name, "memory_mb"])
        for name in known
    }


def _protocol(study: Config, dataset: str) -> str | None:
    """Return the protocol of the labels of a data set, or None where the study has no such set."""
    if dataset not in study["datasets"]:
        return None
    return make_labeller(labeller_options(study, dataset)).protocol


def request_minutes(
    rate: LabelRate, cells: str | Path | Iterable[str | Path], threads: int, attempt: int
) -> int:
    """Return the time (min) that the labelling of one or many files of cells asks for."""
    paths = [cells] if isinstance(cells, str | Path) else cells
    sizes = [size for path in paths for size in cell_sizes(path)]
    return rate.minutes(sizes, threads, attempt)


def request_line(resources: Mapping[str, Any]) -> str:
    """Return which attempt a job is and what it asked for; nothing where attempts ask the same.

    Parameters
    ----------
    resources : dict
        Of the job: ``attempt`` (given by profiles/slurm), ``mem_mb`` (MB), ``runtime`` (min).
    """
    attempt = resources.get("attempt")
    if not attempt:
        return ""
    return f"attempt {attempt}: {resources.get('mem_mb')} MB, {resources.get('runtime')} min"


def time_left() -> float:
    """Return the seconds in which this Slurm job should begin cells; 0 outside Slurm.

    That is what Slurm leaves to the job, less a reserve; 0 stands for no limit as well.
    """
    number = os.environ.get("SLURM_JOB_ID")
    if not number:
        return 0.0
    command = ["squeue", "--noheader", "--jobs", number, "--format", "%L"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):  # no squeue on this node
        return 0.0
    return seconds_to_begin(answer)


def seconds_to_begin(left: str) -> float:
    """Return the seconds in which cells should be begun, from the time left as ``squeue`` says it.

    ``1-02:03:04``, ``02:03:04`` and ``03:04`` are times; of anything else, such as ``UNLIMITED``,
    nothing follows, and 0 is returned.
    """
    found = LEFT.fullmatch(left.strip())
    if not found:
        return 0.0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * (1 - RESERVE)
