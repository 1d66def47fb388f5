"""Many periodic cells as tensors on a card, moved together and each on its own."""

from __future__ import annotations

import torch

from diverse.generate.batch import Batch
from diverse.kernel import GeometryError
from diverse.kernel.cuda_pairs import CudaPairs, CudaSearch
from diverse.kernel.device import Device
from diverse.kernel.settings import BispectrumSettings


class CudaBatch:
    """The cells of a `Batch` on a card; `positions`, `cells` and `failed` change there.

    Parameters
    ----------
    batch : Batch
    device : Device
    descriptor : BispectrumSettings
        Its kernel is the library whose search and sums are used.

    Attributes
    ----------
    positions : Tensor, shape (n_atoms, 3), Å
    cells : Tensor, shape (n_cells, 3, 3), Å
    core : Tensor, shape (n_cells,), Å
        Core radius of each cell.
    failed : Tensor of bool, shape (n_cells,)
    sizes, cell_of_atom : Tensor of int64, shapes (n_cells,) and (n_atoms,)
    place : Tensor of int64, shape (n_atoms,)
        Number of each atom in its cell.
    search : CudaSearch
    """

    def __init__(self, batch: Batch, device: Device, descriptor: BispectrumSettings) -> None:
        self._host = batch
        first_atom = torch.tensor(batch.first_atom, device=device.place)
        self.positions, self.cells, self.core, self.failed = (
            torch.tensor(array, device=device.place)
            for array in (batch.positions, batch.cells, batch.core, batch.failed)
        )
        self.sizes, self.cell_of_atom = (
            torch.tensor(array, device=device.place) for array in (batch.sizes, batch.cell_of_atom)
        )
        atoms = torch.arange(len(self.positions), device=device.place)
        self.place = atoms - first_atom[self.cell_of_atom]
        self._n_most = int(batch.sizes.max())
        library = device.library(descriptor.twojmax, "float64")
        self.search = CudaSearch(library, device, first_atom)

    def pairs(self, cutoff: float) -> CudaPairs:
        """Return all pairs closer than `cutoff` (Å); cells that have none to give are parked.

        Raises
        ------
        GeometryError
            If a cell cannot be searched although it is parked.
        """
        counts = self._counts(cutoff)
        if bool((counts < 0).any()):
            self._park(counts < 0)
            counts = self._counts(cutoff)
        if bool((counts < 0).any()):
            cell = int(self.cell_of_atom[torch.argmin(counts)])
            vectors = self.cells[cell].tolist()
            raise GeometryError(f"Cell {cell} has no usable lattice vectors: {vectors} Å.", cell)
        return self.search.fill(self.positions, self.cells, cutoff, counts)

    @property
    def volumes(self) -> torch.Tensor:
        """Volume of each cell, shape (n_cells,), Å^3."""
        a, b, c = self.cells.unbind(dim=1)
        return (torch.linalg.cross(a, b) * c).sum(dim=1).abs()

    def padded(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows of atoms, shape (n_atoms, m), by cell, (n_cells, n_most, m), zeros added."""
        shape = len(self.cells), self._n_most, rows.shape[1]
        by_cell = torch.zeros(shape, dtype=rows.dtype, device=rows.device)
        by_cell[self.cell_of_atom, self.place] = rows
        return by_cell

    def flat(self, by_cell: torch.Tensor) -> torch.Tensor:
        """Return the rows of atoms, shape (n_atoms, m), from the result of `padded`."""
        return by_cell[self.cell_of_atom, self.place]

    def any_of_cell(self, atoms: torch.Tensor) -> torch.Tensor:
        """Return whether any atom of a cell is in a mask, shape (n_cells,)."""
        found = torch.zeros(len(self.cells), device=atoms.device)
        return found.index_add(0, self.cell_of_atom, atoms.float()) > 0

    def copy_back(self) -> None:
        """Copy positions, vectors and failures to the batch on the host."""
        self._host.positions, self._host.cells, self._host.failed = (
            tensor.cpu().numpy() for tensor in (self.positions, self.cells, self.failed)
        )

    def _counts(self, cutoff: float) -> torch.Tensor:
        return self.search.count(self.positions, self.cells, cutoff)

    def _park(self, atoms: torch.Tensor) -> None:
        """Give up the cells of some atoms as `Batch.park` does."""
        bad = self.any_of_cell(atoms)
        self.failed |= bad
        share = self.place / self.sizes[self.cell_of_atom]
        parked = share[:, None] * self.cells[self.cell_of_atom, 0]
        self.positions = torch.where(bad[self.cell_of_atom, None], parked, self.positions)
