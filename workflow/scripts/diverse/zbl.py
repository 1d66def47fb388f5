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

from diverse.kernel import exponential_sums
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

    def pair(self, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the pair energy (eV) and its derivative (eV/Å) at each distance (Å)."""
        energy, slope = self._screened(distance)[:2]
        shift, cubic, quartic = self._switch
        beyond = np.clip(distance - self.inner, 0, None)
        inside = distance < self.outer
        square = beyond * beyond  # powers of numpy are others on other processors
        energy = energy + shift + square * beyond * (cubic / 3 + quartic / 4 * beyond)
        slope = slope + square * (cubic + quartic * beyond)
        return energy * inside, slope * inside

    def energies_forces(self, pairs: CellPairs, n_cells: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ZBL energies (eV, shape (n_cells,)) and forces (eV/Å, shape (n_atoms, 3))."""
        distance = pairs.distance
        energy, slope = self.pair(distance)
        energies = 0.5 * np.bincount(
            pairs.cell_of_atom[pairs.center], weights=energy, minlength=n_cells
        )
        forces = np.zeros((pairs.n_atoms, 3))
        np.add.at(forces, pairs.center, (slope / distance)[:, None] * pairs.vector)
        return energies, forces

    @cached_property
    def _switch(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the constant, and the coefficients of the cubic and quartic, that switch it off.

        With them energy, slope and curvature vanish at `outer`.
        """
        edge, slope, curvature = self._screened(np.array([self.outer]), curvature=True)
        width = self.outer - self.inner
        shift = -edge + width * slope / 2 - width**2 * curvature / 12
        cubic = (-3 * slope + width * curvature) / width**2
        return shift, cubic, (2 * slope - width * curvature) / width**3

    def _screened(self, distance: np.ndarray, *, curvature: bool = False) -> list[np.ndarray]:
        """Return the unswitched energy and its first derivative; the second too, if asked for."""
        charge = atomic_numbers[self.element]
        length = 0.46850 / (2 * charge**0.23)
        phi, phi1, phi2 = exponential_sums(distance, SCREENING_AMPLITUDE, SCREENING_RATE / length)
        r, scale = distance, COULOMB * charge**2
        found = [scale * phi / r, scale * (phi1 - phi / r) / r]
        if curvature:
            found.append(scale * (phi2 - 2 * (phi1 - phi / r) / r) / r)
        return found
