"""Steps of training wholly on a card: loss, gradient and AdamW as one CUDA graph.

A graph is queued once and replayed, with other numbers of cells: nothing in it may have a shape
that depends on them, so batches are padded. What is padded weighs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from diverse.kernel.cuda_graph import recorded
from diverse.kernel.cuda_maps import CellPairs, CudaMap
from diverse.models.network.adamw import DECAYS, AdamW
from diverse.models.network.cuda_stack import CudaNetworkStack
from diverse.models.network.loss import DivergedError, ForceLoss
from diverse.models.network.stack import NetworkStack

Batches = Sequence[np.ndarray]  # numbers of some cells for each network

SPARE = 8  # sizes of padded batches are 8 to 16 times a power of two


@dataclass(frozen=True)
class Room:
    """Sizes of padded batches: cells and atoms of each network, pairs of all together."""

    cells: int
    atoms: int
    pairs: int


class CudaSteps:
    """Training steps of a stack of networks on a card, all of an epoch in one call.

    The same seeds give the same bytes on one card with one version of torch, also when a training
    goes on from a checkpoint: the sizes of an epoch's batches follow from that epoch alone.

    Parameters
    ----------
    loss : ForceLoss
        Its map must lie on a card.
    stack : NetworkStack
        A `CudaNetworkStack`.
    optimiser : AdamW
        Its state on the host is that after the last call of `run`.
    """

    def __init__(self, loss: ForceLoss, stack: NetworkStack, optimiser: AdamW) -> None:
        if loss.device is None or not isinstance(loss.map, CudaMap):
            raise TypeError("The loss of CudaSteps must lie on a card.")
        if not isinstance(stack, CudaNetworkStack):
            raise TypeError("The stack of CudaSteps must lie on a card.")
        self._loss, self._stack, self._optimiser, self._map = loss, stack, optimiser, loss.map
        self._device, self._decay = loss.device, loss.settings.weight_decay
        self._room = Room(0, 0, 0)
        self._replay: Callable[[], None] = lambda: None
        cells = loss.cells
        self._pairs_of_cell = np.diff(cells.pairs.first[cells.pairs.first_atom])
        self._parameters, self._means, self._squares = (
            self._tensor(array).clone()
            for array in (stack.parameters, optimiser.means, optimiser.squares)
        )
        self._parameters.requires_grad_()
        self._rates = self._parameters.new_zeros(3).detach()
        self._losses = self._tensor(np.zeros(len(stack.parameters)))
        self._targets = _Targets(loss, self._tensor)

    def run(self, batches: Sequence[Batches], rates: Sequence[float]) -> np.ndarray:
        """Take a step with each batch at its learning rate; return losses, (n_steps, n_networks).

        Raises
        ------
        DivergedError
            If a loss is not finite.
        """
        numbers = self._numbers(batches)
        self._prepare(self._room_for(batches), numbers[0])
        rows = self._tensor(self._rates_of(rates)).to(self._rates.dtype)
        losses = torch.empty((len(batches), len(self._losses)), dtype=torch.float64)
        losses = losses.to(self._losses.device)
        self._upload()
        for step in range(len(batches)):
            self._cells.copy_(numbers[step])
            self._rates.copy_(rows[step])
            self._replay()
            losses[step].copy_(self._losses)
        self._download(len(batches))
        found: np.ndarray = losses.cpu().numpy()
        for of_step in found:
            DivergedError.check(np.isfinite(of_step), np.arange(len(of_step) + 1))
        return found

    def _prepare(self, room: Room, numbers: torch.Tensor) -> None:
        """Queue a step for batches of these sizes, unless the last call has."""
        if room == self._room:
            return
        self._room, self._replay = room, lambda: None  # the old graph gives its memory back
        self._cells = numbers.clone()
        self._replay = recorded(self._step, self._device)

    def _step(self) -> None:
        """Take one step: reads cells and rates, writes losses, parameters and their means."""
        batch = self._map.padded(self._cells, self._room.atoms, self._room.pairs)
        rows = self._stack.rows(self._loss.cells.descriptors)
        shape = len(self._cells), self._room.atoms
        chosen = rows[batch.atoms].view(*shape, -1)
        energies, slopes = self._stack.evaluate(self._parameters, chosen)
        forces = self._map.batch_forces(batch, slopes.detach().flatten(0, 1))
        sums = self._map.sum_ranges(batch.first_atom, energies.detach().double().flatten())
        errors = self._targets.errors(self._cells, batch, sums, forces.double())
        squares = self._map.sum_ranges(batch.first_atom, (errors.forces**2).sum(dim=1))
        self._losses.copy_(errors.losses(squares))
        by_energy, by_force = errors.gradients()
        by_slope = self._map.batch_adjoint(batch, by_force.to(slopes.dtype))
        (gradient,) = torch.autograd.grad(
            [energies, slopes],
            self._parameters,
            [by_energy.to(energies.dtype).view(shape), by_slope.view_as(slopes)],
        )
        self._descend(gradient)

    def _descend(self, gradient: torch.Tensor) -> None:
        """Take the step of AdamW that kernel/cpp/network.hpp takes."""
        kept, step, root = self._rates
        keep, keep_square = DECAYS
        with torch.no_grad():
            self._means += (1 - keep) * (gradient - self._means)
            self._squares += (1 - keep_square) * (gradient**2 - self._squares)
            change = self._means / (torch.sqrt(self._squares) * root + 1e-8)
            self._parameters.copy_(kept * self._parameters - step * change)

    def _rates_of(self, rates: Sequence[float]) -> np.ndarray:
        """Return what a step keeps of parameters, its length and the scale of roots, (n, 3)."""
        steps = self._optimiser.steps + 1 + np.arange(len(rates))
        correction, square_correction = (1 - decay**steps for decay in DECAYS)
        given = np.asarray(rates)
        return np.stack(
            [1 - given * self._decay, given / correction, 1 / np.sqrt(square_correction)], axis=1
        )

    def _numbers(self, batches: Sequence[Batches]) -> torch.Tensor:
        """Return the cells of all steps, shape (n_steps, n_networks, n_cells), padded."""
        most = max(len(part) for batch in batches for part in batch)
        shape = len(batches), len(batches[0]), most
        numbers = np.full(shape, len(self._loss.cells.energies))
        for step, batch in enumerate(batches):
            for network, part in enumerate(batch):
                numbers[step, network, : len(part)] = part
        return self._tensor(numbers)

    def _room_for(self, batches: Sequence[Batches]) -> Room:
        sizes = self._loss.cells.n_atoms
        atoms = max(int(sizes[part].sum()) for batch in batches for part in batch)
        pairs = max(sum(int(self._pairs_of_cell[part].sum()) for part in b) for b in batches)
        cells = max(len(part) for batch in batches for part in batch)
        return Room(cells, _rounded(atoms), _rounded(pairs))

    def _upload(self) -> None:
        with torch.no_grad():
            self._parameters.copy_(self._tensor(self._stack.parameters))
            self._means.copy_(self._tensor(self._optimiser.means))
            self._squares.copy_(self._tensor(self._optimiser.squares))

    def _download(self, n_steps: int) -> None:
        self._stack.parameters[:] = self._parameters.detach().cpu().numpy()
        self._optimiser.means[:] = self._means.cpu().numpy()
        self._optimiser.squares[:] = self._squares.cpu().numpy()
        self._optimiser.steps += n_steps

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.asarray(array), device=self._device.place)


@dataclass(frozen=True)
class _Errors:
    """Errors of a padded batch, flattened over networks: zero where nothing but padding is.

    `of_cell` and `of_forces` are squared weights of energies and forces of each cell, `rows` the
    rows of each network, and `cell` the cell of each atom.
    """

    energies: torch.Tensor
    forces: torch.Tensor
    of_cell: torch.Tensor
    of_forces: torch.Tensor
    rows: torch.Tensor
    sizes: torch.Tensor
    cell: torch.Tensor

    def losses(self, squared_forces: torch.Tensor) -> torch.Tensor:
        """Return the mean squared weighted residual of each network."""
        weighted = self.of_cell * self.energies**2 + self.of_forces * squared_forces
        return weighted.view(len(self.rows), -1).sum(dim=1) / self.rows

    def gradients(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the gradients of the losses by the energies and the forces of the atoms."""
        n_cells = len(self.energies) // len(self.rows)
        factor = (2 / self.rows)[:, None].expand(-1, n_cells).reshape(-1)
        by_energy = factor * self.of_cell * self.energies / self.sizes
        by_force = factor * self.of_forces
        return by_energy[self.cell], by_force[self.cell, None] * self.forces


