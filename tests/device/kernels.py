"""Parity and rates of the CUDA kernel: cells are 35 atoms of bcc tungsten with a vacancy,
displaced by 0.2 Å."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from results import Results, seconds
from sizes import Size

from diverse.kernel import BispectrumSettings, Kernel, NeighbourPairs, cuda_build, neighbour_pairs
from diverse.kernel.cuda_kernel import CudaKernel
from diverse.kernel.device import EMULATION, Device
from diverse.kernel.packed import PackedCells

CUTOFF, LATTICE = 4.734, 3.165  # Å
PARITY = {"float64": 1e-12, "float32": 5e-4}  # of the largest; tests/unit/test_kernel_cuda.py


def packed_cells(n_atoms: int) -> tuple[PackedCells, NeighbourPairs]:
    """Return cells of at least so many atoms, and their pairs."""
    corners = np.stack(np.meshgrid(range(3), range(3), range(2), indexing="ij"), -1).reshape(-1, 3)
    sites = np.concatenate([corners, corners + 0.5])[1:] * LATTICE
    n_cells = -(-n_atoms // len(sites))
    positions = np.tile(sites, (n_cells, 1))
    positions += np.random.default_rng(1).normal(0, 0.2, positions.shape)
    cells = np.tile(np.diag([3.0, 3.0, 2.0]) * LATTICE, (n_cells, 1, 1))
    first_atom = len(sites) * np.arange(n_cells + 1)
    pairs = neighbour_pairs(positions, cells, first_atom, cutoff=CUTOFF)
    return PackedCells(first_atom, positions, cells, CUTOFF, np.diff(pairs.first)), pairs


class Builds:
    """Kernels that are compiled side by side, those that are needed first first.

    Parameters
    ----------
    device : Device
    kernels : list of (int, str)
        2Jmax and type of number of each.
    """

    def __init__(self, device: Device, kernels: list[tuple[int, str]]) -> None:
        self._start, self._pool = time.perf_counter(), ThreadPoolExecutor()
        self._builds = {
            kernel: self._pool.submit(cuda_build.built, *kernel, device.hardware)
            for kernel in kernels
        }

    def wait(self, results: Results, what: str, kernels: list[tuple[int, str]]) -> None:
        """Wait for some of them, and note when the last of these was there."""
        for kernel in kernels:
            self._builds[kernel].result()
        results.add("build", what, time.perf_counter() - self._start, "s after the start")


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
    _, pairs = packed_cells(70)
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
        _, pairs = packed_cells(n_atoms)
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
