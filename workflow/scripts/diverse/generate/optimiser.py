"""Move the atoms of random cells so that the entropy of their descriptors grows.

Minimises  V = sum_pairs core(r) - K n S  over the positions of all cells of a chunk together: S is
the log-determinant entropy of the chunk's n whitened environments, K (eV) weighs it against a soft
repulsive core that keeps atoms apart. With K = 0 only the core acts: the `random` family.
After Karabin and Perez, J. Chem. Phys. 153, 094110 (2020).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from diverse.bispectrum import bispectrum
from diverse.generate.entropy import Whitening, gaussian_entropy
from diverse.generate.random_cells import SamplerSettings, random_cell
from diverse.kernel import BispectrumSettings
from diverse.neighbours import CellPairs, find_pairs, shortest_distance
from diverse.structures import PRECISION, ReferenceLattice

CORE_STIFFNESS = 40.0  # eV/Å^2: steep against K, so that the floor holds
MAX_GRADIENT = 2.0  # eV/Å: atoms drift in, none is shot out
MAX_ROUNDS = 50  # rounds of drawing and relaxing before the floor is declared unreachable


@dataclass(frozen=True)
class OptimiserSettings:
    """How the entropy is raised.

    Attributes
    ----------
    entropy_weight : float, eV
        K per environment; 0 switches the entropy off.
    steps : int
    step_size : float, Å
        Largest displacement of a coordinate in one step.
    """

    entropy_weight: float
    steps: int
    step_size: float


def generate_cells(
    n_cells: int,
    lattice: ReferenceLattice,
    sampler: SamplerSettings,
    optimiser: OptimiserSettings,
    descriptor: BispectrumSettings,
    whitening: Whitening | None,
    rng: np.random.Generator,
) -> tuple[list[Atoms], Counter[str]]:
    """Make `n_cells` relaxed cells whose shortest distance respects the floor.

    Returns
    -------
    cells : list of Atoms
    outcome : Counter
        How many cells were ``accepted`` and how many rejected as ``too close``.

    Raises
    ------
    ValueError
        If the floor on the shortest distance is never reached.
    """
    accepted: list[Atoms] = []
    outcome: Counter[str] = Counter()
    for _ in range(MAX_ROUNDS):
        drawn = [random_cell(sampler, lattice, rng) for _ in range(n_cells - len(accepted))]
        cells = [cell for cell, _ in drawn]
        core = np.array([radius for _, radius in drawn])
        relax(cells, core, sampler.d_min, optimiser, descriptor, whitening)
        for cell in cells:
            cell.wrap()
            cell.positions = cell.positions.round(PRECISION)
            cell.cell[:] = cell.cell.array.round(PRECISION)
            reason = "accepted" if shortest_distance(cell) >= sampler.d_min else "too close"
            outcome[reason] += 1
            if reason == "accepted":
                accepted.append(cell)
        if len(accepted) == n_cells:
            return accepted, outcome
    raise ValueError(
        f"only {len(accepted)} of {n_cells} cells reached d_min = {sampler.d_min} Å in "
        f"{MAX_ROUNDS} rounds: lower d_min or entropy_weight, or raise volume or steps"
    )


def relax(
    cells: list[Atoms],
    core: np.ndarray,
    d_min: float,
    settings: OptimiserSettings,
    descriptor: BispectrumSettings,
    whitening: Whitening | None,
) -> None:
    """Move the atoms of `cells` in place; `core` is each cell's core radius (Å)."""
    positions = torch.tensor(np.concatenate([cell.positions for cell in cells]))
    positions.requires_grad_(True)
    mover = torch.optim.Adam([positions], lr=settings.step_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(mover, settings.steps)
    for _ in range(settings.steps):
        mover.zero_grad()
        gradient = _gradient(positions, cells, core, d_min, settings, descriptor, whitening)
        norm = gradient.norm(dim=1, keepdim=True)
        positions.grad = gradient * (MAX_GRADIENT / norm.clamp(min=MAX_GRADIENT))
        mover.step()
        schedule.step()
        _store(positions, cells)


def _gradient(
    positions: Tensor,
    cells: list[Atoms],
    core: np.ndarray,
    d_min: float,
    settings: OptimiserSettings,
    descriptor: BispectrumSettings,
    whitening: Whitening | None,
) -> Tensor:
    """Return dV/dx (eV/Å); the entropy does not act in a cell that is below the floor."""
    pairs = find_pairs(cells, max(descriptor.cutoff, float(core.max())))
    reach = torch.tensor(core[pairs.cell_of_atom[pairs.center]])

    def repulsion(vectors: Tensor) -> Tensor:
        overlap = (reach - vectors.norm(dim=1)).clamp(min=0)
        return 0.25 * CORE_STIFFNESS * (overlap**2).sum()  # every pair is counted twice

    gradient = _position_gradient(repulsion, positions, pairs)
    if settings.entropy_weight and whitening is not None:

        def negentropy(vectors: Tensor) -> Tensor:
            center = torch.tensor(pairs.center)
            white = whitening.torch(bispectrum(vectors, center, pairs.n_atoms, descriptor))
            return -settings.entropy_weight * pairs.n_atoms * gaussian_entropy(white)

        shortest = np.full(len(cells), np.inf)
        np.minimum.at(shortest, pairs.cell_of_atom[pairs.center], pairs.distance)
        keep = torch.tensor((shortest >= d_min - 0.03)[pairs.cell_of_atom])
        gradient = gradient + _position_gradient(negentropy, positions, pairs) * keep[:, None]
    return gradient


def _position_gradient(
    function: Callable[[Tensor], Tensor], positions: Tensor, pairs: CellPairs
) -> Tensor:
    """Return the gradient with respect to positions of a function of the pair vectors."""
    vectors = torch.tensor(pairs.vector, requires_grad=True)
    (pair_gradient,) = torch.autograd.grad(function(vectors), vectors)
    gradient = torch.zeros_like(positions)
    gradient.index_add_(0, torch.tensor(pairs.neighbour), pair_gradient)
    gradient.index_add_(0, torch.tensor(pairs.center), -pair_gradient)
    return gradient


def _store(positions: Tensor, cells: list[Atoms]) -> None:
    first = 0
    for cell in cells:
        cell.positions = positions[first : first + len(cell)].detach().numpy()
        first += len(cell)
