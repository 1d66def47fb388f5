"""Speed of the generator from end to end at the paper's cell size; run it as a program.

Cells of 35 atoms of tungsten, volumes 0.8 to 2.0, estimator `set`, through `generate_cells`:
drawing, settling, descriptors, entropy gradients, moving atoms and cells, mending, acceptance.
One process a core with one thread each, as Snakemake runs chunks; for two cores two of them.
- atom-gradients: atoms whose entropy gradient was computed, once for each step, per wall second of
  the whole program slice, everything included.
- overhead: time outside `Kernel.forward_vjp` and the pull-back it returns, over the total.
- growth: seconds per cell against the size of the accepted set, whose statistics are given.
CPU rates divide by the processes' CPU time: what cores give when nobody else uses them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from comparison import Comparison, Run

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.statistics import SetStatistics
from diverse.generate.sampling import Generator, generate_cells
from diverse.kernel import Kernel
from diverse.structures import random_stream
from diverse.study.check import load_study
from diverse.study.chunks import fit_whitening, make_generator

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/study.schema.yaml"
PAPER_CELLS = 205_000
ATOMS = 35


@dataclass
class Meter:
    """What went through the kernel, and how long it took there."""

    atoms: int = 0
    seconds: float = 0.0

    def watch(self, kernel: Kernel) -> Kernel:
        """Return a kernel whose `forward_vjp` is timed."""
        inner = kernel.forward_vjp

        def forward_vjp(vectors: np.ndarray, first: np.ndarray) -> tuple:
            start = time.process_time()
            components, pull_back = inner(vectors, first)
            self.seconds += time.process_time() - start
            self.atoms += len(components)

            def timed(cotangent: np.ndarray) -> np.ndarray:
                start = time.process_time()
                gradient = pull_back(cotangent)
                self.seconds += time.process_time() - start
                return gradient

            return components, timed

        kernel.forward_vjp = forward_vjp  # type: ignore[method-assign]
        return kernel


class MeteredGenerator(Generator):
    """A generator whose kernels are timed."""

    def term(self, statistics: SetStatistics):
        term = super().term(statistics)
        return None if term is None else replace(term, kernel=METER.watch(term.kernel))


METER = Meter()


def study(twojmax: int, steps: int, precision: str = "float64") -> dict:
    """Return a study of 35-atom tungsten cells with the defaults for everything else."""
    return load_study(
        {
            "study": "benchmark",
            "element": "W",
            "lattice": {"structure": "bcc", "a": 3.165},
            "labeller": "eam",
            "labellers": {
                "eam": {
                    "kind": "lammps",
                    "pair_style": "eam/alloy",
                    "pair_coeff": ["* * W_zhou.eam.alloy W"],
                }
            },
            "sampler": {"atoms": [ATOMS, ATOMS]},
            "optimiser": {"twojmax": twojmax, "steps": steps, "precision": precision},
            "datasets": {"entropy": {"family": "entropy", "cells": PAPER_CELLS}},
            "models": {"linear": {"family": "linear", "twojmax": 2}},
        },
        str(SCHEMA),
    )


def metered_generator(options: dict) -> Generator:
    """Return the generator of the study's entropy set, its kernel timed."""
    whitening = fit_whitening(options)
    generator = make_generator(options, options["datasets"]["entropy"], whitening)
    return MeteredGenerator(**vars(generator))


def synthetic(generator: Generator, n_cells: int) -> SetStatistics:
    """Return statistics as if `n_cells` cells like 32 random ones had been accepted."""
    random = replace(generator, entropy=replace(generator.entropy, estimator=None))
    nothing = SetStatistics.empty(generator.descriptor.n_components)
    sample = generate_cells(
        32, generator=random, earlier=nothing, rng=random_stream(0, "synthetic", 0)
    )
    white = generator.whitening(environment_descriptors(sample.cells, generator.descriptor))
    one = SetStatistics.of(white)
    factor = n_cells * ATOMS / one.count
    return SetStatistics(n_cells * ATOMS, one.mean, one.scatter * factor)


