"""Columns of a polynomial fit: polynomials in whitened descriptors, and the way back.

Products of raw bispectrum components differ by ten orders of magnitude and are nearly dependent.
The same polynomials in whitened components span the same models, and their normal equations can
be solved in double precision. Coefficients are turned back to LAMMPS' convention at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import rq

SMALLEST_VARIANCE = 1e-14  # of the largest; below, a direction is only rounding


@dataclass(frozen=True)
class Basis:
    """Polynomials 1, x_k and, if quadratic, x_k x_l (k <= l) of x = (B - mean) @ transform.

    Attributes
    ----------
    mean : ndarray, shape (D,)
    transform : ndarray, shape (D, D)
    quadratic : bool
    """

    mean: np.ndarray
    transform: np.ndarray
    quadratic: bool

    @classmethod
    def whitening(cls, mean: np.ndarray, covariance: np.ndarray, *, quadratic: bool) -> Basis:
        """Return the basis whose x are uncorrelated and of unit variance.

        Raises
        ------
        ValueError
            If a component does not vary.
        """
        constant = np.flatnonzero(np.diag(covariance) <= 1e-24 * (1 + mean**2))
        if len(constant):
            raise ValueError(
                f"descriptor components {constant.tolist()} do not vary over the training set: "
                "add cells that differ"
            )
        scale = np.sqrt(np.diag(covariance))
        variances, directions = np.linalg.eigh(covariance / np.outer(scale, scale))
        variances = np.maximum(variances, SMALLEST_VARIANCE * variances[-1])
        return cls(mean, directions / np.sqrt(variances) / scale[:, None], quadratic)

    def nested(self, components: np.ndarray) -> Basis:
        """Return a basis of the same polynomials whose x_k rest on as few components as can be.

        Rotated descriptors are as white as they were before. Here the k-th of them is made of the
        first k of `components` alone, so that the basis holds one of every smaller model whose
        components come first.

        Parameters
        ----------
        components : ndarray of int, shape (D,)
            Places of all components in the order in which they are taken up.
        """
        transform = np.empty_like(self.transform)
        transform[components] = rq(self.transform[components])[0]
        return Basis(self.mean, transform, self.quadratic)

    def part(self, components: np.ndarray, *, quadratic: bool) -> Basis:
        """Return the basis of a smaller model in a `nested` one.

        Parameters
        ----------
        components : ndarray of int, shape (n,)
            Places of its components, which come first among the nested ones.
        quadratic : bool
        """
        own = self.transform[components, : len(components)]
        return Basis(self.mean[components], own, quadratic)

    def columns_of(self, part: Basis) -> np.ndarray:
        """Return the places, among the columns of this basis, of those of a `part` of it."""
        n = len(part.mean)
        if not part.quadratic:
            return np.arange(1 + n)
        products = 1 + len(self.mean) + np.flatnonzero(np.triu_indices(len(self.mean))[1] < n)
        return np.concatenate([np.arange(1 + n), products])

    @property
    def n_columns(self) -> int:
        """Number of polynomials: 1 + D, and D (D + 1) / 2 more if quadratic."""
        n = len(self.mean)
        return 1 + n + (n * (n + 1) // 2 if self.quadratic else 0)

    def white(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the whitened descriptors x, shape (n, D), of `descriptors`, shape (n, D)."""
        return (descriptors - self.mean) @ self.transform

    def columns(self, white: np.ndarray) -> np.ndarray:
        """Return the polynomials of each environment, shape (n, n_columns)."""
        parts = [np.ones((len(white), 1)), white]
        if self.quadratic:
            k, m = np.triu_indices(white.shape[1])
            parts.append(white.take(k, axis=1) * white.take(m, axis=1))
        return np.concatenate(parts, axis=1)

    def to_lammps(self) -> np.ndarray:
        """Return the matrix that turns coefficients of this basis into coefficients of LAMMPS.

        LAMMPS' polynomials are 1, B_i and, for i <= j row by row, B_i B_j (B_i^2 / 2 if i = j).
        With x_k = t_k . (B - mean), x_k x_m is 1/2 B Q B less linear and constant terms, where
        Q = t_k t_m^T + t_m t_k^T, and Q_ij is the coefficient.

        Returns
        -------
        ndarray, shape (n_columns, n_columns)
        """
        t, n = self.transform, len(self.mean)
        offset = self.mean @ t
        matrix = np.zeros((self.n_columns, self.n_columns))
        matrix[0, 0] = 1
        matrix[0, 1 : 1 + n] = -offset
        matrix[1 : 1 + n, 1 : 1 + n] = t
        if self.quadratic:
            i, j = np.triu_indices(n)
            k, m = i, j
            matrix[0, 1 + n :] = offset[k] * offset[m]
            matrix[1 : 1 + n, 1 + n :] = -(t[:, k] * offset[m] + t[:, m] * offset[k])
            matrix[1 + n :, 1 + n :] = t[i][:, k] * t[j][:, m] + t[i][:, m] * t[j][:, k]
        return matrix
