"""Models of bispectrum components: one atom's descriptors in, its energy out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings, Kernel, position_gradient, strain_gradient
from diverse.models import Predictions, Predictor
from diverse.neighbours import CellPairs, find_pairs
from diverse.zbl import ZBL

# Settings of LAMMPS' files that change energies, with the only values that the kernel has; LAMMPS
# takes the same ones where a file of SNAP or of descriptors does not give them.
FIXED = {
    **{"rfac0": BispectrumSettings.rfac0, "rmin0": BispectrumSettings.rmin0, "switchflag": 1},
    **dict.fromkeys(("switchinnerflag", "chemflag", "bnormflag"), 0),
}
ELEMENT = {"radelem": 0.5, "weight": 1.0}


def read_settings(path: Path) -> dict[str, str]:
    """Return the settings of a LAMMPS file that holds one word and its value a line."""
    lines = [line.split("#")[0].split() for line in path.read_text().splitlines()]
    return {words[0]: words[1] for words in lines if len(words) == 2}


def check_settings(
    path: Path, settings: Mapping[str, str], expected: Mapping[str, float] = FIXED
) -> None:
    """Refuse settings of a potential's file that would give other energies than LAMMPS does.

    Raises
    ------
    ValueError
        If a setting that is given has another value than the `expected` one.
    """
    for name, value in expected.items():
        if name in settings and float(settings[name]) != value:
            raise ValueError(
                f"{path} sets {name} to {settings[name]}, and this reader takes {value:g} only: "
                "run the potential with LAMMPS, or train it with that value"
            )


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
