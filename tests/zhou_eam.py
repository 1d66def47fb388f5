"""The embedded-atom potential of tungsten by Zhou, from its formulas rather than from its file.

Formulas and parameters are those of the authors' own program, which LAMMPS keeps in
tools/eam_database (create.f, EAM_code: W); the paper is X. W. Zhou, R. A. Johnson, H. N. G. Wadley,
Phys. Rev. B 69, 144113 (2004).
"""

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

NEAREST = 2.740840  # r_e, Å
CUTOFF = 7.8925  # Å, of the file that LAMMPS ships
DENSITY, DENSITY_E = 3.487340, 37.234847  # f_e, rho_e
ALPHA, BETA = 8.900114, 4.746728
A, B = 0.882435, 1.394592  # eV
KAPPA, LAMBDA = 0.139209, 0.278417
LOW = (-4.946281, -0.148818, 0.365057, -4.432406)  # F_n0 to F_n3, eV
MIDDLE = (-4.96, 0.0, 0.661935, 0.348147)  # F_0 to F_3, eV
HIGH, ETA = -4.961306, 0.582714  # F_e, eV


def _decay(r: np.ndarray, scale: float, rate: float, shift: float) -> np.ndarray:
    x = r / NEAREST
    return scale * np.exp(-rate * (x - 1)) / (1 + (x - shift) ** 20)


def _embedding(rho: np.ndarray) -> np.ndarray:
    low = np.polynomial.polynomial.polyval(rho / (0.85 * DENSITY_E) - 1, LOW)
    middle = np.polynomial.polynomial.polyval(rho / DENSITY_E - 1, MIDDLE)
    high = HIGH * (1 - ETA * np.log(rho / DENSITY_E)) * (rho / DENSITY_E) ** ETA
    return np.select([rho < 0.85 * DENSITY_E, rho < 1.15 * DENSITY_E], [low, middle], high)


def zhou_energy(atoms: Atoms) -> float:
    """Return the energy (eV) of a cell of tungsten."""
    first, r = neighbor_list("id", atoms, CUTOFF)
    pairs = _decay(r, A, ALPHA, KAPPA) - _decay(r, B, BETA, LAMBDA)
    density = np.bincount(first, _decay(r, DENSITY, BETA, LAMBDA), len(atoms))
    return float(0.5 * pairs.sum() + _embedding(density).sum())
