"""Objective that the optimiser minimises: V = sum of cores - K * entropy, and its gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diverse.descriptors.whitening import Whitening
from diverse.generate.batch import Batch, equal_sizes
from diverse.kernel import Kernel, NeighbourPairs, position_gradient, strain_gradient

WALL_STIFFNESS = 40.0  # eV/Å^2 of the wall at the floor: steep, so that the floor holds
CLEARANCE = 0.05  # Å from the floor to where its wall begins
MAX_GRADIENT = 2.0  # eV/Å of the entropy: atoms drift in, none is shot out
BELOW_FLOOR = 0.03  # Å; a cell this far below the floor is only pushed apart

Estimator = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Gradient:
    """Values for each cell of a batch, and their derivatives.

    Attributes
    ----------
    batch : Batch
    pairs : NeighbourPairs
    value : ndarray, shape (n_cells,), eV
    by_pair : ndarray, shape (n_pairs, 3), eV/Å
        Derivative by the vector of each pair.
    """

    batch: Batch
    pairs: NeighbourPairs
    value: np.ndarray
    by_pair: np.ndarray

    def positions(self) -> np.ndarray:
        """Return the gradient by positions, shape (n_atoms, 3), eV/Å."""
        return position_gradient(self.pairs, self.by_pair, len(self.batch.positions))

    def strain(self) -> np.ndarray:
        """Return the gradient by the strain e that takes row vectors r to r (1 + e), eV.

        Shape (n_cells, 3, 3).
        """
        n_cells = len(self.batch.cells)
        return strain_gradient(self.pairs, self.by_pair, self.batch.cell_of_atom, n_cells)


def core_repulsion(
    batch: Batch, pairs: NeighbourPairs, d_min: float, *, stiffness: float
) -> Gradient:
    """Return energies and gradients of two smooth cores, k/2 (R - r)^2 for pairs closer than R.

    The soft core has the given stiffness k (eV/Å^2) and the radius R of each cell (`Batch.core`),
    tied to its density; the steep wall begins 0.05 Å above the floor `d_min` (Å).
    """
    squared = squared_distances(pairs)
    reach = max(d_min + CLEARANCE, float(batch.core.max()) if stiffness else 0.0)
    close = np.flatnonzero(squared < reach**2)
    cell, distance = batch.cell_of_atom[pairs.center[close]], np.sqrt(squared[close])
    wall = np.maximum(d_min + CLEARANCE - distance, 0)
    core = np.maximum(batch.core[cell] - distance, 0)
    slope = -0.5 * (WALL_STIFFNESS * wall + stiffness * core)  # each pair counts twice
    energy = 0.25 * (WALL_STIFFNESS * wall**2 + stiffness * core**2)
    pair_gradient = np.zeros_like(pairs.vector)
    pair_gradient[close] = (slope / distance)[:, None] * pairs.vector[close]
    value = np.bincount(cell, weights=energy, minlength=len(batch.cells))
    return Gradient(batch, pairs, value, pair_gradient)


def squared_distances(pairs: NeighbourPairs) -> np.ndarray:
    """Return the squared length of each pair's vector, shape (n_pairs,), Å^2."""
    x, y, z = pairs.vector.T
    return x * x + y * y + z * z


def shortest_distances(batch: Batch, pairs: NeighbourPairs) -> np.ndarray:
    """Return d_min of each cell, shape (n_cells,), Å; infinite where no pair is in the list."""
    bounds = pairs.first[batch.first_atom]
    squared = squared_distances(pairs)
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
            return Gradient(batch, pairs, value, pair_gradient)
        counts = np.diff(pairs.first)
        of_pair = slice(None) if keep.all() else np.flatnonzero(np.repeat(keep, counts))
        first = np.append(0, np.cumsum(counts[keep]))
        descriptors, pull_back = self.kernel.forward_vjp(pairs.vector[of_pair], first)
        cotangent = np.empty(descriptors.shape)
        numbers = np.flatnonzero(active)
        for members, atoms in equal_sizes(batch.sizes[active]):
            entropy, slope = self.estimator(
                self.whitening(descriptors[atoms].astype(float, copy=False))
            )
            value[numbers[members]] = -self.weight * entropy
            cotangent[atoms] = -self.weight * self.whitening.pull_back(slope)
        finite = np.isfinite(cotangent).all(axis=1)
        cotangent[~finite] = 0
        batch.failed[batch.cell_of_atom[keep][~finite]] = True
        pair_gradient[of_pair] = pull_back(cotangent)
        return Gradient(batch, pairs, value, pair_gradient)


def clipped(rows: np.ndarray, limit: float | np.ndarray) -> np.ndarray:
    """Return rows, shape (n, m), shortened to the length `limit` where they are longer."""
    norm = np.sqrt(np.einsum("im,im->i", rows, rows))
    return rows * (limit / np.maximum(norm, limit))[:, None]
