"""Predictive standard deviation of polynomial fits from the covariance of their coefficients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.kernel import BispectrumSettings
from diverse.models import BATCH
from diverse.models.polynomial.basis import Basis
from diverse.structures import batches


@dataclass(frozen=True)
class Uncertainty:
    """Covariance of the coefficients of a fit, and the standard deviations that follow from it.

    It is the posterior covariance of Bayesian linear regression with the ridge as prior: noise^2
    (A^T A + ridge P)^-1. It knows nothing of what no polynomial can describe.

    Attributes
    ----------
    basis : Basis
        Polynomials of descriptors with the isolated atom's subtracted, as everywhere outside
        the fit.
    covariance : ndarray, shape (n_columns, n_columns), eV^2
    """

    basis: Basis
    covariance: np.ndarray

    def of_environments(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the standard deviation of each atom's energy, shape (n_atoms,), eV."""
        return self._deviation(self.basis.columns(self.basis.white(descriptors)))

    def of_cells(self, descriptors: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Return the standard deviation of each cell's energy per atom, shape (n_cells,), eV.

        The `descriptors` of all cells, shape (n_atoms, D), lie one after the other; `sizes`,
        shape (n_cells,), are the numbers of atoms.
        """
        columns = self.basis.columns(self.basis.white(descriptors))
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return self._deviation(np.add.reduceat(columns, starts) / np.asarray(sizes)[:, None])

    def of_structures(self, cells: Iterable[Atoms], descriptor: BispectrumSettings) -> np.ndarray:
        """Return the standard deviation of each cell's energy per atom, shape (n_cells,), eV.

        The cells are described in batches, so that memory does not grow with their number.
        """
        parts = [
            self.of_cells(environment_descriptors(batch, descriptor), np.array([*map(len, batch)]))
            for batch in batches(cells, BATCH)
        ]
        return np.concatenate([np.zeros(0), *parts])

    def _deviation(self, columns: np.ndarray) -> np.ndarray:
        variance = np.einsum("nk,nk->n", columns @ self.covariance, columns)
        return np.sqrt(np.maximum(variance, 0.0))

    def save(self, path: str | Path) -> None:
        """Write basis and covariance to an .npz."""
        basis = vars(self.basis)
        np.savez(path, **basis, covariance=self.covariance)

    @classmethod
    def load(cls, path: str | Path) -> Uncertainty:
        """Read basis and covariance from the .npz that `save` wrote."""
        with np.load(path) as file:
            basis = Basis(file["mean"], file["transform"], bool(file["quadratic"]))
            return cls(basis, file["covariance"])
