"""The loss of a network on batches of cells, and its gradient by the network's parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from diverse.kernel.cells import ComputedJacobian, ForceMap, StoredJacobian, ranges
from diverse.models.training.data import TrainingCells
from diverse.models.training.settings import TrainingSettings

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
        Over all environments of the cells.
    mean_energy : float, eV
        Per atom, added to what the network gives.

    Raises
    ------
    ValueError
        If a descriptor does not vary.
    """

    def __init__(self, cells: TrainingCells, settings: TrainingSettings) -> None:
        self.cells, self.settings = cells, settings
        self.mean, self.scale = _standardisation(cells.descriptors)
        self.mean_energy = float(cells.energies.sum() / len(cells.descriptors))
        self.dtype = getattr(torch, settings.precision)
        self.map = _force_map(cells, settings)

    def __call__(self, network: nn.Module, numbers: np.ndarray) -> Tensor:
        """Return the loss of the cells of these numbers, shape ()."""
        squares, rows = self.squares(network, numbers)
        return squares.sum() / rows.sum()

    def squares(self, network: nn.Module, numbers: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Return sums of squared weighted residuals, and numbers of rows: energies, forces."""
        first_atom = self.cells.pairs.first_atom
        atoms = ranges(first_atom[numbers], first_atom[numbers + 1])
        sizes = self.cells.n_atoms[numbers]
        cell_of_atom = torch.from_numpy(np.repeat(np.arange(len(numbers)), sizes))
        standard = self._tensor((self.cells.descriptors[atoms] - self.mean) / self.scale)
        standard.requires_grad_(True)
        training = torch.is_grad_enabled()
        with torch.enable_grad():
            site = network(standard)[:, 0]
            (slope,) = torch.autograd.grad(site.sum(), standard, create_graph=training)
        slope = slope / self._tensor(self.scale)
        forces = _forces(slope, self.map, numbers)
        energies = torch.zeros(len(numbers), dtype=self.dtype).index_add(0, cell_of_atom, site)
        excess = self._tensor(self.cells.energies[numbers] / sizes - self.mean_energy)
        energy_rows = self.settings.energy_weight * (energies / self._tensor(sizes) - excess)
        force_rows = self.settings.force_weight * (forces - self._tensor(self.cells.forces[atoms]))
        squares = torch.stack([(energy_rows**2).sum(), (force_rows**2).sum()])
        return squares, np.array([energy_rows.numel(), force_rows.numel()])

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(array, dtype=self.settings.precision))


def _force_map(cells: TrainingCells, settings: TrainingSettings) -> ForceMap:
    wanted = settings.jacobians
    if wanted == "auto":
        size = StoredJacobian.size(cells.pairs, cells.settings, settings.precision)
        wanted = "cached" if size <= settings.jacobian_memory else "matrix_free"
    chosen = StoredJacobian if wanted == "cached" else ComputedJacobian
    return chosen(cells.pairs, cells.settings, settings.precision)


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
    """Apply the map to a tensor; `Function.apply` has no types."""
    result: Tensor = _Forces.apply(slope, force_map, numbers)  # type: ignore[no-untyped-call]
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
