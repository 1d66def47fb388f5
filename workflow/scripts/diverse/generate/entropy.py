"""Information entropy of sets of descriptors, and the whitening it is measured in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.special import digamma, gammaln
from torch import Tensor

REGULARISATION = (
    1e-3  # added to covariances of whitened descriptors: rank-deficient sets stay finite
)


@dataclass(frozen=True)
class Whitening:
    """Affine map that gives a reference sample zero mean and unit covariance.

    Attributes
    ----------
    mean : ndarray, shape (D,)
    transform : ndarray, shape (D, D)
        ``(descriptors - mean) @ transform`` is white; directions in which the reference sample
        hardly varies (relative variance below 1e-8) are damped, not blown up.
    """

    mean: np.ndarray
    transform: np.ndarray

    @classmethod
    def of(cls, descriptors: np.ndarray) -> Whitening:
        """Fit to a reference sample, shape (n, D)."""
        mean = descriptors.mean(axis=0)
        variance, axes = np.linalg.eigh(np.cov(descriptors, rowvar=False))
        floor = 1e-8 * variance.max()
        return cls(mean, axes / np.sqrt(np.clip(variance, 0, None) + floor))

    def __call__(self, descriptors: np.ndarray) -> np.ndarray:
        return (descriptors - self.mean) @ self.transform

    def torch(self, descriptors: Tensor) -> Tensor:
        """The same for tensors, differentiable."""
        return (descriptors - torch.as_tensor(self.mean)) @ torch.as_tensor(self.transform)


def gaussian_entropy(white: Tensor) -> Tensor:
    """Entropy (nats) of a Gaussian with the sample's covariance, up to its constant.

    S = 1/2 log det(C + eps I), for `white` of shape (n, D): the whole-set form of Subramanyam and
    Perez, npj Comput. Mater. 11, 218 (2025). It grows when a sample spreads in any direction.
    """
    centred = white - white.mean(dim=0)
    covariance = centred.mT @ centred / len(white)
    identity = torch.eye(white.shape[1], dtype=white.dtype)
    return 0.5 * torch.logdet(covariance + REGULARISATION * identity)


def nearest_neighbour_entropy(white: np.ndarray) -> float:
    """Kozachenko-Leonenko estimate of the differential entropy (nats), shape (n, D).

    H = D <log r_1> + log V_D + psi(n) - psi(1), with r_1 the distance to the nearest neighbour and
    V_D the volume of the unit ball: L. F. Kozachenko, N. N. Leonenko, Probl. Inf. Transm. 23, 95
    (1987), as used by Karabin and Perez, J. Chem. Phys. 153, 094110 (2020). Distances below 1e-6
    count as 1e-6, so equivalent atoms give a finite, very low value.
    """
    n, dimension = white.shape
    if n < 2:
        raise ValueError(f"nearest-neighbour entropy needs at least 2 environments, got {n}")
    distance, _ = cKDTree(white).query(white, k=2)
    log_ball = 0.5 * dimension * math.log(math.pi) - gammaln(0.5 * dimension + 1)
    mean_log = np.log(np.maximum(distance[:, 1], 1e-6)).mean()
    return float(dimension * mean_log + log_ball + digamma(n) - digamma(1))
