"""Polynomial fits beside FitSNAP: design rows and solution; run it as a program.

The same labelled cells on both sides: displaced and strained bcc tungsten of 1 to 27 atoms,
energies and forces of the Zhou EAM potential, cutoff 4.734 Å. The sides take turns in one process
of one thread; its processor time is compared, which a busy machine changes least. FitSNAP: its
LAMMPSSNAP calculator and, with ridge 0, its SVD solver (its ridge solver fails on quadratic rows).
Ours: both passes over the cells, and the solution with covariance.
Memory: the peak of a process of its own that fits so many environments, and three times as many.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms
from ase.build import bulk
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse import lammps_library
from diverse.labellers import Label
from diverse.ledger import attach
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.polynomial.fit import FitSettings, fit_streaming
from diverse.structures import tagged
from diverse.zbl import ZBL

CUTOFF, REPULSION = 4.734, ZBL("W", 4.0, 4.8)
WEIGHTS = {"energy_weight": 10.0, "force_weight": 1.0}


def make_cells(environments: int) -> list[Atoms]:
    """Return labelled cells with at least so many environments."""
    rng, cells, size = np.random.default_rng(0), [], 0
    while size < environments:
        atoms = bulk("W", a=3.165).repeat(tuple(rng.integers(1, 4, 3)))
        strain = np.eye(3) + rng.uniform(-0.08, 0.08, (3, 3))
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        atoms.positions += rng.normal(0, 0.15, atoms.positions.shape)
        cells.append(tagged(atoms, "bulk", str(len(cells))))
        size += len(atoms)
    results = lammps_library.evaluate(cells, "eam/alloy", ["* * W_zhou.eam.alloy W"])
    for number, (cell, result) in enumerate(zip(cells, results, strict=True)):
        attach(cell, Label(result.energy, result.energy, result.forces, result.stress))
        cell.info["key"] = str(number)
    return cells


def ours(cells: list[Atoms], *, twojmax: int, quadratic: bool, ridge: float | None = 0.0) -> None:
    settings = FitSettings(twojmax, quadratic, **WEIGHTS, ridge=ridge, energy_scale=None, folds=8)
    fit_streaming(lambda: iter(cells), settings, cutoff=CUTOFF, zbl=REPULSION)


def theirs(cells: list[Atoms], *, twojmax: int, quadratic: bool) -> None:
    options = {"twojmax": twojmax, "quadratic": quadratic, "cutoff": CUTOFF, "zbl": REPULSION}
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        fit_with_fitsnap(
            cells, Path(folder) / "potential", **options, weights=row_weights, ridge=0.0
        )


def row_weights(cell: Atoms) -> tuple[float, float]:
    return WEIGHTS["energy_weight"], WEIGHTS["force_weight"]


def seconds(function: Callable[[], object]) -> float:
    """Return the processor time of this process, all threads, that a call takes."""
    start = time.process_time()
    function()
    return time.process_time() - start


def compare(cells: list[Atoms], twojmax: int, quadratic: bool, rounds: int) -> float:
    """Print rates and return the ratio of the median times."""
    options = {"twojmax": twojmax, "quadratic": quadratic}
    times = np.array(
        [
            [
                seconds(lambda: ours(cells, **options)),
                seconds(lambda: theirs(cells, **options)),
            ]
            for _ in range(rounds)
        ]
    )
    name = "quadratic" if quadratic else "linear"
    n = sum(map(len, cells))
    for side, row in zip(("diverse", "FitSNAP"), times.T, strict=True):
        print(f"  {name:9s} {side}: {n / np.median(row):8.0f} environments/s", flush=True)
    chosen = seconds(lambda: ours(cells, **options, ridge=None))
    print(f"  {name:9s} diverse, ridge auto: {n / chosen:8.0f} environments/s", flush=True)
    return float(np.median(times[:, 1] / times[:, 0]))


def peak_memory(environments: int, twojmax: int, quadratic: bool) -> float:
    """Return the peak memory (MiB) of a process that fits so many environments."""
    call = json.dumps({"environments": environments, "twojmax": twojmax, "quadratic": quadratic})
    command = [sys.executable, __file__, "--measure", call]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(result.stdout.split()[-1])


def measure(environments: int, twojmax: int, quadratic: bool) -> None:
    """Fit a stream of cells that repeats itself, so that the cells need no memory."""
    cells, repeats = make_cells(1000), environments // 1000
    settings = FitSettings(twojmax, quadratic, **WEIGHTS, ridge=1e-6, energy_scale=None, folds=8)
    fit_streaming(
        lambda: (cell for _ in range(repeats) for cell in cells),
        settings,
        cutoff=CUTOFF,
        zbl=REPULSION,
    )
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024)


def main() -> None:
    """Measure, print rates, memory and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twojmax", type=int, default=8)
    parser.add_argument("--environments", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(**options.measure)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cells, ratios = make_cells(options.environments), {}
    print(f"{sum(map(len, cells))} environments, 2Jmax {options.twojmax}, one core:")
    with threadpool_limits(1):
        for name, quadratic, rounds in (("linear", False, options.rounds), ("quadratic", True, 1)):
            ratios[name] = compare(cells, options.twojmax, quadratic, rounds)
    for name, quadratic in (("linear", False), ("quadratic", True)):
        sizes = (3000, 9000)
        peaks = [peak_memory(size, options.twojmax, quadratic) for size in sizes]
        at = " and ".join(f"{peak:.0f} MiB at {n}" for peak, n in zip(peaks, sizes, strict=True))
        print(f"  {name:9s} peak memory {at} environments")
    for name, ratio in ratios.items():
        print(f"{name}_ratio={ratio:.2f}")
    return None


if __name__ == "__main__":
    main()
