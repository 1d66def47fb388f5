"""The Ziegler-Biersack-Littmark repulsion every potential of a study is fitted on top of.

Same formula and constants as LAMMPS `pair_style zbl`, so that models trained here and potentials
run there agree to rounding. Source: J. F. Ziegler, J. P. Biersack, U. Littmark, *The Stopping and
Ranges of Ions in Solids* (1985); switching as documented for `pair_style zbl`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase.data import atomic_numbers

from diverse.kernel import Repulsion, exponential_sums
from diverse.neighbours import CellPairs

COULOMB = 14.399645  # e^2 / (4 pi eps0) in eV Å, as in LAMMPS units metal
SCREENING_AMPLITUDE = np.array([0.02817, 0.28022, 0.50986, 0.18175])
SCREENING_RATE = np.array([0.20162, 0.40290, 0.94229, 3.19980])


@dataclass(frozen=True)
class ZBL:
    """Screened nuclear repulsion of one element, switched off between `inner` and `outer` (Å)."""

    element: str
    inner: float
    outer: float

    @property
    def lammps_style(self) -> str:
        """Arguments of the LAMMPS pair style, as in ``pair_style zbl 4.0 4.8``."""
        return f"zbl {self.inner} {self.outer}"

    @property
    def lammps_coeff(self) -> str:
        """Nuclear charges for ``pair_coeff * * zbl Z Z``."""
        charge = atomic_numbers[self.element]
        return f"{charge} {charge}"

    def add(self, pairs: CellPairs, n_cells: int, pair_gradient: np.ndarray) -> np.ndarray:
        """Return the repulsion of each cell, eV, and add its gradient by pair vectors in place.

        Parameters
        ----------
        pairs : CellPairs
            Pairs from `outer` on count nothing.
        n_cells : int
        pair_gradient : ndarray, shape (n_pairs, 3), eV/Å
        """
        return self._repulsion.add(pairs, pairs.cell_of_atom, n_cells, pair_gradient)

    def energies_forces(self, pairs: CellPairs, n_cells: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ZBL energies (eV, shape (n_cells,)) and forces (eV/Å, shape (n_atoms, 3))."""
        gradient, forces = np.zeros_like(pairs.vector), np.zeros((pairs.n_atoms, 3))
        energies = self.add(pairs, n_cells, gradient)
        np.add.at(forces, pairs.center, 2 * gradient)  # the pair's other end pushes as much
        return energies, forces

    @cached_property
    def _repulsion(self) -> Repulsion:
        """Repulsion whose energy, slope and curvature vanish at `outer`."""
        charge = atomic_numbers[self.element]
        scale, length = COULOMB * charge**2, 0.46850 / (2 * charge**0.23)
        r, width, rate = self.outer, self.outer - self.inner, SCREENING_RATE / length
        phi, phi1, phi2 = exponential_sums(np.array([r]), SCREENING_AMPLITUDE, rate)[:, 0].tolist()
        slope = scale * (phi1 - phi / r) / r
        curvature = scale * (phi2 - 2 * (phi1 - phi / r) / r) / r
        return Repulsion(
            amplitude=SCREENING_AMPLITUDE,
            rate=rate,
            scale=scale,
            inner=self.inner,
            outer=self.outer,
            shift=-scale * phi / r + width * slope / 2 - width**2 * curvature / 12,
            cubic=(-3 * slope + width * curvature) / width**2,
            quartic=(2 * slope - width * curvature) / width**3,
        )
