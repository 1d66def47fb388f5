"""Neighbours of batches of small periodic cells on a card, and sums over pairs back to atoms."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from diverse.kernel.device import Device, Library


@dataclass(frozen=True)
class CudaPairs:
    """All pairs of atoms closer than a cutoff, each from both of its ends, as tensors on a card.

    Attributes
    ----------
    center, neighbour : Tensor of int64, shape (n_pairs,)
        Numbers of the atoms in the batch; sorted by center.
    first : Tensor of int64, shape (n_atoms + 1,)
        The pairs of atom i are first[i] to first[i + 1] - 1.
    vector : Tensor of float64, shape (n_pairs, 3), Å
    """

    center: torch.Tensor
    neighbour: torch.Tensor
    first: torch.Tensor
    vector: torch.Tensor


class CudaSearch:
    """Search for the pairs of cells of given sizes, by trying all atoms and images, and its sums.

    Every sum has one order, whatever else is in the batch: results are the same bits on one card.

    Parameters
    ----------
    library : Library
        Compiled for float64; any 2Jmax.
    device : Device
    first_atom : Tensor of int64, shape (n_cells + 1,)
        The atoms of cell c are first_atom[c] to first_atom[c + 1] - 1.
    """

    def __init__(self, library: Library, device: Device, first_atom: torch.Tensor) -> None:
        self._library, self._device, self._first_atom = library, device, first_atom
        self._n_atoms = int(first_atom[-1])

    def count(self, positions: torch.Tensor, cells: torch.Tensor, cutoff: float) -> torch.Tensor:
        """Return the number of pairs of each atom, shape (n_atoms,).

        It is -1 for an atom closer than 1e-3 Å to another, over 1e6 Å from the origin or not
        finite, and for the atoms of a cell that has no volume or is thinner than a twentieth of
        the cutoff.

        Parameters
        ----------
        positions : Tensor of float64, shape (n_atoms, 3), Å
        cells : Tensor of float64, shape (n_cells, 3, 3), Å
        cutoff : float, Å
        """
        counts = torch.empty(self._n_atoms, dtype=torch.int64, device=self._device.place)
        self._call("count_pairs", positions, cells, float(cutoff), counts)
        return counts

    def fill(
        self, positions: torch.Tensor, cells: torch.Tensor, cutoff: float, counts: torch.Tensor
    ) -> CudaPairs:
        """Return the pairs that `count` has counted for the same arguments, none of them -1."""
        first = torch.nn.functional.pad(torch.cumsum(counts, 0), (1, 0))
        n = int(first[-1])
        center, neighbour = torch.empty((2, n), dtype=torch.int64, device=self._device.place)
        vector = torch.empty((n, 3), dtype=torch.float64, device=self._device.place)
        self._call("fill_pairs", positions, cells, float(cutoff), first, center, neighbour, vector)
        return CudaPairs(center, neighbour, first, vector)

    def position_gradient(self, pairs: CudaPairs, by_pair: torch.Tensor) -> torch.Tensor:
        """Return the gradient by positions, shape (n_atoms, 3), given the one by pair vectors."""
        gradient = torch.empty((self._n_atoms, 3), dtype=by_pair.dtype, device=by_pair.device)
        self._call("pairs_to_atoms", pairs.first, pairs.neighbour, by_pair, gradient)
        return gradient

    def strain_gradient(self, pairs: CudaPairs, by_pair: torch.Tensor) -> torch.Tensor:
        """Return the gradient by the strain of each cell, shape (n_cells, 3, 3).

        Strain e takes every row vector r, atoms and lattice alike, to r (1 + e).
        """
        n_cells = len(self._first_atom) - 1
        gradient = torch.empty((n_cells, 3, 3), dtype=by_pair.dtype, device=by_pair.device)
        self._call("pairs_to_strains", pairs.first, pairs.vector, by_pair, gradient)
        return gradient

    def _call(self, name: str, *arguments: object) -> None:
        n_cells = len(self._first_atom) - 1
        self._library.call(name, self._device, n_cells, self._first_atom, *arguments)


def sum_ranges(
    library: Library, device: Device, first: torch.Tensor, values: torch.Tensor
) -> torch.Tensor:
    """Return the sums of values[first[i]] to values[first[i + 1] - 1], shape (n,), in float64.

    Each has one order, whatever else is summed.
    """
    sums = torch.empty(len(first) - 1, dtype=torch.float64, device=device.place)
    library.call("sum_ranges", device, len(sums), first, values, sums)
    return sums
