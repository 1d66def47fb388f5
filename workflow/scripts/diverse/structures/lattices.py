"""The reference lattice of an element, by its structure and constants or by a structure file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

CUBIC = ("bcc", "fcc", "sc", "diamond")
LARGEST_CELL = 200  # atoms of a structure file
SAME_PLACE = 0.01  # Å, within which an atom counts as the image of another: thirds of four decimals


class LatticeError(ValueError):
    """A structure file is no crystal lattice of the element."""


@dataclass(frozen=True)
class ReferenceLattice:
    """The element's ground-state lattice, by its structure and constants or by a structure file.

    Attributes
    ----------
    element : str
        Chemical symbol.
    structure : {"bcc", "fcc", "sc", "diamond", "hcp", "bct", "reference"}
        Name of `ase.build.bulk`; ``reference`` for the lattice of a file.
    a, c : float, Å
        Lattice constants; c of hcp and bct only.
    file : str or None
        Structure file of a primitive or conventional cell.
    sha256 : str
        Of the file, so that whoever depends on this lattice depends on what the file holds.
    """

    element: str
    structure: str = "reference"
    a: float = 0.0
    c: float | None = None
    file: str | None = None
    sha256: str = ""

    @property
    def cubic(self) -> bool:
        """Say whether the lattice's structure is one of the cubic ones."""
        return self.structure in CUBIC

    def primitive(self) -> Atoms:
        """Return the primitive cell."""
        if self.file is not None:
            return primitive_cell(read_lattice(self.file, self.element))
        return primitive_of_constants(self.element, self.structure, self.a, self.c)

    def conventional(self) -> Atoms:
        """Return the conventional cell: right-angled, but for a file the cell as given there."""
        if self.file is not None:
            return read_lattice(self.file, self.element).copy()
        if self.structure == "bct":
            cell, centre = np.diag([self.a, self.a, self.c]), [0.5, 0.5, 0.5]
            places = {"scaled_positions": [[0.0, 0.0, 0.0], centre]}
            return Atoms([self.element] * 2, cell=cell, pbc=True, **places)
        shape = {"cubic": True} if self.cubic else {"orthorhombic": True}
        return bulk(self.element, self.structure, a=self.a, c=self.c, **shape)

    @property
    def miller_cell(self) -> np.ndarray:
        """Cell that Miller indices refer to, shape (3, 3), Å: of hcp the hexagonal one."""
        if self.cubic:
            return np.eye(3) * self.a
        shown = self.primitive() if self.structure == "hcp" else self.conventional()
        return np.asarray(shown.cell.array)

    @property
    def volume_per_atom(self) -> float:
        """Volume per atom of the lattice, Å^3."""
        return self.primitive().get_volume() / len(self.primitive())

    @property
    def nearest_neighbour(self) -> float:
        """Distance of nearest neighbours in the lattice, Å."""
        if self.file is not None:
            return _shortest_distance(self.primitive())
        distances = self.primitive().repeat(3).get_all_distances(mic=True)
        return float(distances[distances > 0].min())


