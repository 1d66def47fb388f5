"""Cells that the tests of the descriptor kernel share."""

from dataclasses import dataclass

import numpy as np
from ase.build import bulk, surface

from diverse.kernel import NeighbourPairs, neighbour_pairs

CUTOFF = 4.734

# Rounding of a bispectrum component, relative to the largest: three harmonics of at most 14 steps
# with four roundings each, and the rounding of positions, 10 Å * eps, times a slope of at most
# 3 * 14 * pi / CUTOFF per Å: about 200 + 300 eps = 1e-13; ten times that to be safe.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Case:
    """One cell; its rows are lower triangular, as LAMMPS wants them."""

    positions: np.ndarray
    cell: np.ndarray
    pbc: tuple[bool, bool, bool] = (True, True, True)

    @property
    def n_atoms(self) -> int:
        return len(self.positions)

    def pairs(self, cutoff: float = CUTOFF) -> NeighbourPairs:
        """Return the neighbour pairs of this cell alone."""
        pbc = np.array([self.pbc])
        first_atom = np.array([0, self.n_atoms])
        return neighbour_pairs(self.positions, self.cell[None], first_atom, cutoff=cutoff, pbc=pbc)


def triclinic(n_atoms: int, seed: int = 0, *, nearest: float = 1.2) -> Case:
    """Return a random triclinic cell of about tungsten's density, no pair closer than nearest."""
    rng = np.random.default_rng([n_atoms, seed])
    while True:
        length = (16 * n_atoms) ** (1 / 3)
        cell = np.diag(rng.uniform(0.7, 1.4, size=3)) * length
        cell[1, 0], cell[2, 0], cell[2, 1] = rng.uniform(-0.5, 0.5, size=3) * length
        case = Case(rng.uniform(size=(n_atoms, 3)) @ cell, cell)
        distances = np.linalg.norm(case.pairs().vector, axis=1)
        if distances.min() > nearest:
            return case


def displaced_bulk() -> Case:
    """Return 54 atoms of bcc tungsten with displacements of 0.15 Å."""
    atoms = bulk("W", "bcc", a=3.165, cubic=True) * (3, 3, 3)
    rng = np.random.default_rng(1)
    return Case(atoms.positions + rng.normal(scale=0.15, size=(54, 3)), atoms.cell.array)


def slab() -> Case:
    """Return a (110) slab of tungsten, displaced, that does not repeat along z."""
    atoms = surface("W", (1, 1, 0), layers=4, vacuum=4.0) * (2, 2, 1)
    rng = np.random.default_rng(2)
    positions = atoms.positions + rng.normal(scale=0.1, size=(len(atoms), 3))
    cell = atoms.cell.array
    rotation, lower = np.linalg.qr(cell.T)
    signs = np.sign(np.diag(lower))
    return Case(positions @ rotation * signs, (lower.T * signs), (True, True, False))


def cases() -> dict[str, Case]:
    """Return the cells that every comparison with LAMMPS runs through."""
    random = {f"triclinic-{n}": triclinic(n) for n in (1, 2, 5, 16)}
    return {"bulk": displaced_bulk(), "slab": slab(), **random}
