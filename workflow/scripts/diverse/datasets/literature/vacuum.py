"""Clusters, wires and slabs in a box whose images are too far away to be seen."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from diverse.kernel import GeometryError
from diverse.neighbours import find_pairs

MARGIN = 1.0  # Å beyond what a model sees, on every side
DENSEST = 0.5  # Å^3 for an atom; no matter is denser


def geometry_problem(atoms: Atoms) -> str:
    """Return why no descriptor can be computed for a periodic cell, or an empty string."""
    volume = abs(float(np.linalg.det(atoms.cell.array)))
    if 0 < volume < DENSEST * len(atoms):
        return f"{len(atoms)} atoms in a volume of {volume:.3g} Å^3 are no matter"
    try:
        find_pairs([atoms], 0.5)
    except GeometryError as error:
        return str(error)
    return ""


def boxed(atoms: Atoms, reach: float) -> Atoms:
    """Return a periodic cell in which every atom has the surroundings it has in the source.

    Along a direction in which `atoms` does not repeat, the lattice vector is replaced by one
    perpendicular to those that repeat, as long as the atoms extend in that direction plus
    ``2 (reach + 1 Å)``. Labels are kept but for the stress, which has no volume to refer to.

    Parameters
    ----------
    atoms : Atoms
        Its lattice vectors along directions that repeat must be independent.
    reach : float, Å
        Largest distance at which a model of the study sees an atom.

    Returns
    -------
    Atoms

    Raises
    ------
    ValueError
        If the lattice vectors that repeat are not independent.
    """
    repeats = np.asarray(atoms.pbc)
    cell = atoms.cell.array.copy()
    normals = _normals(cell[repeats])
    heights = atoms.positions @ normals.T
    low, high = heights.min(axis=0), heights.max(axis=0)
    margin = reach + MARGIN
    cell[~repeats] = (high - low + 2 * margin)[:, None] * normals
    box = Atoms(atoms.numbers, positions=atoms.positions + (margin - low) @ normals, cell=cell)
    if np.linalg.det(cell) < 0:  # the last of the open vectors turns round, the atoms stay inside
        turned = np.flatnonzero(~repeats)[-1]
        box.positions -= cell[turned]
        cell[turned] *= -1
        box.set_cell(cell)
    box.pbc = True
    box.info = dict(atoms.info)
    box.calc = atoms.calc
    if atoms.calc is not None:
        atoms.calc.results.pop("stress", None)
    return box


def _normals(vectors: np.ndarray) -> np.ndarray:
    """Return orthonormal directions perpendicular to these vectors, (3 - n, 3)."""
    basis: list[np.ndarray] = []
    for vector in vectors:
        rest = vector - sum((vector @ b) * b for b in basis)
        if np.linalg.norm(rest) < 1e-6 * np.linalg.norm(vector) or not vector.any():
            raise ValueError("the lattice vectors along which it repeats are not independent")
        basis.append(rest / np.linalg.norm(rest))
    normals: list[np.ndarray] = []
    while len(basis) < 3:
        rests = [axis - sum((axis @ b) * b for b in basis) for axis in np.eye(3)]
        best = max(rests, key=np.linalg.norm)
        normals.append(best / np.linalg.norm(best))
        basis.append(normals[-1])
    return np.array(normals)
