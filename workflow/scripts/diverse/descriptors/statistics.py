"""Sufficient statistics of a set of environments: small and exact to merge, however large it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np

REGULARISATION = 1e-3  # added to whitened covariances, so that small sets have a determinant


@dataclass(frozen=True)
class SetStatistics:
    """Count, mean and scatter of whitened descriptors: all that the whole-set entropy needs.

    Attributes
    ----------
    count : int
        Number of environments, n.
    mean : ndarray, shape (D,)
    scatter : ndarray, shape (D, D)
        Sum of (x - mean)(x - mean)^T over the environments.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def empty(cls, n_components: int) -> SetStatistics:
        """Return the statistics of no environment with `n_components` descriptors."""
        return cls(0, np.zeros(n_components), np.zeros((n_components, n_components)))

    @classmethod
    def of(cls, white: np.ndarray) -> SetStatistics:
        """Return the statistics of whitened descriptors, shape (n, D)."""
        if len(white) == 0:
            return cls.empty(white.shape[1])
        mean = white.mean(axis=0)
        centred = white - mean
        return cls(len(white), mean, centred.T @ centred)

    def merged(self, other: SetStatistics) -> SetStatistics:
        """Return the statistics of this set and another one together.

        Chan, Golub and LeVeque, Am. Stat. 37, 242 (1983), equation 2.1, for vectors.
        """
        count = self.count + other.count
        if count == 0:
            return self
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        between = np.outer(shift, shift) * (self.count * other.count / count)
        return SetStatistics(count, mean, self.scatter + other.scatter + between)

    def log_det(self) -> float:
        """Return log det(C + eps I), C the covariance (divided by n) and eps the regularisation."""
        n_components = len(self.mean)
        covariance = self.scatter / max(self.count, 1)
        _, value = np.linalg.slogdet(covariance + REGULARISATION * np.eye(n_components))
        return float(value)

    def entropy(self) -> float:
        """Return the entropy (nats) of a Gaussian with this covariance, up to its constant.

        S = 1/2 log det(C + eps I): the whole-set form of Subramanyam and Perez, npj Comput.
        Mater. 11, 218 (2025). It grows when a set spreads in any direction; duplicates of a
        whole set leave it as it is.
        """
        return 0.5 * self.log_det()

    def save(self, path: str | Path) -> None:
        """Write count, mean and scatter to a small .npz."""
        np.savez(path, count=self.count, mean=self.mean, scatter=self.scatter)

    @classmethod
    def load(cls, path: str | Path) -> SetStatistics:
        """Read count, mean and scatter from the .npz that `save` wrote."""
        with np.load(path) as file:
            return cls(int(file["count"]), file["mean"], file["scatter"])


def sum_statistics(parts: Sequence[SetStatistics]) -> SetStatistics:
    """Return the statistics of all parts together, merged in the order they are given in."""
    return reduce(SetStatistics.merged, parts)
