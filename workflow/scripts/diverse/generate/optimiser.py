"""Optimiser of atoms and cells: the entropy of their descriptors grows, and the floor holds.

Three phases, each with fresh moments and a step that falls to nothing:
1. settle: the core alone takes a random cell apart (cheap: no descriptors);
2. raise: core - K * entropy, entropy off in a cell whose shortest distance fell below the floor
   by more than 0.03 Å, so that a strong entropy cannot collapse it; the cell moves here only,
   and the core changes its shape but not its volume, or it would inflate every dense cell;
3. mend: the wall at the floor alone, in cells below it; it moves nothing but what is too close.
The `random` family has phases 1 and 3. After Karabin and Perez, J. Chem. Phys. 153, 094110 (2020).

The mover is Adam (Kingma and Ba, arXiv:1412.6980, algorithm 1) with one second moment for each
atom and for each cell's strain, so that it turns with the cell. Everything is kept by atom and by
cell: a cell goes its way whatever else is in the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diverse.generate.batch import Batch
from diverse.generate.objective import (
    BELOW_FLOOR,
    CLEARANCE,
    MAX_GRADIENT,
    EntropyTerm,
    clipped,
    core_repulsion,
    shortest_distances,
)
from diverse.kernel import CandidatePairs, GeometryError, NeighbourPairs

SETTLE_STEPS = 40  # cheap: no descriptors
MEND_STEPS = 20
SKIN = 1.0  # Å of the neighbour list
DECAY = (0.9, 0.99)  # of the first and second moment
WEAK_GRADIENT = 0.05  # eV/Å; steps shrink below it
MAX_STRAIN = 0.03  # of one step

Slope = tuple[np.ndarray, np.ndarray | None]  # by positions (eV/Å) and by strain (eV)


@dataclass(frozen=True)
class OptimiserSettings:
    """Settings of the optimiser that raises the entropy.

    Attributes
    ----------
    steps : int
        Steps with the entropy on.
    step_size : float, Å
        Length of an atom's step at the start of a phase.
    relax_cell : bool
        Whether the cell's shape and volume move too while the entropy is on.
    threads : int
        Threads of the kernel; they change no number.
    """

    steps: int
    step_size: float
    relax_cell: bool = True
    threads: int = 1


@dataclass(frozen=True)
class Bounds:
    """Bounds that every cell must keep.

    Attributes
    ----------
    d_min : float, Å
        Floor on the shortest distance.
    volume : tuple of float, Å^3
        Smallest and largest volume per atom.
    core : float, Å
        Largest core radius of any cell. (The largest of a batch would tie its cells together.)
    stiffness : float, eV/Å^2
        Stiffness of the soft core.
    """

    d_min: float
    volume: tuple[float, float]
    core: float
    stiffness: float


def relax(
    batch: Batch, settings: OptimiserSettings, bounds: Bounds, entropy: EntropyTerm | None
) -> None:
    """Run the three phases on a batch in place; without `entropy`, the first and the last."""
    wall = bounds.d_min + CLEARANCE
    reach = max(wall, bounds.core)

    def settle(pairs: NeighbourPairs) -> Slope:
        core = core_repulsion(batch, pairs, bounds.d_min, stiffness=bounds.stiffness)
        return core.positions(), None

    descend(batch, settings, settle, steps=SETTLE_STEPS, cutoff=reach)
    if entropy is not None:
        cell = bounds if settings.relax_cell else None

        def rise(pairs: NeighbourPairs) -> Slope:
            return total_gradient(batch, pairs, bounds, entropy, with_strain=cell is not None)

        cutoff = max(entropy.kernel.settings.cutoff, reach)
        descend(batch, settings, rise, steps=settings.steps, cutoff=cutoff, cell=cell)

    near = shortest_distances(batch, _pairs(batch, _candidates(batch, wall, settings.threads)))
    close = (near < bounds.d_min) & ~batch.failed
    if close.any():
        part = batch.part(close)

        def mend(pairs: NeighbourPairs) -> Slope:
            return core_repulsion(part, pairs, bounds.d_min, stiffness=0).positions(), None

        descend(part, settings, mend, steps=MEND_STEPS, cutoff=wall)
        batch.put_back(part, close)


def total_gradient(
    batch: Batch, pairs: NeighbourPairs, bounds: Bounds, entropy: EntropyTerm, *, with_strain: bool
) -> Slope:
    """Return the gradients that atoms and cells follow while the entropy is on.

    The entropy's part is at most 2 eV/Å on an atom and 2 eV per atom by strain.
    """
    active = shortest_distances(batch, pairs) >= bounds.d_min - BELOW_FLOOR
    core = core_repulsion(batch, pairs, bounds.d_min, stiffness=bounds.stiffness)
    push = entropy(batch, pairs, active & ~batch.failed)
    positions = core.positions() + clipped(push.positions(), MAX_GRADIENT)
    if not with_strain:
        return positions, None
    pull = clipped(push.strain().reshape(-1, 9), MAX_GRADIENT * batch.sizes).reshape(-1, 3, 3)
    return positions, _without_trace(core.strain()) + pull


def descend(
    batch: Batch,
    settings: OptimiserSettings,
    slope_of: Callable[[NeighbourPairs], Slope],
    *,
    steps: int,
    cutoff: float,
    cell: Bounds | None = None,
) -> None:
    """Take `steps` steps down a slope that needs pairs up to `cutoff` (Å).

    Cells keep their shape and volume unless `cell` gives the bounds on the volume.
    """
    atoms = _Moments(batch.positions.shape)
    strains = _Moments((len(batch.cells), 9))
    candidates = _candidates(batch, cutoff, settings.threads)
    for step in range(steps):
        positions, strain = slope_of(_pairs(batch, candidates))
        length = settings.step_size * 0.5 * (1 + np.cos(np.pi * step / steps))
        batch.positions -= length * atoms.direction(positions, WEAK_GRADIENT)
        if cell is not None and strain is not None:
            _strain(batch, strains, strain, length)
            _keep_volume(batch, cell)


def _without_trace(strain: np.ndarray) -> np.ndarray:
    """Return the part of strain gradients, shape (n_cells, 3, 3), that keeps the volume."""
    trace = np.einsum("cxx->c", strain)
    return strain - trace[:, None, None] / 3 * np.eye(3)


def _strain(batch: Batch, moments: _Moments, gradient: np.ndarray, length: float) -> None:
    """Strain each cell, without turning it, so that its edges move by about `length`."""
    edge = np.cbrt(batch.volumes)  # (n_cells,)
    symmetric = 0.5 * (gradient + gradient.transpose(0, 2, 1))
    force = (symmetric / edge[:, None, None]).reshape(-1, 9)  # eV/Å
    direction = moments.direction(force, WEAK_GRADIENT).reshape(-1, 3, 3)
    size = np.minimum(length / edge, MAX_STRAIN)
    deformation = np.eye(3) - size[:, None, None] * direction
    batch.cells = batch.cells @ deformation
    batch.positions = np.einsum("ix,ixy->iy", batch.positions, deformation[batch.cell_of_atom])


def _keep_volume(batch: Batch, bounds: Bounds) -> None:
    """Scale cells that left the bounds on the volume per atom back to them."""
    per_atom = batch.volumes / batch.sizes
    scale = np.cbrt(np.clip(per_atom, *bounds.volume) / per_atom)
    batch.cells = batch.cells * scale[:, None, None]
    batch.positions = batch.positions * scale[batch.cell_of_atom, None]


def _candidates(batch: Batch, cutoff: float, threads: int) -> CandidatePairs:
    """Return a neighbour list; a cell it cannot be made for is parked."""
    while True:
        try:
            return CandidatePairs(
                batch.positions,
                batch.cells,
                batch.first_atom,
                cutoff=cutoff,
                skin=SKIN,
                threads=threads,
            )
        except GeometryError as error:
            _park(batch, error)


def _pairs(batch: Batch, candidates: CandidatePairs) -> NeighbourPairs:
    while True:
        try:
            return candidates.update(batch.positions, batch.cells)
        except GeometryError as error:
            _park(batch, error)


def _park(batch: Batch, error: GeometryError) -> None:
    if batch.failed[error.cell]:
        raise error
    batch.park(error.cell)


class _Moments:
    """Adam's running moments; the second is one number for each row."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.first = np.zeros(shape)
        self.second = np.zeros((shape[0], 1))
        self.steps = 0

    def direction(self, gradient: np.ndarray, weak: float) -> np.ndarray:
        """Take in a gradient, shape (n, m), and return rows of length about 1 or less."""
        self.steps += 1
        keep, keep_square = DECAY
        self.first += (1 - keep) * (gradient - self.first)
        square = np.einsum("im,im->i", gradient, gradient)[:, None]
        self.second += (1 - keep_square) * (square - self.second)
        mean = self.first / (1 - keep**self.steps)
        spread = np.sqrt(self.second / (1 - keep_square**self.steps))
        return mean / (spread + weak)
