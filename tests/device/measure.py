"""Parity, rates and training of the CUDA kernel on one card: what tests/device/run starts.

Rows of results.csv: stage, what, 2Jmax, type, number of atoms, value, unit. Cells are 35 atoms of
bcc tungsten with a vacancy, displaced by 0.2 Å; labels are energies and forces of a random network.
"""

import argparse
import csv
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from diverse.kernel import BispectrumSettings, Kernel, NeighbourPairs, cuda_build, neighbour_pairs
from diverse.kernel.cuda_kernel import CudaKernel
from diverse.kernel.cuda_maps import CudaComputedJacobian
from diverse.kernel.device import EMULATION, Device, find_device
from diverse.kernel.force_maps import PackedPairs
from diverse.models.network.cuda_stack import CudaNetworkStack
from diverse.models.network.data import TrainingCells
from diverse.models.network.loop import Training, train_networks
from diverse.models.network.settings import TrainingSettings
from diverse.models.network.stack import initial_parameters

CUTOFF, LATTICE = 4.734, 3.165  # Å
PARITY = {"float64": 1e-12, "float32": 5e-4}  # of the largest; tests/unit/test_kernel_cuda.py


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes
    ----------
    kernels : list of (int, str)
        2Jmax and types of number that parity is shown of.
    rated : list of int
        2Jmax whose rates are measured.
    atoms : list of int
        Atoms in the calls that are timed.
    environments, epochs, batches
        Of trainings: their set, their passes over it, and cells a step.
    training : (int, str)
        2Jmax and type of number of the trainings.
    """

    kernels: list[tuple[int, str]]
    rated: list[int]
    atoms: list[int]
    environments: int
    epochs: int
    batches: list[int]
    training: tuple[int, str]


FULL = Size(
    [*((n, "float64") for n in range(2, 11)), (4, "float32"), (6, "float32"), (8, "float32")],
    [4, 6, 8],
    [10_000, 100_000, 1_000_000],
    700_000,
    5,
    [2048, 256],
    (8, "float32"),
)
SMALL = Size([(4, "float64")], [4], [35], 105, 1, [2], (4, "float64"))


class Results:
    """Rows of results.csv, written as they come."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self.failures = folder / "results.csv", []
        self._path.unlink(missing_ok=True)
        self._write(["stage", "what", "twojmax", "dtype", "n_atoms", "value", "unit"])

    def _write(self, row: list) -> None:
        with open(self._path, "a", newline="") as file:
            csv.writer(file).writerow(row)

    def add(self, stage, what, value, unit, *, kernel=("", ""), n_atoms="") -> None:
        """Write one row, and show it."""
        row = [stage, what, *kernel, n_atoms, value, unit]
        self._write(row)
        print(*row, flush=True)

    def check(self, holds: bool, sentence: str) -> None:
        """Note what does not hold; the program goes on and ends with an error."""
        if not holds:
            self.failures.append(sentence)
            print("FAILED:", sentence, flush=True)


