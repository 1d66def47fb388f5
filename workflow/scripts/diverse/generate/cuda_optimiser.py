"""The optimiser of optimiser.py on a card: the same phases, bounds and steps for whole batches.

Cells differ from those of the CPU by rounding, which the optimiser amplifies: their statistics are
the same, not their bytes. On one card a cell does not depend on the others of its batch but for
rounding in products of padded matrices.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import numpy as np
import torch

from diverse.generate.batch import Batch
from diverse.generate.cuda_batch import CudaBatch
from diverse.generate.cuda_objective import (
    CudaEntropyTerm,
    clipped,
    core_gradient,
    shortest_distances,
)
from diverse.generate.objective import BELOW_FLOOR, CLEARANCE, MAX_GRADIENT, EntropyTerm
from diverse.generate.optimiser import (
    DECAY,
    MAX_STRAIN,
    MEND_STEPS,
    SETTLE_STEPS,
    WEAK_GRADIENT,
    Bounds,
    OptimiserSettings,
)
from diverse.kernel.cuda_pairs import CudaPairs
from diverse.kernel.device import Device
from diverse.kernel.settings import BispectrumSettings

Slope = tuple[torch.Tensor, torch.Tensor | None]  # by positions (eV/Å) and by strain (eV)

logger = logging.getLogger(__name__)


def relax_on_card(
    batch: Batch,
    settings: OptimiserSettings,
    bounds: Bounds,
    entropy: EntropyTerm | None,
    *,
    device: Device,
    descriptor: BispectrumSettings,
) -> None:
    """Do on a card what `relax` does; a batch it has no room for goes there in halves.

    Parameters
    ----------
    batch, settings, bounds, entropy
        As of `relax`.
    device : Device
    descriptor : BispectrumSettings
        Its kernel is the library whose search and sums are used.

    Raises
    ------
    RuntimeError
        When the card has no room for a single cell.
    """
    try:
        there = CudaBatch(batch, device, descriptor)
        term = None if entropy is None else CudaEntropyTerm(entropy, device)
        _relax(there, settings, bounds, term)
        there.copy_back()
        return
    except torch.OutOfMemoryError as error:
        if len(batch.cells) == 1:
            raise RuntimeError(
                f"{device.name} has no memory left for a cell of {batch.sizes[0]} atoms: end what "
                "else runs on it, or use device: cpu."
            ) from error
        logger.warning(
            "%s has no memory for %d cells: they go there in halves", device.name, len(batch.cells)
        )
    torch.cuda.empty_cache()
    first = np.arange(len(batch.cells)) < len(batch.cells) // 2
    for half in (first, ~first):
        part = batch.part(half)
        relax_on_card(part, settings, bounds, entropy, device=device, descriptor=descriptor)
        batch.put_back(part, half)


def _relax(
    batch: CudaBatch, settings: OptimiserSettings, bounds: Bounds, entropy: CudaEntropyTerm | None
) -> None:
    wall = bounds.d_min + CLEARANCE
    reach = max(wall, bounds.core)

    def settle(pairs: CudaPairs) -> Slope:
        core = core_gradient(batch, pairs, bounds.d_min, stiffness=bounds.stiffness)
        return batch.search.position_gradient(pairs, core), None

    _descend(batch, settings, settle, steps=SETTLE_STEPS, cutoff=reach)
    if entropy is not None:
        term, cell = entropy, bounds if settings.relax_cell else None

        def rise(pairs: CudaPairs) -> Slope:
            return total_gradient(batch, pairs, bounds, term, with_strain=cell is not None)

        cutoff = max(entropy.cutoff, reach)
        _descend(batch, settings, rise, steps=settings.steps, cutoff=cutoff, cell=cell)

    close = (shortest_distances(batch, batch.pairs(wall)) < bounds.d_min) & ~batch.failed
    if not bool(close.any()):
        return

    def mend(pairs: CudaPairs) -> Slope:
        core = core_gradient(batch, pairs, bounds.d_min, stiffness=0)
        moved = close[batch.cell_of_atom, None]
        return torch.where(moved, batch.search.position_gradient(pairs, core), 0.0), None

    _descend(batch, settings, mend, steps=MEND_STEPS, cutoff=wall)


def total_gradient(
    batch: CudaBatch,
    pairs: CudaPairs,
    bounds: Bounds,
    entropy: CudaEntropyTerm,
    *,
    with_strain: bool,
) -> Slope:
    """Return the gradients that `optimiser.total_gradient` returns."""
    search = batch.search
    active = shortest_distances(batch, pairs) >= bounds.d_min - BELOW_FLOOR
    core = core_gradient(batch, pairs, bounds.d_min, stiffness=bounds.stiffness)
    push = entropy(batch, pairs, active & ~batch.failed)
    by_entropy = clipped(search.position_gradient(pairs, push), MAX_GRADIENT)
    positions = search.position_gradient(pairs, core) + by_entropy
    if not with_strain:
        return positions, None
    pull = clipped(search.strain_gradient(pairs, push).view(-1, 9), MAX_GRADIENT * batch.sizes)
    strain = search.strain_gradient(pairs, core)
    trace = torch.einsum("cxx->c", strain)[:, None, None]
    identity = torch.eye(3, dtype=strain.dtype, device=strain.device)
    return positions, strain - trace / 3 * identity + pull.view(-1, 3, 3)


def _descend(
    batch: CudaBatch,
    settings: OptimiserSettings,
    slope_of: Callable[[CudaPairs], Slope],
    *,
    steps: int,
    cutoff: float,
    cell: Bounds | None = None,
) -> None:
    atoms, strains = _Moments(batch.positions), _Moments(batch.cells.view(-1, 9))
    for step in range(steps):
        positions, strain = slope_of(batch.pairs(cutoff))
        length = settings.step_size * 0.5 * (1 + math.cos(math.pi * step / steps))
        batch.positions = batch.positions - length * atoms.direction(positions)
        if cell is not None and strain is not None:
            _strain(batch, strains, strain, length)
            _keep_volume(batch, cell)


def _strain(batch: CudaBatch, moments: _Moments, gradient: torch.Tensor, length: float) -> None:
    """Strain each cell, without turning it, so that its edges move by about `length`."""
    edge = batch.volumes ** (1 / 3)
    symmetric = 0.5 * (gradient + gradient.transpose(1, 2))
    direction = moments.direction((symmetric / edge[:, None, None]).view(-1, 9)).view(-1, 3, 3)
    size = torch.clamp(length / edge, max=MAX_STRAIN)
    identity = torch.eye(3, dtype=edge.dtype, device=edge.device)
    deformation = identity - size[:, None, None] * direction
    batch.cells = batch.cells @ deformation
    batch.positions = (batch.positions[:, None] @ deformation[batch.cell_of_atom])[:, 0]


def _keep_volume(batch: CudaBatch, bounds: Bounds) -> None:
    """Scale cells that left the bounds on the volume per atom back to them."""
    per_atom = batch.volumes / batch.sizes
    scale = (torch.clamp(per_atom, *bounds.volume) / per_atom) ** (1 / 3)
    batch.cells = batch.cells * scale[:, None, None]
    batch.positions = batch.positions * scale[batch.cell_of_atom, None]


class _Moments:
    """Adam's running moments; the second is one number for each row, as of `optimiser`."""

    def __init__(self, like: torch.Tensor) -> None:
        self._first, self._second, self._steps = torch.zeros_like(like), like.new_zeros(()), 0

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        """Take in a gradient, shape (n, m), and return rows of length about 1 or less."""
        self._steps += 1
        keep, keep_square = DECAY
        self._first = self._first + (1 - keep) * (gradient - self._first)
        square = (gradient**2).sum(dim=1, keepdim=True)
        self._second = self._second + (1 - keep_square) * (square - self._second)
        mean = self._first / (1 - keep**self._steps)
        spread = torch.sqrt(self._second / (1 - keep_square**self._steps))
        return mean / (spread + WEAK_GRADIENT)
