"""Say where the labels of a study stand, while it runs and from any machine that sees its files.

python -m diverse.study.progress results/STUDY

Nothing is written and no lock is taken: what is told stands in the study's configuration, its
structures, ledgers and logs.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from diverse.labels.chunk_log import Job, read_job
from diverse.labels.ledger.text import read_bytes, scan
from diverse.structures import cell_sizes
from diverse.study.rounds import chunks_made

Config = dict[str, Any]

QUIET = 60.0  # minutes without a new row, after which a chunk does not count as running
FACTS = re.compile(rb"^(\d+)\n.*?\bstatus=(\w+)", re.S)
SECONDS = re.compile(rb"\bseconds=([\d.e+-]+)")


@dataclass
class Progress:
    """Labels of one data set: how many there are, and what they took.

    Attributes
    ----------
    chunks, made, done : int
        All of them; those whose structures are there; those whose labels are.
    cells, atoms : int
        Of the structures that are there.
    labelled, failed, labelled_atoms : int
        Cells with a label, cells that failed, atoms of both.
    seconds, own_atoms : float, int
        Core seconds in the study's own ledgers and what they were spent on; released labels cost
        nothing.
    running : list of Job
    """

    chunks: int
    made: int = 0
    done: int = 0
    cells: int = 0
    atoms: int = 0
    labelled: int = 0
    failed: int = 0
    labelled_atoms: int = 0
    seconds: float = 0.0
    own_atoms: int = 0
    running: list[Job] = field(default_factory=list)

    @property
    def all_atoms(self) -> float:
        """Atoms of the whole data set, its other chunks taken to be like those that are there."""
        return self.atoms / self.made * self.chunks if self.made else float("nan")


def progress(folder: Path, study: Config, quiet: float = QUIET) -> dict[str, Progress]:
    """Return where every data set stands that is labelled.

    Parameters
    ----------
    folder : Path
        Results of the study.
    study : dict
        Its configuration with its defaults.
    quiet : float, minutes
        Time without a new row after which a chunk does not count as running.
    """
    found = {}
    for name, dataset in study["datasets"].items():
        if dataset.get("labels") == "keep":
            continue
        found[name] = own = Progress(len(chunks_made(dataset)))
        for chunk in chunks_made(dataset):
            _count(folder, f"{name}/{chunk}", own, quiet)
    return found


def _count(folder: Path, chunk: str, own: Progress, quiet: float) -> None:
    """Add what is there of one chunk."""
    structures, ledger = folder / f"structures/{chunk}.xyz", folder / f"ledger/{chunk}.xyz"
    labels, log = folder / f"labels/{chunk}.xyz", folder / f"logs/label_chunk/{chunk}.log"
    if structures.exists():
        sizes = cell_sizes(structures)
        own.made += 1
        own.cells += len(sizes)
        own.atoms += sum(sizes)
    for atoms, _, seconds in _rows(ledger):
        own.seconds += seconds
        own.own_atoms += atoms
    own.done += labels.exists()
    for atoms, status, _ in _rows(labels if labels.exists() else ledger):
        own.labelled += status != "failed"
        own.failed += status == "failed"
        own.labelled_atoms += atoms
    if log.exists() and not labels.exists() and time.time() - log.stat().st_mtime < 60 * quiet:
        job = read_job(log.read_text())
        own.running += [job] if job else []


def _rows(path: Path) -> Iterator[tuple[int, str, float]]:
    """Yield atoms, status and core seconds of every whole row; nobody waits for the writer."""
    for row in scan(read_bytes(path)).rows.values():
        facts, seconds = FACTS.match(row), SECONDS.search(row)
        assert facts is not None
        yield int(facts[1]), facts[2].decode(), float(seconds[1]) if seconds else 0.0


def left(own: Progress, others: dict[str, Progress]) -> float:
    """Return core seconds that are left: atoms left at the time an atom took so far.

    Where a data set has spent nothing yet, an atom costs what it costs in all sets together; NaN
    where nothing is known.
    """
    known = own if own.own_atoms else _sum(others)
    if not known.own_atoms:
        return 0.0 if own.all_atoms == own.labelled_atoms else float("nan")
    return max(0.0, own.all_atoms - own.labelled_atoms) * known.seconds / known.own_atoms


def _sum(sets: dict[str, Progress]) -> Progress:
    own = sets.values()
    return Progress(0, seconds=sum(s.seconds for s in own), own_atoms=sum(s.own_atoms for s in own))


def tell(sets: dict[str, Progress], now: datetime) -> str:
    """Return where a study stands as text: a line a data set, and when it will be labelled."""
    lines = [
        {
            "data set": name,
            "chunks": f"{own.done}/{own.chunks}",
            "running": len(own.running),
            "cells": own.cells,
            "labelled": own.labelled,
            "failed": own.failed,
            "core-hours": f"{own.seconds / 3600:.2f}",
            "left": f"{left(own, sets) / 3600:.2f}",
        }
        for name, own in sets.items()
    ]
    running = [job for own in sets.values() for job in own.running]
    speed = sum(job.speed(now) for job in running)
    hours = sum(left(own, sets) for own in sets.values()) / 3600
    table = pd.DataFrame(lines).to_string(index=False)
    if not running:
        return f"{table}\n\nNo chunk is running; {hours:.2f} core-hours are left."
    nodes = ", ".join(sorted({job.node for job in running}))
    return (
        f"{table}\n\n{len(running)} chunks are running on {nodes}; {hours:.2f} core-hours are "
        f"left, {hours / speed:.2f} hours at the speed of these chunks ({speed:.1f} cores)."
    )


def main() -> None:
    """Print where the study of a folder stands."""
    parser = argparse.ArgumentParser(
        prog="python -m diverse.study.progress",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="results of the study, such as results/paper")
    quiet = "minutes without a line in its log, after which a chunk does not count as running"
    parser.add_argument("--quiet", type=float, default=QUIET, help=quiet)
    options = parser.parse_args()
    config = options.folder / "config.yaml"
    if not config.is_file():
        parser.error(
            f"there is no file {config}: name the folder of a study that was begun, such as "
            "results/tungsten"
        )
    study = yaml.safe_load(config.read_text())
    print(tell(progress(options.folder, study, options.quiet), datetime.now(UTC)))


if __name__ == "__main__":
    main()
