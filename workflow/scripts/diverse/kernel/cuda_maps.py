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
from diverse.kernel.cuda_pairs import sum_ranges
from diverse.kernel.device import Device
from diverse.kernel.kernel import DType
from diverse.kernel.packed import PackedCells, PackedPairs
from diverse.kernel.settings import BispectrumSettings

Array = np.ndarray[Any, np.dtype[Any]]

ATOMS_AT_ONCE = 20_000  # of which Jacobians are in memory in float64 while they are stored
SHARE_OF_MEMORY = 0.7  # of a card's free memory that stored Jacobians may take


@dataclass(frozen=True)
class BatchPairs:
    """Pairs of some whole cells; atoms and pairs are numbered anew, in the order of the cells.

    Attributes
    ----------
    first_atom : Tensor, shape (n_cells + 1,)
    atoms, pairs : Tensor, shapes (n_atoms,) and (n_pairs,)
        Their numbers in the whole set.
    first : Tensor, shape (n_atoms + 1,)
    center, neighbour : Tensor, shape (n_pairs,)

    What `CudaMap.padded` adds is at the ends: empty cells, atoms without pairs in the last cell,
    pairs of no atom.
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
    cells : PackedCells
    settings : BispectrumSettings
    dtype : {"float64", "float32"}
    device : Device
    """

    def __init__(
        self, cells: PackedCells, settings: BispectrumSettings, dtype: DType, device: Device
    ) -> None:
        pairs = cells.all_pairs()
        self.pairs_of_cell = np.diff(pairs.first[pairs.first_atom])
        self._device, self._dtype = device, getattr(torch, dtype)
        self._settings, self._precision = settings, dtype
        self._library = device.library(settings.twojmax, dtype)
        self._n_components = settings.n_components
        self._first_atom = self._tensor(pairs.first_atom)
        self._begin = torch.cat([self._first_atom, self._first_atom[-1:]])  # of no cell, too
        self._first = self._tensor(pairs.first)
        self._neighbour = self._tensor(pairs.neighbour)
        self._keep(pairs)

    def forces(self, cells: Array, slopes: torch.Tensor) -> Array:
        """Return forces, shape (n, 3), eV/Å, for slopes, shape (n, D), eV, of the cells' atoms."""
        forces: Array = self.batch_forces(self._batch(cells), slopes).cpu().numpy()
        return forces

    def adjoint(self, cells: Array, cotangent: Array) -> torch.Tensor:
        """Return the gradient of sum(cotangent * forces) by the slopes, shape (n, D)."""
        return self.batch_adjoint(self._batch(cells), self._tensor(cotangent).to(self._dtype))

    def batch_forces(self, batch: BatchPairs, slopes: torch.Tensor) -> torch.Tensor:
        """Return the forces of the atoms of a batch, shape (n_atoms, 3), eV/Å."""
        gradient = self._to_pairs(batch, slopes.to(self._dtype).contiguous())
        by_position = self._empty(len(batch.atoms), 3)
        self._library.call(
            "pairs_to_atoms",
            *(self._device, len(batch.first_atom) - 1, batch.first_atom, batch.first),
            *(batch.neighbour, gradient, by_position),
        )
        return -by_position

    def batch_adjoint(self, batch: BatchPairs, cotangent: torch.Tensor) -> torch.Tensor:
        """Return the gradient of sum(cotangent * forces) by the slopes, shape (n_atoms, D)."""
        return self._to_components(batch, cotangent[batch.center] - cotangent[batch.neighbour])

    def sum_ranges(self, first: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return the sums of values[first[i]] to values[first[i + 1] - 1], float64, shape (n,)."""
        return sum_ranges(self._library, self._device, first, values)

    def padded(self, cells: torch.Tensor, n_atoms: int, n_pairs: int) -> BatchPairs:
        """Return the pairs of some cells in tensors of given sizes, which no number is asked for.

        Parameters
        ----------
        cells : Tensor of int64, shape (n_rows, n_cells)
            Numbers of cells; that of no cell is the number of all cells.
        n_atoms : int
            Atoms of each row after padding; the cell that is added to each row takes up the rest.
        n_pairs : int
            Pairs of all rows together after padding.
        """
        begin, end = self._begin[cells], self._begin[cells + 1]
        rest = n_atoms - (end - begin).sum(dim=1, keepdim=True)
        sizes = torch.cat([end - begin, rest], dim=1).view(-1)
        begin = torch.nn.functional.pad(begin, (0, 1), value=-1).view(-1)  # -1: what is added
        first_atom = _offsets(sizes)
        n = n_atoms * len(cells)
        cell = _repeated(sizes, n)
        added, place = begin[cell] < 0, torch.arange(n, device=cells.device) - first_atom[cell]
        atoms = torch.where(added, 0, begin[cell] + place)
        start = self._first[atoms]
        counts = torch.where(added, 0, self._first[atoms + 1] - start)
        first = _offsets(counts)
        center = _repeated(torch.cat([counts, n_pairs - first[-1:]]), n_pairs)
        start = torch.nn.functional.pad(start, (0, 1))
        pairs = start[center] + torch.arange(n_pairs, device=cells.device) - first[center]
        pairs = pairs.clamp(max=len(self._neighbour) - 1)
        center = center.clamp(max=n - 1)
        neighbour = self._neighbour[pairs].long() + first_atom[cell[center]]
        neighbour = neighbour.clamp(max=n - 1)
        return BatchPairs(first_atom, atoms, pairs, first, center, neighbour)

    @abstractmethod
    def _keep(self, pairs: PackedPairs) -> None:
        """Put on the card what a pair is multiplied with."""

    @abstractmethod
    def _to_pairs(self, batch: BatchPairs, slopes: torch.Tensor) -> torch.Tensor:
        """Return the gradient of the energy by the vector of every pair, shape (n_pairs, 3)."""

    @abstractmethod
    def _to_components(self, batch: BatchPairs, tangent: torch.Tensor) -> torch.Tensor:
        """Return the change of the components, shape (n, D), along a change of all vectors."""

    def _batch(self, cells: Array) -> BatchPairs:
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
        return BatchPairs(first_atom, atoms, pairs, _offsets(counts), center, neighbour)

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.tensor(np.asarray(array), device=self._device.place)

    def _empty(self, *shape: int) -> torch.Tensor:
        return torch.empty(shape, dtype=self._dtype, device=self._device.place)


class CudaStoredJacobian(CudaMap):
    """The derivatives of all descriptors by all vectors, in the memory of the card."""

    def _keep(self, pairs: PackedPairs) -> None:
        kernel = CudaKernel(self._settings, "float64", self._device)
        self._rows = self._empty(len(pairs.vector), 3, self._n_components)
        for begin in range(0, len(pairs.first) - 1, ATOMS_AT_ONCE):
            first = pairs.first[begin : begin + ATOMS_AT_ONCE + 1]
            chunk = slice(first[0], first[-1])
            self._store(kernel, pairs.vector[chunk], first - first[0], self._rows[chunk])

    @staticmethod
    def size(cells: PackedCells, settings: BispectrumSettings, dtype: DType) -> int:
        """Return the bytes that a map stores: a row for each pair."""
        return int(cells.n_neighbours.sum()) * 3 * settings.n_components * np.dtype(dtype).itemsize

    def _store(self, kernel: CudaKernel, vectors: Array, first: Array, rows: torch.Tensor) -> None:
        """Fill the rows of some atoms: derivatives of one component of all of them at a time."""
        given, starts = self._tensor(vectors), self._tensor(first)
        descriptors, pull_back = kernel.forward_vjp(given, starts)
        for component in range(self._n_components):
            chosen = torch.zeros_like(descriptors)
            chosen[:, component] = 1
            rows[:, :, component] = pull_back(chosen).to(self._dtype)

    def _to_pairs(self, batch: BatchPairs, slopes: torch.Tensor) -> torch.Tensor:
        gradient = self._empty(len(batch.pairs), 3)
        self._call_rows("rows_to_pairs", batch, slopes, gradient)
        return gradient

    def _to_components(self, batch: BatchPairs, tangent: torch.Tensor) -> torch.Tensor:
        change = self._empty(len(batch.atoms), self._n_components)
        self._call_rows("rows_to_components", batch, tangent, change)
        return change

    def _call_rows(
        self, name: str, batch: BatchPairs, given: torch.Tensor, result: torch.Tensor
    ) -> None:
        start = self._first[batch.atoms]
        arguments = (len(batch.atoms), batch.first, start, self._rows, given, result)
        self._library.call(name, self._device, *arguments)


class CudaComputedJacobian(CudaMap):
    """Force map that stores no derivatives: the kernel's VJP and JVP compute them in each call."""

    def _keep(self, pairs: PackedPairs) -> None:
        self._vectors = self._tensor(pairs.vector).to(self._dtype)
        self._kernel = CudaKernel(self._settings, self._precision, self._device)
        self._kernel.check_pairs(self._vectors, self._first)

    def _to_pairs(self, batch: BatchPairs, slopes: torch.Tensor) -> torch.Tensor:
        given = self._vectors[batch.pairs], batch.first, slopes
        return self._kernel.vjp(*given, checked=True)

    def _to_components(self, batch: BatchPairs, tangent: torch.Tensor) -> torch.Tensor:
        given = self._vectors[batch.pairs], batch.first, tangent
        return self._kernel.jvp(*given, checked=True)


def free_memory(device: Device) -> int:
    """Return the bytes that stored Jacobians may take on a card; none in the emulation."""
    if device.hardware is None:
        return 0
    torch.cuda.empty_cache()  # what torch keeps for later is free
    return int(SHARE_OF_MEMORY * torch.cuda.mem_get_info()[0])


def _repeated(counts: torch.Tensor, n: int) -> torch.Tensor:
    """Return counts[i] times the number i, for every i; n is the sum of all counts."""
    numbers = torch.arange(len(counts), device=counts.device)
    return numbers.repeat_interleave(counts, output_size=n)


def _offsets(sizes: torch.Tensor) -> torch.Tensor:
    """Return the sums of all sizes before each, and of all, shape (n + 1,)."""
    return torch.nn.functional.pad(torch.cumsum(sizes, 0), (1, 0))


def _ranges(start: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Return the integers from start[i] to start[i] + sizes[i] - 1 of every i, in turn."""
    offset = (start - _offsets(sizes)[:-1]).repeat_interleave(sizes)
    return torch.arange(len(offset), device=offset.device) + offset