class _Targets:
    """Targets of the networks on a card; one cell more, of no atoms, is padding."""

    def __init__(self, loss: ForceLoss, tensor: Callable[[np.ndarray], torch.Tensor]) -> None:
        cells, self._settings = loss.cells, loss.settings
        self._energies, self._sizes = (
            tensor(np.append(np.asarray(array, dtype=float), 0.0))
            for array in (cells.energies, cells.n_atoms)
        )
        self._forces = tensor(np.asarray(cells.forces, dtype=loss.settings.precision))
        self._mean = tensor(loss.mean_energy)[:, None]
        n_networks, everything = len(loss.lowest), np.arange(len(cells.labels))
        weights = [loss.cell_weights(everything, np.array([k])) for k in range(n_networks)]
        self._of_cell = tensor(np.pad(weights, [(0, 0), (0, 1)]))

    def errors(
        self, numbers: torch.Tensor, batch: CellPairs, sums: torch.Tensor, forces: torch.Tensor
    ) -> _Errors:
        """Return the errors of a padded batch, given its energies by cell and its forces."""
        sizes = torch.nn.functional.pad(self._sizes[numbers], (0, 1))  # padding has none
        there = sizes > 0
        divisor = sizes.clamp(min=1)
        truth = self._energies[numbers] / self._sizes[numbers].clamp(min=1) - self._mean
        energies = sums.view_as(sizes) / divisor - torch.nn.functional.pad(truth, (0, 1))
        weight = torch.nn.functional.pad(self._weights(numbers), (0, 1)) * there
        counts = torch.diff(batch.first_atom)
        cell = torch.arange(len(counts), device=counts.device)
        cell = cell.repeat_interleave(counts, output_size=len(batch.atoms))
        real = there.view(-1)[cell, None]
        targets = self._forces[batch.atoms].double()
        return _Errors(
            energies=torch.where(there, energies, 0.0).view(-1),
            forces=torch.where(real, forces - targets, 0.0),
            of_cell=((self._settings.energy_weight * weight) ** 2).view(-1),
            of_forces=((self._settings.force_weight * weight) ** 2).view(-1),
            rows=(there + 3 * sizes).sum(dim=1),
            sizes=divisor.view(-1),
            cell=cell,
        )

    def _weights(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the weight of each cell for its network, shape (n_networks, n_cells)."""
        network = torch.arange(len(numbers), device=numbers.device)[:, None]
        return self._of_cell[network, numbers]


def _rounded(n: int) -> int:
    """Return n rounded up, so that batches of about one size get the same number."""
    unit = max(1, 2 ** (n.bit_length() - 1) // SPARE)
    return -(-n // unit) * unit
