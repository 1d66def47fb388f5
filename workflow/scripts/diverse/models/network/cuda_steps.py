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
from diverse.kernel.cuda_maps import BatchPairs, CudaMap
from diverse.models.network.adamw import DECAYS, AdamW
from diverse.models.network.cuda_errors import PaddedErrors, PaddedTargets
from diverse.models.network.cuda_stack import CudaNetworkStack
from diverse.models.network.loss import DivergedError, ForceLoss
from diverse.models.network.stack import NetworkStack
from diverse.models.network.steps import Batches, Steps

SPARE = 8  # sizes of padded batches are 8 to 16 times a power of two


@dataclass(frozen=True)
class Room:
    """Sizes of padded batches: cells and atoms of each network, pairs of all together."""

    cells: int
    atoms: int
    pairs: int


class CudaSteps(Steps):
    """Training steps of a stack of networks on a card, many in one call.

    The same seeds give the same bytes on one card with one version of torch, also when a training
    goes on from a checkpoint: the sizes of padded batches follow from those of one call alone.

    Parameters
    ----------
    loss : ForceLoss
        Its map must lie on a card.
    stack : NetworkStack
        A `CudaNetworkStack`.
    optimiser : AdamW
        Its state on the host is that after the last call of `run`.
    """

    cells_at_once, cells_of_part = 2048, 200_000

    def __init__(self, loss: ForceLoss, stack: NetworkStack, optimiser: AdamW) -> None:
        if loss.device is None or not isinstance(loss.map, CudaMap):
            raise TypeError("The loss of CudaSteps must lie on a card.")
        if not isinstance(stack, CudaNetworkStack):
            raise TypeError("The stack of CudaSteps must lie on a card.")
        super().__init__(loss, stack, optimiser)
        self._networks, self._map = stack, loss.map
        self._device, self._decay = loss.device, loss.settings.weight_decay
        self._room = Room(0, 0, 0)
        self._replay: Callable[[], None] = lambda: None
        self._parameters, self._means, self._squares = (
            self._tensor(array).clone()
            for array in (stack.parameters, optimiser.means, optimiser.squares)
        )
        self._parameters.requires_grad_()
        self._rates = self._parameters.new_zeros(3).detach()
        self._losses = self._tensor(np.zeros(len(stack.parameters)))
        self._targets = PaddedTargets(loss, self._tensor)

    def run(self, batches: Sequence[Batches], rates: Sequence[float]) -> np.ndarray:
        """Take the steps that `Steps.run` takes; return losses, shape (n_steps, n_networks)."""
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

    def sums(self, batch: Batches) -> np.ndarray:
        """Return the sums that `Steps.sums` returns."""
        self._upload()
        found = self._evaluate(self._numbers([batch])[0], self._room_for([batch]))
        sums: np.ndarray = found.errors.sums(found.squared_forces).cpu().numpy()
        DivergedError.check(np.isfinite(sums).all(axis=0), np.arange(sums.shape[1] + 1))
        return sums

    def _prepare(self, room: Room, numbers: torch.Tensor) -> None:
        """Queue a step for batches of these sizes, unless the last call has."""
        if room == self._room:
            return
        self._room, self._replay = room, lambda: None  # the old graph gives its memory back
        self._cells = numbers.clone()
        self._replay = recorded(self._step, self._device)

    def _step(self) -> None:
        """Take one step: reads cells and rates, writes losses, parameters and their means."""
        found = self._evaluate(self._cells, self._room)
        weighted, _, _, *rows = found.errors.sums(found.squared_forces)
        self._losses.copy_(weighted / sum(rows))
        by_energy, by_force = found.errors.gradients()
        by_slope = self._map.batch_adjoint(found.batch, by_force.to(found.slopes.dtype))
        (gradient,) = torch.autograd.grad(
            [found.energies, found.slopes],
            self._parameters,
            [by_energy.to(by_slope.dtype).view_as(found.energies), by_slope.view_as(found.slopes)],
        )
        self._descend(gradient)

    def _evaluate(self, cells: torch.Tensor, room: Room) -> _Evaluated:
        batch = self._map.padded(cells, room.atoms, room.pairs)
        rows = self._networks.rows(self._loss.cells.descriptors)[batch.atoms]
        shape = len(cells), room.atoms, -1
        energies, slopes = self._networks.evaluate(self._parameters, rows.view(shape))
        forces = self._map.batch_forces(batch, slopes.detach().flatten(0, 1)).double()
        site = energies.detach().double().flatten()
        sums = self._map.sum_ranges(batch.first_atom, site)
        errors = self._targets.errors(cells, batch, sums, forces)
        squared = self._map.sum_ranges(batch.first_atom, (errors.forces**2).sum(dim=1))
        return _Evaluated(batch, energies, slopes, errors, squared)

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
        pairs = max(sum(int(self._map.pairs_of_cell[part].sum()) for part in b) for b in batches)
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
class _Evaluated:
    """Networks on a padded batch; energies and slopes can be differentiated by the parameters."""

    batch: BatchPairs
    energies: torch.Tensor
    slopes: torch.Tensor
    errors: PaddedErrors
    squared_forces: torch.Tensor


def _rounded(n: int) -> int:
    """Return n rounded up, so that batches of about one size get the same number."""
    unit = max(1, 2 ** (n.bit_length() - 1) // SPARE)
    return -(-n // unit) * unit
