"""Polynomial fits beside FitSNAP: design rows and solution; run it as a program.

The same labelled cells on both sides: displaced and strained bcc tungsten of 1 to 27 atoms,
energies and forces of the Zhou EAM potential, cutoff 4.734 Å. The sides take turns in one process
of one thread; its processor time is compared, which a busy machine changes least. FitSNAP: its
LAMMPSSNAP calculator and, with ridge 0, its SVD solver (its ridge solver warns of quadratic rows).
Ours: both passes over the cells, and the solution with covariance.
Two numbers of cells tell what each further environment costs from what a fit costs anyway (our
solution; it would hide the rest in a short benchmark). The ratios are of whole fits; those of
further environments are what a set of full size sees.
Memory: the peak of a process of its own that fits so many environments, and three times as many.
More than half of a quadratic fit is BLAS (dsyrk): the first line says which kernels it runs.
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
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms
from ase.build import bulk
from comparison import Comparison, Run
from threadpoolctl import threadpool_info, threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse import lammps_library
from diverse.labels.labellers import Label
from diverse.labels.ledger import attach
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.forms import SnapForm
from diverse.models.polynomial.settings import FitSettings
from diverse.structures import tagged
from diverse.zbl import ZBL

CUTOFF, REPULSION = 4.734, ZBL("W", 4.0, 4.8)
WEIGHTS = {"energy_weight": 10.0, "force_weight": 1.0}
FULL_SIZE = 7e6  # environments
TARGETS = {"linear": 8, "quadratic": 15}  # of the ratios


def make_cells(environments: int, fewest: int = 1) -> list[Atoms]:
    """Return labelled cells with at least so many environments, of fewest^3 to 27 atoms."""
    rng, cells, size = np.random.default_rng(0), [], 0
    while size < environments:
        atoms = bulk("W", a=3.165).repeat(tuple(rng.integers(fewest, 4, 3)))
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
    settings = FitSettings(
        SnapForm(twojmax, quadratic), **WEIGHTS, ridge=ridge, energy_scale=None, folds=8
    )
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


@dataclass(frozen=True)
class Cost:
    """Seconds of a fit to n environments: of all, of each further one, and of none at all."""

    n: int
    total: float
    further: float

    @property
    def fixed(self) -> float:
        return self.total - self.n * self.further

    def __str__(self) -> str:
        full = (self.fixed + FULL_SIZE * self.further) / 3600
        return (
            f"{self.n / self.total:8.0f} environments/s, {1 / self.further:8.0f} without the "
            f"{self.fixed:.2f} s of any fit; {full:.2f} h at {FULL_SIZE:g}"
        )


def compare(cells: list[Atoms], twojmax: int, quadratic: bool, rounds: int) -> tuple[Cost, Cost]:
    """Print and return the median costs of ours and theirs."""
    options = {"twojmax": twojmax, "quadratic": quadratic}
    name, costs, few = "quadratic" if quadratic else "linear", [], cells[: len(cells) // 4]
    n, n_few = (sum(map(len, part)) for part in (cells, few))
    ours(few, **options)  # imports and first touches of memory are no cost of a fit
    theirs(few, **options)
    times: dict[str, list[list[float]]] = {"diverse": [], "FitSNAP": []}
    for _ in range(rounds):
        for side, fit in (("diverse", ours), ("FitSNAP", theirs)):
            pair = [seconds(partial(fit, part, **options)) for part in (few, cells)]
            times[side].append(pair)
            print(f"  {name:9s} {side}: {pair[0]:.2f} s for {n_few}, {pair[1]:.2f} s for {n}")
    for side, rows in times.items():
        short, long = np.median(rows, axis=0)
        costs.append(Cost(n, long, (long - short) / (n - n_few)))
        print(f"  {name:9s} {side}: {costs[-1]}", flush=True)
    chosen = seconds(partial(ours, cells, **options, ridge=None))
    print(f"  {name:9s} diverse, ridge auto: {n / chosen:8.0f} environments/s", flush=True)
    return costs[0], costs[1]


def comparisons(name: str, twojmax: int, us: Cost, them: Cost) -> list[Comparison]:
    """Return what is compared: whole fits, and what each further environment costs."""
    work = f"{name} SNAP, 2Jmax {twojmax}: a fit to {us.n:,} environments"
    peer, unit = "FitSNAP", "environments/s"
    further = f"{name} SNAP, 2Jmax {twojmax}: further environments of a fit"
    return [
        Comparison(name, work, peer, unit, us.n / us.total, them.n / them.total, TARGETS[name]),
        Comparison(f"{name}_further", further, peer, unit, 1 / us.further, 1 / them.further),
    ]


def blas_kernels() -> str:
    """Return the instruction sets that NumPy's and SciPy's BLAS chose, or were told to choose."""
    blas = (info for info in threadpool_info() if info["user_api"] == "blas")
    return " and ".join(sorted({info["architecture"] for info in blas}))


def peak_memory(environments: int, twojmax: int, quadratic: bool) -> float:
    """Return the peak memory (MiB) of a process that fits so many environments."""
    call = json.dumps({"environments": environments, "twojmax": twojmax, "quadratic": quadratic})
    command = [sys.executable, __file__, "--measure", call]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(result.stdout.split()[-1])


def measure(environments: int, twojmax: int, quadratic: bool) -> None:
    """Fit a stream of cells that repeats itself, so that the cells need no memory."""
    cells, repeats = make_cells(1000), environments // 1000
    settings = FitSettings(
        SnapForm(twojmax, quadratic), **WEIGHTS, ridge=1e-6, energy_scale=None, folds=8
    )
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
    parser.add_argument("--environments", type=int, default=12000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--ratios", type=Path, help="table to write")
    options, run = parser.parse_args(), Run()
    if options.measure:
        return measure(**options.measure)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cells, ratios, rows = make_cells(options.environments), {}, []
    print(f"{len(cells)} cells, 2Jmax {options.twojmax}, one core, BLAS kernels {blas_kernels()}:")
    with threadpool_limits(1):
        for name, quadratic in (("linear", False), ("quadratic", True)):
            us, them = compare(cells, options.twojmax, quadratic, options.rounds)
            ratios[f"{name}_ratio"] = them.total / us.total
            ratios[f"{name}_ratio_of_further_environments"] = them.further / us.further
            rows += comparisons(name, options.twojmax, us, them)
    run.write(options.ratios, rows, instruction_set=blas_kernels())
    for name, quadratic in (("linear", False), ("quadratic", True)):
        sizes = (3000, 9000)
        peaks = [peak_memory(size, options.twojmax, quadratic) for size in sizes]
        at = " and ".join(f"{peak:.0f} MiB at {n}" for peak, n in zip(peaks, sizes, strict=True))
        print(f"  {name:9s} peak memory {at} environments")
    for name, ratio in ratios.items():
        print(f"{name}={ratio:.2f}")
    return None


if __name__ == "__main__":
    main()
