"""What the optimiser minimises: V = sum of cores - K * entropy, and its gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diverse.generate.batch import Batch, equal_sizes
from diverse.generate.entropy import Whitening
from diverse.kernel import Kernel, NeighbourPairs, position_gradient, strain_gradient

CORE_STIFFNESS = 5.0  # eV/Å^2 of the density's core: soft enough for entropy to press atoms into it
WALL_STIFFNESS = 40.0  # eV/Å^2 of the wall at the floor: steep, so that the floor holds
CLEARANCE = 0.05  # Å from the floor to where its wall begins
MAX_GRADIENT = 2.0  # eV/Å of the entropy: atoms drift in, none is shot out
BELOW_FLOOR = 0.03  # Å; a cell this far below the floor is only pushed apart

Estimator = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Gradient:
    """Values and derivatives for each cell of a batch.

    Attributes
    ----------
    value : ndarray, shape (n_cells,), eV
    positions : ndarray, shape (n_atoms, 3), eV/Å
    strain : ndarray, shape (n_cells, 3, 3), eV
        By the strain e that takes every row vector r to r (1 + e).
    """

    value: np.ndarray
    positions: np.ndarray
    strain: np.ndarray


def core_repulsion(
    batch: Batch, pairs: NeighbourPairs, d_min: float, *, soft: bool = True
) -> Gradient:
    """Smooth repulsive core, k/2 (R - r)^2 for every pair closer than R, twice over.

    A soft one with the radius R of each cell (`Batch.core`), tied to its density, which `soft`
    switches, and a steep wall that begins 0.05 Å above the floor `d_min` (Å).
    """
    cell = batch.cell_of_atom[pairs.center]
    distance = np.sqrt(np.einsum("px,px->p", pairs.vector, pairs.vector))
    wall = np.full(len(distance), d_min + CLEARANCE)
    terms = [(wall, WALL_STIFFNESS)]
    if soft:
        terms.append((batch.core[cell], CORE_STIFFNESS))
    energy, slope = np.zeros(len(distance)), np.zeros(len(distance))
    for radius, stiffness in terms:
        overlap = np.maximum(radius - distance, 0)
        energy += 0.25 * stiffness * overlap**2  # each pair counts twice
        slope -= 0.5 * stiffness * overlap
    pair_gradient = (slope / distance)[:, None] * pairs.vector
    value = np.bincount(cell, weights=energy, minlength=len(batch.cells))
    return _to_batch(batch, pairs, pair_gradient, value)


def shortest_distances(batch: Batch, pairs: NeighbourPairs) -> np.ndarray:
    """Return d_min of each cell, shape (n_cells,), Å; infinite where no pair is in the list."""
    bounds = pairs.first[batch.first_atom]
    squared = np.einsum("px,px->p", pairs.vector, pairs.vector)
    shortest = np.full(len(batch.cells), np.inf)
    filled = np.diff(bounds) > 0
    if filled.any():
        shortest[filled] = np.sqrt(np.minimum.reduceat(squared, bounds[:-1][filled]))
    return shortest


@dataclass(frozen=True)
class EntropyTerm:
    """-K times the entropy of whitened descriptors.

    Attributes
    ----------
    kernel : Kernel
    whitening : Whitening
    estimator : callable
        `CellEntropy` or `SetEntropy` (entropy.py).
    weight : float, eV
        K for each environment.
    """

    kernel: Kernel
    whitening: Whitening
    estimator: Estimator
    weight: float

    def __call__(self, batch: Batch, pairs: NeighbourPairs, active: np.ndarray) -> Gradient:
        """Return value and gradients in the `active` cells, shape (n_cells,), zeros elsewhere.

        The gradient is not clipped: see `clipped`.
        """
        keep = active[batch.cell_of_atom]
        value = np.zeros(len(batch.cells))
        pair_gradient = np.zeros_like(pairs.vector)
        if not keep.any():
            return _to_batch(batch, pairs, pair_gradient, value)
        counts = np.diff(pairs.first)
        of_pair = slice(None) if keep.all() else np.repeat(keep, counts)
        first = np.append(0, np.cumsum(counts[keep]))
        descriptors, pull_back = self.kernel.forward_vjp(pairs.vector[of_pair], first)
        cotangent = np.empty(descriptors.shape)
        numbers = np.flatnonzero(active)
        for members, atoms in equal_sizes(batch.sizes[active]):
            entropy, slope = self.estimator(self.whitening(descriptors[atoms].astype(float)))
            value[numbers[members]] = -self.weight * entropy
            cotangent[atoms] = -self.weight * self.whitening.pull_back(slope)
        finite = np.isfinite(cotangent).all(axis=1)
        cotangent[~finite] = 0
        batch.failed[batch.cell_of_atom[keep][~finite]] = True
        pair_gradient[of_pair] = pull_back(cotangent)
        return _to_batch(batch, pairs, pair_gradient, value)


def clipped(gradient: Gradient, sizes: np.ndarray) -> Gradient:
    """Return a gradient of at most 2 eV/Å on any atom, and 2 eV per atom by strain."""
    norm = np.sqrt(np.einsum("ix,ix->i", gradient.positions, gradient.positions))
    atoms = gradient.positions * (MAX_GRADIENT / np.maximum(norm, MAX_GRADIENT))[:, None]
    limit = MAX_GRADIENT * sizes
    size = np.sqrt(np.einsum("cxy,cxy->c", gradient.strain, gradient.strain))
    strain = gradient.strain * (limit / np.maximum(size, limit))[:, None, None]
    return Gradient(gradient.value, atoms, strain)


def _to_batch(
    batch: Batch, pairs: NeighbourPairs, pair_gradient: np.ndarray, value: np.ndarray
) -> Gradient:
    n_atoms, n_cells = len(batch.positions), len(batch.cells)
    return Gradient(
        value=value,
        positions=position_gradient(pairs, pair_gradient, n_atoms),
        strain=strain_gradient(pairs, pair_gradient, batch.cell_of_atom, n_cells),
    )
