"""All checks and measurements on one card: what tests/device/run starts."""

import argparse
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import torch
from results import Map, Results
from sizes import FULL, SMALL, Size

from diverse.kernel import cuda_build
from diverse.kernel.device import EMULATION, Device, find_device


def describe(device: Device, results: Results) -> None:
    """Note the card, and the versions of torch and nvcc."""
    results.add("machine", "card", device.name, "")
    results.add("machine", "torch", torch.__version__, "")
    results.add("machine", "CPU cores", os.cpu_count(), "")
    if device.hardware is not None:
        command = [cuda_build.find_nvcc(), "--version"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        results.add("machine", "nvcc", lines.strip().splitlines()[-1], "")


@contextmanager
def processes(size: Size) -> Iterator[Map]:
    """Give the `map` of a pool of processes that have imported what chunks need, or of this one."""
    if not size.workers:
        yield map
        return
    with ProcessPoolExecutor(size.workers, get_context("spawn"), initializer=_ready) as pool:
        list(pool.map(abs, range(size.workers)))
        yield pool.map


def _ready() -> None:
    """Import what a worker needs, and let each of its chunks run on one core."""
    os.environ["OMP_NUM_THREADS"] = "1"
    logging.disable()
    import diverse.generate.cuda_optimiser  # noqa: F401


def measure(device: Device, size: Size, results: Results) -> None:
    """Measure everything: first what the full-size study needs, last what checks all kernels."""
    from generation import generate, make_families, measure_diversity
    from kernels import Builds, measure_parity, measure_rates
    from networks import measure_networks
    from training import measure_training

    builds = Builds(device, size.kernels)
    with processes(size) as run:
        needed = [kernel for kernel in size.kernels if kernel[0] in (*size.twojmax, *size.rated)]
        builds.wait(results, "kernels of the study", needed)
        measure_diversity(device, size, results, run=run)
        study, cells = generate(device, size, results, run=run)
        families = make_families(study, size, run=run)
    measure_networks(device, size, results, study, cells, families)
    builds.wait(results, "all kernels", size.kernels)
    measure_parity(device, size, results)
    measure_rates(device, size, results)
    measure_training(device, size, results)


def main() -> None:
    """Measure everything, or end with a sentence where there is no card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/device"))
    parser.add_argument("--emulate", action="store_true", help="a small size on the host")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    try:
        device = EMULATION if options.emulate else find_device("cuda")
    except RuntimeError as error:
        sys.exit(str(error))
    assert device is not None
    size = SMALL if options.emulate else FULL
    results = Results(options.out / device.name.replace(" ", "_"))
    describe(device, results)
    start = time.perf_counter()
    measure(device, size, results)
    results.add("machine", "all of it", time.perf_counter() - start, "s")
    sys.exit("; ".join(results.failures) or 0)


if __name__ == "__main__":
    main()
