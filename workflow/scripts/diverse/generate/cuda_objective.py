"""The objective of objective.py on a card: cores and -K times the entropy of many cells at once.

Only its gradients: the optimiser looks at no value. Cells are padded to the largest one, so that
one call serves all sizes; what is padded is zero, and stays it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from diverse.descriptors.statistics import REGULARISATION
from diverse.descriptors.whitening import Whitening
from diverse.generate.cuda_batch import CudaBatch
from diverse.generate.entropy import SMALLEST_DISTANCE, CellEntropy, SetEntropy
from diverse.generate.objective import CLEARANCE, WALL_STIFFNESS, EntropyTerm
from diverse.kernel.cuda_kernel import CudaKernel
from diverse.kernel.cuda_pairs import CudaPairs
from diverse.kernel.device import Device

Gradient = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def core_gradient(
    batch: CudaBatch, pairs: CudaPairs, d_min: float, *, stiffness: float
) -> torch.Tensor:
    """Return the derivative of both cores of `core_repulsion` by each vector, (n_pairs, 3)."""
    distance = torch.linalg.vector_norm(pairs.vector, dim=1)
    wall = torch.clamp(d_min + CLEARANCE - distance, min=0)
    core = torch.clamp(batch.core[batch.cell_of_atom[pairs.center]] - distance, min=0)
    slope = -0.5 * (WALL_STIFFNESS * wall + stiffness * core)  # each pair counts twice
    return (slope / distance)[:, None] * pairs.vector


def shortest_distances(batch: CudaBatch, pairs: CudaPairs) -> torch.Tensor:
    """Return d_min of each cell, shape (n_cells,), Å; infinite where no pair is in the list."""
    distance = torch.linalg.vector_norm(pairs.vector, dim=1)
    shortest = torch.full_like(batch.core, torch.inf)
    return shortest.scatter_reduce(0, batch.cell_of_atom[pairs.center], distance, "amin")


class CudaEntropyTerm:
    """-K times the entropy of whitened descriptors, as an `EntropyTerm` has it, on a card.

    Parameters
    ----------
    term : EntropyTerm
    device : Device
    """

    def __init__(self, term: EntropyTerm, device: Device) -> None:
        settings, dtype = term.kernel.settings, term.kernel.dtype
        self.cutoff = settings.cutoff
        self._kernel = CudaKernel(settings, dtype, device)
        self._weight, self._gradient = term.weight, _estimator(term, device)
        self._mean, self._transform = _white(term.whitening, device)

    def __call__(self, batch: CudaBatch, pairs: CudaPairs, active: torch.Tensor) -> torch.Tensor:
        """Return the derivative by each vector, (n_pairs, 3), eV/Å: zero outside `active` cells.

        Cells whose derivative is not finite fail.
        """
        vectors = pairs.vector.to(self._kernel.dtype)
        descriptors, pull_back = self._kernel.forward_vjp(vectors, pairs.first)
        white = (descriptors.double() - self._mean) @ self._transform
        slope = batch.flat(self._gradient(batch.padded(white), batch.sizes))
        cotangent = -self._weight * (slope @ self._transform.T)
        used = active[batch.cell_of_atom]
        finite = torch.isfinite(cotangent).all(dim=1)
        batch.failed |= batch.any_of_cell(used & ~finite)
        cotangent = torch.where((used & finite)[:, None], cotangent, 0.0)
        return pull_back(cotangent.to(self._kernel.dtype).contiguous()).double()


def cell_entropy_gradient(white: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Return the gradient of `CellEntropy` by whitened descriptors, (n_cells, n, D), padded.

    Parameters
    ----------
    white : Tensor, shape (n_cells, n, D)
        Zero in the rows beyond the size of a cell.
    sizes : Tensor of int64, shape (n_cells,)
    """
    _, n, n_components = white.shape
    there = torch.arange(n, device=white.device) < sizes[:, None]  # (n_cells, n)
    centred = (white - white.sum(dim=1, keepdim=True) / sizes[:, None, None]) * there[..., None]
    norms = (centred**2).sum(dim=2)
    squared = norms[:, :, None] + norms[:, None, :] - 2 * centred @ centred.transpose(1, 2)
    apart = there[:, None, :] & ~torch.eye(n, dtype=torch.bool, device=white.device)
    squared = torch.where(apart, squared, torch.inf)
    chosen = torch.nn.functional.one_hot(squared.argmin(dim=2), n).to(white.dtype)
    away = (centred - chosen @ centred) * there[..., None]
    distance = (away**2).sum(dim=2, keepdim=True) + SMALLEST_DISTANCE**2
    gradient = n_components * away / distance
    return gradient - chosen.transpose(1, 2) @ gradient


class SetEntropyGradient:
    """Gradient of `SetEntropy` by whitened descriptors; formulas stand there.

    Parameters
    ----------
    entropy : SetEntropy
    device : Device
    """

    def __init__(self, entropy: SetEntropy, device: Device) -> None:
        self._entropy = entropy
        self._mean, self._variance, self._axes = (
            torch.tensor(np.asarray(array), device=device.place)
            for array in (entropy.mean, entropy.variance, entropy.axes)
        )

    def __call__(self, white: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
        """Return the gradient, (n_cells, n, D); arguments as of `cell_entropy_gradient`."""
        n, count = white.shape[1], self._entropy.count
        there = (torch.arange(n, device=white.device) < sizes[:, None])[..., None]
        total = (count + sizes)[:, None, None]
        root = (self._variance + total * REGULARISATION).sqrt()  # (n_cells, 1, D)
        share = 1 - torch.sqrt(count / total)

        def rooted(rows: torch.Tensor) -> torch.Tensor:
            mean = rows.sum(dim=1, keepdim=True) / sizes[:, None, None]
            return (rows - share * mean) * there

        scaled = rooted((white - self._mean) @ self._axes / root * there)
        lemma = torch.eye(n, dtype=white.dtype, device=white.device)
        factor, _ = torch.linalg.cholesky_ex(lemma + scaled @ scaled.transpose(1, 2))
        half = torch.linalg.solve_triangular(factor, scaled, upper=False)
        solved = torch.linalg.solve_triangular(factor.transpose(1, 2), half, upper=True)
        return total * (rooted(solved) / root) @ self._axes.T


def clipped(rows: torch.Tensor, limit: float | torch.Tensor) -> torch.Tensor:
    """Return rows, shape (n, m), shortened to the length `limit` where they are longer."""
    norm = torch.linalg.vector_norm(rows, dim=1)
    bound = torch.as_tensor(limit, dtype=rows.dtype, device=rows.device)
    return rows * (bound / torch.maximum(norm, bound))[:, None]


def _estimator(term: EntropyTerm, device: Device) -> Gradient:
    estimator = term.estimator
    if isinstance(estimator, SetEntropy):
        return SetEntropyGradient(estimator, device)
    if not isinstance(estimator, CellEntropy):
        raise TypeError(f"a card has no gradient of {type(estimator).__name__}: use device: cpu")
    return cell_entropy_gradient


def _white(whitening: Whitening, device: Device) -> tuple[torch.Tensor, torch.Tensor]:
    mean, transform = (
        torch.tensor(array, device=device.place) for array in (whitening.mean, whitening.transform)
    )
    return mean, transform