def read_lattice(path: str, element: str) -> Atoms:
    """Return the periodic cell of a structure file, as it is given there.

    Parameters
    ----------
    path : str
        File of any format that ASE recognises; of several frames the last is read.
    element : str
        Chemical symbol that every atom must have.

    Raises
    ------
    LatticeError
        If the file cannot be read, holds no volume, another element or more than 200 atoms.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise LatticeError(f"there is no structure file '{path[:80]}' ({error.strerror})") from None
    return _read(path, element, (status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=4)
def _read(path: str, element: str, stamp: tuple[int, int]) -> Atoms:
    """Read a lattice once, as long as its file stays as it is."""
    try:
        atoms: Any = ase.io.read(path)
    except Exception as error:  # ASE's readers raise anything
        raise LatticeError(
            f"ASE cannot read the structure file '{path}' ({type(error).__name__}: {error})"
        ) from None
    if atoms.cell.rank < 3:
        raise LatticeError(f"'{path}' has no three cell vectors: a lattice is periodic")
    if not 0 < len(atoms) <= LARGEST_CELL:
        raise LatticeError(
            f"'{path}' holds {len(atoms)} atoms; a lattice's cell has 1 to {LARGEST_CELL}"
        )
    if others := sorted(set(atoms.symbols) - {element}):
        raise LatticeError(f"'{path}' holds {', '.join(others)}; the element is {element}")
    return Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)


def primitive_of_constants(element: str, structure: str, a: float, c: float | None = None) -> Atoms:
    """Return the primitive cell of a structure by its lattice constants.

    The one of bct has one atom, also of tin, for which ASE makes the two of beta tin.

    Parameters
    ----------
    element : str
        Chemical symbol.
    structure : {"bcc", "fcc", "sc", "diamond", "hcp", "bct"}
    a, c : float, Å
        Lattice constants; c of hcp and bct only.
    """
    basis = [[0.0, 0.0, 0.0]] if structure == "bct" else None
    return bulk(element, structure, a=a, c=c, basis=basis)


def primitive_cell(atoms: Atoms) -> Atoms:
    """Return the smallest cell that repeats to the crystal of `atoms`, all of one element.

    The three shortest translations that carry the crystal over into itself and span the volume of
    the smallest cell become its vectors. A cell that is primitive is returned as it is. Atoms are
    where they should be within 0.01 Å; translations are exact fractions of the cell, whatever the
    decimals of its atoms.

    Raises
    ------
    LatticeError
        If atoms repeat so roughly that their translations do not make a lattice.
    """
    fractions = atoms.get_scaled_positions()
    inside = [shift for shift in fractions - fractions[0] if _carries_over(atoms, shift)]
    n = len(inside)
    if n == 1:
        return atoms.copy()
    steps = np.rint(n * np.array(inside)).astype(int) % n  # n of them together are a cell vector
    _check_translations(steps, len(atoms))
    images = np.array(list(np.ndindex(4, 4, 4))) - 2
    translations = (steps[:, None] / n + images).reshape(-1, 3) @ atoms.cell.array
    lengths = np.linalg.norm(translations, axis=1)
    order = [index for index in np.argsort(lengths, kind="stable") if lengths[index] > SAME_PLACE]
    volume = atoms.get_volume() / n
    vectors = next(
        np.array(three)
        for three in combinations(translations[order], 3)
        if np.isclose(np.linalg.det(three), volume, rtol=1e-3)
    )
    own = atoms.positions @ np.linalg.inv(vectors)
    kept: list[int] = []
    for index, place in enumerate(own):
        shifts = (place - own[kept] - np.rint(place - own[kept])) @ vectors
        if not (np.linalg.norm(shifts, axis=1) < SAME_PLACE).any():
            kept.append(index)
    return Atoms(atoms.symbols[kept], positions=atoms.positions[kept], cell=vectors, pbc=True)


def _check_translations(steps: np.ndarray, n_atoms: int) -> None:
    """Refuse translations, in n-ths of the cell, two of which do not make a third one."""
    n = len(steps)
    known = set(map(tuple, steps.tolist()))
    sums = ((steps[:, None] + steps) % n).reshape(-1, 3)
    if len(known) < n or n_atoms % n or not set(map(tuple, sums.tolist())) <= known:
        raise LatticeError(
            f"the {n_atoms} atoms of the cell repeat within it only roughly (to {SAME_PLACE} Å): "
            "give their coordinates more decimals, or the primitive cell"
        )


def _carries_over(atoms: Atoms, shift: np.ndarray) -> bool:
    """Say whether a translation (fractions of the cell) carries every atom to an atom."""
    fractions = atoms.get_scaled_positions()
    difference = (fractions + shift)[:, None] - fractions
    difference -= np.rint(difference)
    distances = np.linalg.norm(difference @ atoms.cell.array, axis=2)
    return bool((distances.min(axis=1) < SAME_PLACE).all())


def _shortest_distance(atoms: Atoms) -> float:
    """Return the shortest distance (Å) in a crystal, periodic images included."""
    reach = 1.05 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    while not len(distances := neighbor_list("d", atoms, reach)):
        reach *= 1.5
    return float(distances.min())
