"""Predictive standard deviation of linear fits from the covariance of their coefficients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from diverse.models import BATCH
from diverse.models.polynomial.basis import Basis
from diverse.models.polynomial.design import Source
from diverse.structures import batches


@dataclass(frozen=True)
class Uncertainty:
    """Covariance of the coefficients of a fit, and the standard deviations that follow from it.

    It is the posterior covariance of Bayesian linear regression with the ridge as prior: noise^2
    (A^T A + ridge P)^-1. It knows nothing of what no model of the form can describe.

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

    def of_structures(self, cells: Iterable[Atoms], source: Source) -> np.ndarray:
        """Return the standard deviation of each cell's energy per atom, shape (n_cells,), eV.

        The `source` subtracts the isolated atom's descriptors. The cells are described in batches,
        so that memory does not grow with their number.
        """
        parts = [
            self._deviation(source.energy_rows(batch, self.basis))
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
