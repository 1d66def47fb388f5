"""Errors of networks on padded batches of cells, on a card: the terms of the loss of loss.py.

All sums are in float64, and padding weighs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from diverse.kernel.cuda_maps import BatchPairs
from diverse.models.network.loss import ForceLoss


@dataclass(frozen=True)
class PaddedErrors:
    """Errors of a padded batch, one network after the other; zero where there is only padding.

    Attributes
    ----------
    energies : Tensor, shape (n_networks, n_cells), eV/atom
    forces : Tensor, shape (n_networks * n_atoms, 3), eV/Å
    energy_weights, force_weights : Tensor, shape (n_networks, n_cells)
        Squared weights of the rows of each cell.
    sizes : Tensor, shape (n_networks, n_cells)
        Atoms of each cell; 0 of padding.
    cell : Tensor of int64, shape (n_networks * n_atoms,)
        Cell of each atom, counted through all networks.
    """

    energies: torch.Tensor
    forces: torch.Tensor
    energy_weights: torch.Tensor
    force_weights: torch.Tensor
    sizes: torch.Tensor
    cell: torch.Tensor

    def sums(self, squared_forces: torch.Tensor) -> torch.Tensor:
        """Return what `Training.validate` adds up over batches, shape (5, n_networks).

        Weighted squares, squares of energies and of forces, numbers of energies and of force
        components.

        Parameters
        ----------
        squared_forces : Tensor, shape (n_networks * n_cells,)
            Sum of the squared errors of the force components of each cell.
        """
        of_forces, of_energies = squared_forces.view_as(self.sizes), self.energies**2
        weighted = self.energy_weights * of_energies + self.force_weights * of_forces
        terms = [weighted, of_energies, of_forces, (self.sizes > 0).double(), 3 * self.sizes]
        return torch.stack([term.sum(dim=1) for term in terms])

    def gradients(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the gradients of the losses by energies, (n,), and by forces, (n, 3), of atoms."""
        rows = ((self.sizes > 0) + 3 * self.sizes).sum(dim=1, keepdim=True)
        by_energy = 2 / rows * self.energy_weights * self.energies / self.sizes.clamp(min=1)
        by_force = 2 / rows * self.force_weights
        by_atom = by_force.view(-1)[self.cell, None] * self.forces
        return by_energy.view(-1)[self.cell], by_atom


class PaddedTargets:
    """Labels of all cells on a card; one cell more, of no atoms, is padding.

    Parameters
    ----------
    loss : ForceLoss
    tensor : callable
        Puts an array on the card.
    """

    def __init__(self, loss: ForceLoss, tensor: Callable[[np.ndarray], torch.Tensor]) -> None:
        cells, settings = loss.cells, loss.settings
        self._energies, self._sizes = (
            tensor(np.append(np.asarray(array, dtype=float), 0.0))
            for array in (cells.energies, cells.n_atoms)
        )
        self._forces = tensor(np.asarray(cells.forces, dtype=settings.precision))
        self._mean = tensor(loss.mean_energy)[:, None]
        n_networks, everything = len(loss.lowest), np.arange(len(cells.labels))
        weights = [loss.cell_weights(everything, np.array([k])) for k in range(n_networks)]
        self._weights = tensor(np.pad(weights, [(0, 0), (0, 1)]))  # (n_networks, n_cells + 1)
        self._of_rows = settings.energy_weight, settings.force_weight

    def errors(
        self, numbers: torch.Tensor, batch: BatchPairs, sums: torch.Tensor, forces: torch.Tensor
    ) -> PaddedErrors:
        """Return the errors of a padded batch.

        Parameters
        ----------
        numbers : Tensor of int64, shape (n_networks, n_cells)
        batch : BatchPairs
            That `CudaMap.padded` returns for these numbers, with a cell more for each network.
        sums : Tensor, shape (n_networks * (n_cells + 1),), eV
            Energies by cell.
        forces : Tensor, shape (n_networks * n_atoms, 3), eV/Å
        """
        pad = torch.nn.functional.pad
        sizes = pad(self._sizes[numbers], (0, 1))
        there = sizes > 0
        truth = self._energies[numbers] / self._sizes[numbers].clamp(min=1) - self._mean
        energies = sums.view_as(sizes) / sizes.clamp(min=1) - pad(truth, (0, 1))
        network = torch.arange(len(numbers), device=numbers.device)[:, None]
        weights = pad(self._weights[network, numbers], (0, 1))
        counts = torch.diff(batch.first_atom)
        cell = torch.arange(len(counts), device=counts.device)
        cell = cell.repeat_interleave(counts, output_size=len(batch.atoms))
        wrong = forces - self._forces[batch.atoms].double()
        return PaddedErrors(
            energies=torch.where(there, energies, 0.0),
            forces=torch.where(there.view(-1)[cell, None], wrong, 0.0),
            energy_weights=(self._of_rows[0] * weights) ** 2,
            force_weights=(self._of_rows[1] * weights) ** 2,
            sizes=sizes,
            cell=cell,
        )
