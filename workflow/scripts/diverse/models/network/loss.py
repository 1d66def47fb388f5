"""The loss of a network on batches of cells, and its gradient by the network's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from diverse.kernel.force_maps import ComputedJacobian, ForceMap, StoredJacobian, ranges
from diverse.models.network.data import TrainingCells
from diverse.models.network.settings import TrainingSettings
from diverse.models.weights import energy_dependent_weight

ROWS_AT_ONCE = 100_000


class ForceLoss:
    """Mean squared weighted residual over all energy and force rows of a batch.

    The network maps standardised descriptors x = (B - mean) / scale to an atom's energy e. Forces
    are -de/dB dB/dr, where dB/dr is a `ForceMap`: linear in de/dB, so the gradient of the loss by
    de/dB is its adjoint.

    Parameters
    ----------
    cells : TrainingCells
    settings : TrainingSettings

    Attributes
    ----------
    mean, scale : ndarray, shape (D,)
        Mean and standard deviation over all environments of the cells.
    mean_energy : float, eV
        Mean energy per atom, added to the output of the network.
    weights : ndarray, shape (n_cells,)
        Row weights of the cells, beside the weights of energies and of forces.

    Raises
    ------
    ValueError
        If a descriptor does not vary.
    """

    def __init__(self, cells: TrainingCells, settings: TrainingSettings) -> None:
        self.cells, self.settings = cells, settings
        self.mean, self.scale = _standardisation(cells.descriptors)
        self.mean_energy = float(cells.energies.sum() / len(cells.descriptors))
        self.weights = _cell_weights(cells.labels, settings.energy_scale)
        self.map = _force_map(cells, settings)

    def __call__(self, network: nn.Module, numbers: np.ndarray) -> Tensor:
        """Return the loss of the cells of these numbers, shape ()."""
        energies, forces = self.residuals(network, numbers)
        return self.sum_squares(energies, forces, numbers) / (energies.numel() + forces.numel())

    def residuals(self, network: nn.Module, numbers: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return errors of energies (eV/atom, shape (n,)) and forces (eV/Å, (n_atoms, 3))."""
        cells, sizes = self.cells, self.cells.n_atoms[numbers]
        atoms = ranges(cells.pairs.first_atom[numbers], cells.pairs.first_atom[numbers + 1])
        cell_of_atom = torch.from_numpy(np.repeat(np.arange(len(numbers)), sizes))
        standard = self._tensor((cells.descriptors[atoms] - self.mean) / self.scale)
        standard.requires_grad_(True)
        training = torch.is_grad_enabled()
        with torch.enable_grad():
            site = network(standard)[:, 0]
            (slope,) = torch.autograd.grad(site.sum(), standard, create_graph=training)
        forces = _forces(slope / self._tensor(self.scale), self.map, numbers)
        energies = torch.zeros(len(numbers), dtype=site.dtype).index_add(0, cell_of_atom, site)
        truth = self._tensor(cells.energies[numbers] / sizes - self.mean_energy)
        return energies / self._tensor(sizes) - truth, forces - self._tensor(cells.forces[atoms])

    def sum_squares(self, energies: Tensor, forces: Tensor, numbers: np.ndarray) -> Tensor:
        """Return the sum of squares of all weighted residuals, shape ()."""
        of_cell = self._tensor(self.weights[numbers])
        of_atom = self._tensor(np.repeat(self.weights[numbers], self.cells.n_atoms[numbers]))
        energy_rows = self.settings.energy_weight * of_cell * energies
        force_rows = self.settings.force_weight * of_atom[:, None] * forces
        return (energy_rows**2).sum() + (force_rows**2).sum()

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(array, dtype=self.settings.precision))


def _force_map(cells: TrainingCells, settings: TrainingSettings) -> ForceMap:
    wanted = settings.jacobians
    if wanted == "auto":
        size = StoredJacobian.largest_size(cells.pairs, cells.settings, settings.precision)
        wanted = "cached" if size <= settings.jacobian_memory else "matrix_free"
    chosen = StoredJacobian if wanted == "cached" else ComputedJacobian
    return chosen(cells.pairs, cells.settings, settings.precision)


def _cell_weights(energies: np.ndarray, scale: float | None) -> np.ndarray:
    """Return the weight of each cell, given its energy (eV/atom); 1 without a scale."""
    if scale is None:
        return np.ones(len(energies))
    return energy_dependent_weight(energies, energies.min(), scale)


def _standardisation(descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(descriptors)
    mean = sum(chunk.sum(axis=0) for chunk in _chunks(descriptors)) / n
    variance = sum(((chunk - mean) ** 2).sum(axis=0) for chunk in _chunks(descriptors)) / n
    scale = np.sqrt(variance)
    constant = np.flatnonzero(~(scale > 1e-12 * np.abs(mean))).tolist()
    if constant:
        raise ValueError(
            f"descriptor components {constant} do not vary over the training set: add cells"
        )
    return mean, scale


def _chunks(rows: np.ndarray) -> Iterator[np.ndarray]:
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[begin : begin + ROWS_AT_ONCE]


def _forces(slope: Tensor, force_map: ForceMap, numbers: np.ndarray) -> Tensor:
    result: Tensor = _Forces.apply(slope, force_map, numbers)
    return result


class _Forces(torch.autograd.Function):
    """Forces from slopes, linear; the backward pass is the adjoint."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, force_map: ForceMap, numbers: np.ndarray) -> Any:
        ctx.force_map, ctx.numbers = force_map, numbers
        return torch.from_numpy(force_map.forces(numbers, slope.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> Any:
        slope = ctx.force_map.adjoint(ctx.numbers, cotangents[0].contiguous().numpy())
        return torch.from_numpy(slope), None, None
