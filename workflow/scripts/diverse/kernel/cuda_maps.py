"""The maps of force_maps.py on a card: forces of whole cells from slopes of environments, and back.

Slopes stay on the card, as tensors; forces and what they are multiplied with are small, and arrays
of numpy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from diverse.kernel.cuda_kernel import CudaKernel
from diverse.kernel.device import Device
from diverse.kernel.force_maps import PackedPairs
from diverse.kernel.kernel import DType
from diverse.kernel.settings import BispectrumSettings

Array = np.ndarray[Any, np.dtype[Any]]

ATOMS_AT_ONCE = 20_000  # of which Jacobians are in memory in float64 while they are stored
SHARE_OF_MEMORY = 0.7  # of a card's free memory that stored Jacobians may take


@dataclass(frozen=True)
class _Batch:
    """Pairs of some whole cells; atoms and pairs are numbered anew, in the order of the cells.

    Attributes
    ----------
    first_atom : Tensor, shape (n_cells + 1,)
    atoms, pairs : Tensor, shapes (n_atoms,) and (n_pairs,)
        Their numbers in the whole set.
    first : Tensor, shape (n_atoms + 1,)
    center, neighbour : Tensor, shape (n_pairs,)
    """

    first_atom: torch.Tensor
    atoms: torch.Tensor
    pairs: torch.Tensor
    first: torch.Tensor
    center: torch.Tensor
    neighbour: torch.Tensor


class CudaMap(ABC):
    """Force map on a card; subclasses say what a pair is multiplied with.

    Parameters
    ----------
    pairs : PackedPairs
    settings : BispectrumSettings
    dtype : {"float64", "float32"}
    device : Device
    """

    def __init__(
        self, pairs: PackedPairs, settings: BispectrumSettings, dtype: DType, device: Device
    ) -> None:
        self._device, self._dtype = device, getattr(torch, dtype)
        self._library = device.library(settings.twojmax, dtype)
        self._n_components = settings.n_components
        self._first_atom = self._tensor(pairs.first_atom)
        self._first = self._tensor(pairs.first)
        self._neighbour = self._tensor(pairs.neighbour)

    def forces(self, cells: Array, slopes: torch.Tensor) -> Array:
        """Return forces, shape (n, 3), eV/Å, for slopes, shape (n, D), eV, of the cells' atoms."""
        batch = self._batch(cells)
        gradient = self._to_pairs(batch, slopes.to(self._dtype).contiguous())
        by_position = self._empty(len(batch.atoms), 3)
        self._library.call(
            "pairs_to_atoms",
            *(self._device, len(cells), batch.first_atom, batch.first, batch.neighbour),
            *(gradient, by_position),
        )
        forces: Array = -by_position.cpu().numpy()
        return forces

    def adjoint(self, cells: Array, cotangent: Array) -> torch.Tensor:
        """Return the gradient of sum(cotangent * forces) by the slopes, shape (n, D)."""
        batch, given = self._batch(cells), self._tensor(cotangent).to(self._dtype)
        return self._to_components(batch, given[batch.center] - given[batch.neighbour])

    @abstractmethod
    def _to_pairs(self, batch: _Batch, slopes: torch.Tensor) -> torch.Tensor:
        """Return the gradient of the energy by the vector of every pair, shape (n_pairs, 3)."""

    @abstractmethod
    def _to_components(self, batch: _Batch, tangent: torch.Tensor) -> torch.Tensor:
        """Return the change of the components, shape (n, D), along a change of all vectors."""

    def _batch(self, cells: Array) -> _Batch:
        numbers = self._tensor(cells)
        begin, end = self._first_atom[numbers], self._first_atom[numbers + 1]
        sizes = end - begin
        first_atom = _offsets(sizes)
        atoms = _ranges(begin, sizes)
        counts = self._first[atoms + 1] - self._first[atoms]
        pairs = _ranges(self._first[atoms], counts)
        center = torch.arange(len(atoms), device=self._device.place).repeat_interleave(counts)
        place = first_atom[:-1].repeat_interleave(sizes)
        neighbour = self._neighbour[pairs].long() + place[center]
        return _Batch(first_atom, atoms, pairs, _offsets(counts), center, neighbour)

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.tensor(np.asarray(array), device=self._device.place)

    def _empty(self, *shape: int) -> torch.Tensor:
        return torch.empty(shape, dtype=self._dtype, device=self._device.place)


