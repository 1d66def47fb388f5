"""Neighbour pairs of a batch of periodic cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from vesin import NeighborList


@dataclass(frozen=True)
class NeighbourPairs:
    """Directed pairs (i, j) within the cutoff, sorted by their centre i.

    Atoms are numbered through the whole batch. A pair of an atom with its own periodic image
    has ``center == neighbour``.

    Attributes
    ----------
    center, neighbour : ndarray, shape (n_pairs,)
        Indices of i and j.
    vector : ndarray, shape (n_pairs, 3), Å
        r_j - r_i, periodic image included.
    cell_of_atom : ndarray, shape (n_atoms,)
        Index of the cell each atom belongs to.
    """

    center: np.ndarray
    neighbour: np.ndarray
    vector: np.ndarray
    cell_of_atom: np.ndarray

    @property
    def n_atoms(self) -> int:
        return len(self.cell_of_atom)

    @property
    def distance(self) -> np.ndarray:
        """Pair distances, shape (n_pairs,), Å."""
        return np.linalg.norm(self.vector, axis=1)


def neighbour_pairs(cells: Sequence[Atoms], cutoff: float) -> NeighbourPairs:
    """Find all pairs closer than `cutoff` (Å) in each of `cells`, images included.

    Raises
    ------
    ValueError
        If a cell has positions that are not finite, or no volume.
    """
    center, neighbour, vector, first = [], [], [], 0
    for index, atoms in enumerate(cells):
        check_geometry(atoms, f"cell {index}")
        finder = NeighborList(cutoff=cutoff, full_list=True)
        i, j, d = finder.compute(
            points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="ijD"
        )
        order = np.argsort(i, kind="stable")
        center.append(i[order].astype(np.int64) + first)
        neighbour.append(j[order].astype(np.int64) + first)
        vector.append(d[order])
        first += len(atoms)
    return NeighbourPairs(
        center=np.concatenate(center),
        neighbour=np.concatenate(neighbour),
        vector=np.concatenate(vector),
        cell_of_atom=np.repeat(np.arange(len(cells)), [len(atoms) for atoms in cells]),
    )


def check_geometry(atoms: Atoms, name: str) -> None:
    """Raise ValueError, naming the cell, unless positions are finite and the volume is not zero."""
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise ValueError(f"{name}: positions or cell vectors are not finite numbers")
    if abs(np.linalg.det(atoms.cell.array)) < 1e-6:
        raise ValueError(f"{name}: the cell has no volume; every cell of a study is periodic")


def shortest_distance(atoms: Atoms) -> float:
    """Return d_min, the shortest interatomic distance (Å), periodic images included."""
    reach = 1.05 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    while True:
        distance = neighbour_pairs([atoms], reach).distance
        if len(distance):
            return float(distance.min())
        reach *= 1.5
