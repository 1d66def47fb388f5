"""Whitening of descriptor space: the space in which environments are near or far apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from diverse.descriptors.statistics import SetStatistics

SMALLEST_VARIANCE = 1e-8  # of the largest: what varies less is damped, not blown up


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
        """Fit the map to the descriptors of a reference sample, shape (n, D)."""
        return cls._from(descriptors.mean(axis=0), np.cov(descriptors, rowvar=False))

    @classmethod
    def of_statistics(cls, sample: SetStatistics) -> Whitening:
        """Fit the map to a reference sample of any size, known by its statistics."""
        return cls._from(sample.mean, sample.scatter / (sample.count - 1))

    @classmethod
    def _from(cls, mean: np.ndarray, covariance: np.ndarray) -> Whitening:
        variance, axes = np.linalg.eigh(covariance)
        floor = SMALLEST_VARIANCE * variance.max()
        return cls(mean, axes / np.sqrt(np.clip(variance, 0, None) + floor))

    @classmethod
    def none(cls, n_components: int) -> Whitening:
        """Return the map that leaves descriptors as they are."""
        return cls(np.zeros(n_components), np.eye(n_components))

    @classmethod
    def load(cls, path: str | Path) -> Whitening:
        """Read the .npz that the rule `whiten` writes."""
        with np.load(path) as file:
            return cls(file["mean"], file["transform"])

    def __call__(self, descriptors: np.ndarray) -> np.ndarray:
        """Return `descriptors`, shape (..., D), whitened."""
        return (descriptors - self.mean) @ self.transform

    def pull_back(self, gradient: np.ndarray) -> np.ndarray:
        """Turn a gradient by whitened descriptors, shape (..., D), into one by descriptors."""
        return gradient @ self._transposed

    @cached_property
    def _transposed(self) -> np.ndarray:
        """Transpose of `transform`, contiguous, which makes products several times as fast."""
        return np.ascontiguousarray(self.transform.T)
