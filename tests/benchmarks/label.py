"""Time spent outside the calculator while a chunk is labelled, from reading it to its ledger.

    ./envs/run python tests/benchmarks/label.py [--workers 1] [--cells 12]

Labels cells of 4 atoms with GPAW at a coarse protocol (about 3 s a cell; real ones take ten times
as long, which only lowers the overhead). The last line is the part of the workers' time that was
not spent inside the calculator, starting the worker processes included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.labels import chunk
from diverse.labels.labellers import make_labeller
from diverse.labels.labellers.worker import Outcome
from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort, outcomes
from diverse.structures import tagged
from diverse.study.check import load_study

ROOT = Path(__file__).parents[2]
STUDY = {
    "study": "benchmark",
    "element": "W",
    "lattice": {"structure": "bcc", "a": 3.165},
    "labeller": "dft",
    "labellers": {"dft": {"kind": "gpaw", "kpoint_density": {"1000": 2.0}}},
    "datasets": {"random": {"family": "random", "cells": 1}},
    "models": {"linear": {"family": "linear", "twojmax": 2}},
}


def cells(number: int) -> list[Atoms]:
    """Return displaced cells of four atoms."""
    made = []
    for index in range(number):
        atoms = bulk("W", cubic=True, a=3.165).repeat((2, 1, 1))
        atoms.rattle(0.15, seed=index)
        made.append(tagged(atoms, "thermal", f"thermal_{index}"))
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cells", type=int, default=12)
    options = parser.parse_args()
    study = load_study(STUDY, str(ROOT / "workflow/schemas/study.schema.yaml"))
    labeller = make_labeller({"element": "W", **study["labellers"]["dft"]})
    inside: list[float] = []

    def watch(*arguments: Any) -> Iterator[tuple[int, Outcome]]:
        for number, outcome in outcomes(*arguments):
            inside.append(outcome.wall)
            yield number, outcome

    chunk.outcomes = watch
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        chunk.label_cells(
            cells(options.cells),
            labeller,
            Ledger(Path(folder, "ledger.xyz")),
            effort=Effort(workers=options.workers),
            log=Path(folder, "log"),
            say=print,
        )
        wall = time.perf_counter() - start
    print(
        f"{options.cells} cells, {wall:.1f} s; {np.median(inside):.2f} s a cell in the calculator"
    )
    print(f"overhead={1 - sum(inside) / (wall * options.workers):.4f}")


if __name__ == "__main__":
    main()