def pairs_of_cells(n_atoms: int) -> tuple[NeighbourPairs, np.ndarray]:
    """Return the pairs of at least so many atoms, and where the atoms of each cell begin."""
    corners = np.stack(np.meshgrid(range(3), range(3), range(2), indexing="ij"), -1).reshape(-1, 3)
    sites = np.concatenate([corners, corners + 0.5])[1:] * LATTICE
    n_cells = -(-n_atoms // len(sites))
    positions = np.tile(sites, (n_cells, 1))
    positions += np.random.default_rng(1).normal(0, 0.2, positions.shape)
    cells = np.tile(np.diag([3.0, 3.0, 2.0]) * LATTICE, (n_cells, 1, 1))
    first_atom = len(sites) * np.arange(n_cells + 1)
    return neighbour_pairs(positions, cells, first_atom, cutoff=CUTOFF), first_atom


def seconds(device: Device, function: Callable[[], object], repeats: int) -> float:
    """Return the median time of a call, after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        function()
        if device.hardware is not None:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def measure_builds(device: Device, size: Size, results: Results) -> None:
    """Compile all kernels side by side."""
    start = time.perf_counter()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda kernel: cuda_build.built(*kernel, device.hardware), size.kernels))
    results.add("build", "all kernels", time.perf_counter() - start, "s")


def calls(kernel, arrays: dict) -> dict[str, Callable]:
    """Return forward, VJP and JVP of a kernel on arrays of its kind."""
    vectors, first = arrays["vectors"], arrays["first"]
    return {
        "forward": lambda: kernel.forward(vectors, first),
        "vjp": lambda: kernel.vjp(vectors, first, arrays["cotangent"]),
        "jvp": lambda: kernel.jvp(vectors, first, arrays["tangent"]),
    }


def arrays_of(pairs: NeighbourPairs, n_components: int) -> dict[str, np.ndarray]:
    """Return vectors, first pairs, and a random cotangent and tangent."""
    rng = np.random.default_rng(2)
    return {
        "vectors": pairs.vector,
        "first": pairs.first,
        "cotangent": rng.normal(size=(len(pairs.first) - 1, n_components)),
        "tangent": rng.normal(size=pairs.vector.shape),
    }


def on_device(device: Device, arrays: dict[str, np.ndarray], dtype: str) -> dict:
    """Return the arrays as tensors on a device."""
    kinds = {"first": torch.int64}
    return {
        name: torch.tensor(array, dtype=kinds.get(name, getattr(torch, dtype)), device=device.place)
        for name, array in arrays.items()
    }


def measure_parity(device: Device, size: Size, results: Results) -> None:
    """Compare with the kernel of the CPU, with itself, and with the same work in pieces."""
    pairs, _ = pairs_of_cells(70)
    for twojmax, dtype in size.kernels:
        settings = BispectrumSettings(twojmax, CUTOFF)
        arrays = arrays_of(pairs, settings.n_components)
        tensors = on_device(device, arrays, dtype)
        card = calls(CudaKernel(settings, dtype, device), tensors)
        pieces = calls(CudaKernel(settings, dtype, device, atoms_at_once=33), tensors)
        for name, expected in calls(Kernel(settings), arrays).items():
            found, wanted = card[name](), expected()
            error = abs(found.cpu().double().numpy() - wanted).max() / abs(wanted).max()
            options = {"kernel": (twojmax, dtype), "n_atoms": len(pairs.first) - 1}
            results.add("parity", name, error, "of the largest", **options)
            where = f"2Jmax {twojmax}, {dtype}, {name}"
            results.check(error < PARITY[dtype], f"{where}: {error} from the CPU's")
            same = torch.equal(found, card[name]()) and torch.equal(found, pieces[name]())
            results.check(same, f"{where}: other bits in a second call, or in pieces")


def measure_rates(device: Device, size: Size, results: Results) -> None:
    """Time forward, VJP and JVP on the card and, in float64, on all cores of the CPU."""
    for n_atoms in size.atoms:
        pairs, _ = pairs_of_cells(n_atoms)
        n = len(pairs.first) - 1
        for twojmax, dtype in size.kernels:
            if twojmax not in size.rated:
                continue
            settings = BispectrumSettings(twojmax, CUTOFF)
            arrays = arrays_of(pairs, settings.n_components)
            options = {"kernel": (twojmax, dtype), "n_atoms": n}
            card = calls(CudaKernel(settings, dtype, device), on_device(device, arrays, dtype))
            for name, call in card.items():
                results.add("rate", name, n / seconds(device, call, 5), "atoms/s", **options)
            if dtype == "float64" and n_atoms == size.atoms[min(1, len(size.atoms) - 1)]:
                for name, call in calls(Kernel(settings), arrays).items():
                    rate = n / seconds(EMULATION, call, 1)
                    results.add("rate", f"{name} of the CPU", rate, "atoms/s", **options)


def labelled_cells(device: Device, size: Size) -> TrainingCells:
    """Return cells with the energies and forces of a random network."""
    twojmax, dtype = size.training
    pairs, first_atom = pairs_of_cells(size.environments)
    settings, n = BispectrumSettings(twojmax, CUTOFF), len(pairs.first) - 1
    descriptors = Kernel(settings).forward(pairs.vector, pairs.first)
    neighbour = pairs.neighbour - np.repeat(first_atom[:-1], np.diff(first_atom))[pairs.center]
    packed = PackedPairs(first_atom, pairs.first, neighbour.astype(np.int32), pairs.vector)
    shape = [settings.n_components, 32, 1]
    parameters = 3 * initial_parameters(shape, 7, dtype)[None]
    parameters[:, : 32 * shape[0]] *= 30
    mean, scale = descriptors.mean(axis=0)[None], descriptors.std(axis=0)[None]
    stack = CudaNetworkStack(shape, parameters, mean, scale, device)
    site, slopes = stack.slopes(descriptors, np.arange(n), np.array([0, n]))
    everything = np.arange(len(first_atom) - 1)
    forces = CudaComputedJacobian(packed, settings, dtype, device).forces(everything, slopes)
    energies = np.add.reduceat(site.astype(float), first_atom[:-1])
    labels = energies / np.diff(first_atom)
    return TrainingCells(
        settings, descriptors, labels, energies, forces.astype(float), everything, packed
    )


def measure_training(device: Device, size: Size, results: Results) -> None:
    """Time epochs by batch and by map of forces; the same seed must give the same bytes."""
    cells = labelled_cells(device, size)
    n, everything = int(cells.n_atoms.sum()), [np.arange(len(cells.labels))]
    options = {"kernel": size.training, "n_atoms": n}
    spread = float(cells.forces.std())
    settings = TrainingSettings(
        widths=[64, 32],
        energy_weight=10,
        force_weight=1,
        epochs=size.epochs,
        batch=None,
        learning_rate=0.01,
        weight_decay=1e-4,
        validation_fraction=0.05,
        precision=size.training[1],
    )
    for batch in size.batches:
        for jacobians in ("cached", "matrix_free"):
            chosen = replace(settings, batch=batch, jacobians=jacobians)
            what = f"{jacobians}, {batch} cells a step"
            start = time.perf_counter()
            training = Training(cells, everything, chosen, [1], device)
            results.add("train", f"start, {what}", time.perf_counter() - start, "s", **options)
            start = time.perf_counter()
            for epoch in range(size.epochs):
                training.run_epoch(epoch)
            trained = int(cells.n_atoms[training.training[0]].sum()) * size.epochs
            rate = trained / (time.perf_counter() - start)
            results.add("train", f"epochs, {what}", rate, "environments/s", **options)
            error = float(training.validate()[2, 0]) / spread
            results.add("train", f"force error, {what}", error, "of the spread", **options)
            del training
    on_cpu = Training(cells, everything, replace(settings, batch=16, jacobians="cached"), [1])
    for epoch in range(size.epochs):
        on_cpu.run_epoch(epoch)
    error = float(on_cpu.validate()[2, 0]) / spread
    results.add("train", "force error, CPU, 16 cells a step", error, "of the spread", **options)
    first, second = (train_networks(cells, everything, chosen, [1], device=device) for _ in "ab")
    arrays = zip(first[0][0].arrays().values(), second[0][0].arrays().values(), strict=True)
    same = all(np.array_equal(one, other) for one, other in arrays)
    results.check(same, "two trainings with one seed gave other networks")


def describe(device: Device, results: Results) -> None:
    """Note the card, the versions of torch and nvcc, and what is not measured yet."""
    results.add("machine", "card", device.name, "")
    results.add("machine", "torch", torch.__version__, "")
    if device.hardware is not None:
        command = [cuda_build.find_nvcc(), "--version"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        results.add("machine", "nvcc", lines.strip().splitlines()[-1], "")
    left_out = "generation, labels by EAM, the 12 networks and their scores, the quadratic Gram"
    results.add("machine", "not measured", left_out, "")


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
    for measure in (measure_builds, measure_parity, measure_rates, measure_training):
        measure(device, size, results)
    results.add("machine", "all of it", time.perf_counter() - start, "s")
    sys.exit("; ".join(results.failures) or 0)


if __name__ == "__main__":
    main()
