"""Models of bispectrum components: one atom's descriptors in, its energy out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings, Kernel, position_gradient, strain_gradient
from diverse.models import Predictions, Predictor
from diverse.neighbours import CellPairs, find_pairs
from diverse.zbl import ZBL


class BispectrumModel(ABC):
    """Model that maps the descriptors of one environment to that atom's energy."""

    twojmax: int
    in_lammps = True

    @abstractmethod
    def site_energies(self, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energies (eV, shape (n,)) and their gradients by descriptor, shape (n, D)."""

    def site_gradients(self, kernel: Kernel, pairs: CellPairs) -> tuple[np.ndarray, np.ndarray]:
        """Return the energy of each atom (eV) and its gradient by pair vectors (eV/Å).

        Parameters
        ----------
        kernel : Kernel
            Of the model's 2Jmax.
        pairs : CellPairs

        Returns
        -------
        energies : ndarray, shape (n_atoms,)
        gradient : ndarray, shape (n_pairs, 3)
            Pull-back of dE/dB through the descriptor.
        """
        descriptors, pull_back = kernel.forward_vjp(pairs.vector, pairs.first)
        energies, slope = self.site_energies(descriptors)
        return energies, pull_back(slope)

    def predictor(self, cutoff: float, zbl: ZBL, *, stresses: bool) -> Predictor:
        """Return the function that predicts a batch of cells; stresses cost nothing here."""
        kernel = Kernel(BispectrumSettings(self.twojmax, cutoff))
        return lambda cells: self._predict(cells, kernel, zbl)

    def _predict(self, cells: Sequence[Atoms], kernel: Kernel, zbl: ZBL) -> Predictions:
        pairs = find_pairs(cells, max(kernel.settings.cutoff, zbl.outer))
        site, gradient = self.site_gradients(kernel, pairs)
        repulsion = zbl.add(pairs, len(cells), gradient)
        energies = np.bincount(pairs.cell_of_atom, site, len(cells)) + repulsion
        forces = -position_gradient(pairs, gradient, pairs.n_atoms)
        strain = strain_gradient(pairs, gradient, pairs.cell_of_atom, len(cells))
        volumes = np.abs(np.linalg.det([cell.cell.array for cell in cells]))
        tensors = (strain + strain.transpose(0, 2, 1)) / (2 * volumes[:, None, None])
        return Predictions(energies, forces, tensors[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]])