class CudaStoredJacobian(CudaMap):
    """The derivatives of all descriptors by all vectors, in the memory of the card."""

    def __init__(
        self, pairs: PackedPairs, settings: BispectrumSettings, dtype: DType, device: Device
    ) -> None:
        super().__init__(pairs, settings, dtype, device)
        kernel = CudaKernel(settings, "float64", device)
        self._rows = self._empty(len(pairs.vector), 3, self._n_components)
        for begin in range(0, len(pairs.first) - 1, ATOMS_AT_ONCE):
            first = pairs.first[begin : begin + ATOMS_AT_ONCE + 1]
            chunk = slice(first[0], first[-1])
            self._store(kernel, pairs.vector[chunk], first - first[0], self._rows[chunk])

    @staticmethod
    def size(pairs: PackedPairs, settings: BispectrumSettings, dtype: DType) -> int:
        """Return the bytes that a map stores: a row for each pair."""
        return len(pairs.vector) * 3 * settings.n_components * np.dtype(dtype).itemsize

    def _store(self, kernel: CudaKernel, vectors: Array, first: Array, rows: torch.Tensor) -> None:
        """Fill the rows of some atoms: derivatives of one component of all of them at a time."""
        given, starts = self._tensor(vectors), self._tensor(first)
        shape = (len(first) - 1, self._n_components)
        for component in range(self._n_components):
            chosen = torch.zeros(shape, dtype=torch.float64, device=self._device.place)
            chosen[:, component] = 1
            rows[:, :, component] = kernel.vjp(given, starts, chosen).to(self._dtype)

    def _to_pairs(self, batch: _Batch, slopes: torch.Tensor) -> torch.Tensor:
        gradient = self._empty(len(batch.pairs), 3)
        self._call_rows("rows_to_pairs", batch, slopes, gradient)
        return gradient

    def _to_components(self, batch: _Batch, tangent: torch.Tensor) -> torch.Tensor:
        change = self._empty(len(batch.atoms), self._n_components)
        self._call_rows("rows_to_components", batch, tangent, change)
        return change

    def _call_rows(
        self, name: str, batch: _Batch, given: torch.Tensor, result: torch.Tensor
    ) -> None:
        start = self._first[batch.atoms]
        arguments = (len(batch.atoms), batch.first, start, self._rows, given, result)
        self._library.call(name, self._device, *arguments)


class CudaComputedJacobian(CudaMap):
    """Force map that stores no derivatives: the kernel's VJP and JVP compute them in each call."""

    def __init__(
        self, pairs: PackedPairs, settings: BispectrumSettings, dtype: DType, device: Device
    ) -> None:
        super().__init__(pairs, settings, dtype, device)
        self._vectors = self._tensor(pairs.vector).to(self._dtype)
        self._kernel = CudaKernel(settings, dtype, device)

    def _to_pairs(self, batch: _Batch, slopes: torch.Tensor) -> torch.Tensor:
        return self._kernel.vjp(self._vectors[batch.pairs], batch.first, slopes)

    def _to_components(self, batch: _Batch, tangent: torch.Tensor) -> torch.Tensor:
        return self._kernel.jvp(self._vectors[batch.pairs], batch.first, tangent)


def free_memory(device: Device) -> int:
    """Return the bytes that stored Jacobians may take on a card; none in the emulation."""
    if device.hardware is None:
        return 0
    return int(SHARE_OF_MEMORY * torch.cuda.mem_get_info()[0])


def _offsets(sizes: torch.Tensor) -> torch.Tensor:
    """Return the sums of all sizes before each, and of all, shape (n + 1,)."""
    return torch.nn.functional.pad(torch.cumsum(sizes, 0), (1, 0))


def _ranges(start: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Return the integers from start[i] to start[i] + sizes[i] - 1 of every i, in turn."""
    offset = (start - _offsets(sizes)[:-1]).repeat_interleave(sizes)
    return torch.arange(len(offset), device=offset.device) + offset