def measure(generator: Generator, earlier: SetStatistics, cells: int, stream: int) -> dict:
    """Generate `cells` cells and return rates."""
    METER.atoms, METER.seconds = 0, 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    sample = generate_cells(
        cells, generator=generator, earlier=earlier, rng=random_stream(0, "benchmark", stream)
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "wall": wall,
        "cpu": cpu,
        "kernel": METER.seconds,
        "gradients": METER.atoms,
        "cells": cells,
        "drawn": sample.outcome.total(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def worker(options: argparse.Namespace) -> None:
    """One process: wait for a common start, generate, print the result as JSON."""
    generator = metered_generator(study(options.twojmax, options.steps, options.precision))
    earlier = synthetic(generator, 10_000)
    measure(generator, earlier, 8, 99)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(measure(generator, earlier, options.cells, options.worker)), flush=True)


def side_by_side(n: int, options: argparse.Namespace) -> list[dict]:
    """Run `n` workers at the same time, each bound to its own core."""
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, __file__, "--steps", str(options.steps), "--cells"]
    command += [str(options.cells), "--twojmax", str(options.twojmax)]
    command += ["--precision", options.precision]
    running = []
    for number in range(n):
        bound = ["taskset", "-c", str(cores[number % len(cores)])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running.append(
            subprocess.Popen([*bound, *command, "--worker", str(number)], **pipes)  # type: ignore[call-overload]
        )
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [json.loads(process.communicate()[0]) for process in running]


def growth(options: argparse.Namespace) -> None:
    """Print the cost per cell at four sizes of the accepted set, and its log-log slope."""
    generator = metered_generator(study(options.twojmax, options.steps, options.precision))
    sizes = [1_000, 6_000, 35_000, 200_000]
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(3):
        for size in sizes:
            result = measure(generator, synthetic(generator, size), 8, 0)
            seconds[size].append(result["cpu"] / result["cells"])
    cost = [float(np.median(seconds[size])) for size in sizes]
    for size, value in zip(sizes, cost, strict=True):
        print(f"  {size:7d} cells accepted: {value:.4f} s per cell")
    slope = np.polyfit(np.log(sizes), np.log(cost), 1)[0]
    print(f"growth_slope={slope:.4f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twojmax", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--cells", type=int, default=64, help="cells of each process")
    parser.add_argument("--precision", default="float64")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ratios", type=Path, help="table to write")
    options, run = parser.parse_args(), Run()
    if options.worker is not None:
        worker(options)
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    print(
        f"{ATOMS}-atom cells, 2Jmax {options.twojmax}, {options.steps} steps, {options.precision}"
    )
    for n in (1, 2):
        results = side_by_side(n, options)
        wall = max(result["wall"] for result in results)
        cpu = sum(result["cpu"] for result in results)
        gradients = sum(result["gradients"] for result in results)
        kernel = sum(result["kernel"] for result in results)
        cells = sum(result["cells"] for result in results)
        print(
            f"{n} process(es): {gradients / wall:.0f} atom-gradients/s of wall time, "
            f"{n * gradients / cpu:.0f} of CPU time; overhead {1 - kernel / cpu:.1%}; "
            f"{cells} cells of {sum(r['drawn'] for r in results)} drawn; "
            f"peak {max(r['peak_mib'] for r in results):.0f} MiB"
        )
    growth(options)
    work = (
        f"cells of {ATOMS} atoms, entropy-maximised, 2Jmax {options.twojmax}, {options.steps} steps"
    )
    rates = cells * ATOMS / cpu, cells * ATOMS / kernel
    peer, unit = "descriptors and their VJP alone", "environments/s"
    run.write(options.ratios, [Comparison("generate", work, peer, unit, *rates, 0.75)])
    print(f"overhead={1 - kernel / cpu:.3f}")
    print(f"atom_gradients_per_cpu_s={n * gradients / cpu:.0f}")
    print(f"full_set_core_hours={PAPER_CELLS / cells * cpu / 3600:.2f}")
    print(f"atom_gradients_per_s={gradients / wall:.0f}")
    print(f"full_set_hours={PAPER_CELLS / cells * wall / 3600:.2f}")


if __name__ == "__main__":
    main()
