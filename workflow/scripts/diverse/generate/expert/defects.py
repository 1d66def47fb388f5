"""Point defects and screw dislocations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from diverse.generate.expert.context import Context
from diverse.neighbours import find_pairs
from diverse.structures import ReferenceLattice, tagged

CONTACT = 0.85  # nearest-neighbour distances that atoms around an interstitial are pushed apart to
DUMBBELLS = {"100": [1, 0, 0], "110": [1, 1, 0], "111": [1, 1, 1]}
SITES = {"octahedral": [0.5, 0.5, 0], "tetrahedral": [0.5, 0.25, 0]}  # in bcc lattice constants
PUSHES = 1000
SAME_SHELL = 1e-2  # Å, step between the distances of neighbours within one shell


def vacancy(
    context: Context, *, supercell: Sequence[int], repeats: int, displacement: float
) -> list[Atoms]:
    """Supercells short of one atom, the others displaced at random (standard deviation in Å)."""
    atoms = context.lattice.primitive().repeat(tuple(supercell))
    del atoms[0]
    return _displaced_copies(context, atoms, "vacancy", repeats, displacement)


def divacancy(
    context: Context,
    *,
    supercell: Sequence[int],
    shells: int,
    repeats: int,
    displacement: float,
) -> list[Atoms]:
    """Supercells short of two atoms, which were neighbours in one of the first `shells` shells."""
    perfect = context.lattice.primitive().repeat(tuple(supercell))
    shell_of = _shells(perfect.get_distances(0, range(1, len(perfect)), mic=True))
    cells = []
    for shell in np.unique(shell_of)[:shells]:
        atoms = perfect.copy()
        del atoms[[0, 1 + int(np.argmax(shell_of == shell))]]
        copies = _displaced_copies(context, atoms, "divacancy", repeats, displacement, f"_{shell}")
        cells.extend(copies)
    return cells


def interstitials(
    context: Context,
    *,
    kinds: Sequence[str],
    supercell: Sequence[int],
    repeats: int,
    displacement: float,
) -> list[Atoms]:
    """Supercells of bcc with one atom too many: dumbbells, octahedral and tetrahedral sites.

    Atoms are displaced at random (standard deviation in Å) and then pushed apart to 0.85 of the
    nearest-neighbour distance, about where they would relax.
    """
    nearest = context.lattice.nearest_neighbour
    cells = []
    for kind in kinds:
        cell = context.lattice.primitive().repeat(tuple(supercell))
        perfect = with_interstitial(context.lattice, kind, cell)
        for repeat in range(repeats):
            atoms = perfect.copy()
            name = f"interstitial_{kind}_{repeat}"
            atoms.positions += context.stream(name).normal(0, displacement, (len(atoms), 3))
            atoms = pushed_apart(atoms, CONTACT * nearest)
            cells.append(tagged(atoms, f"interstitial_{kind}", name))
    return cells


def dislocation(
    context: Context,
    *,
    elastic_constants: Sequence[float],
    radius: float,
    vacuum: float,
    repeats: int,
    displacement: float,
) -> list[Atoms]:
    """Cylinders of bcc around a 1/2<111> screw dislocation (easy core), one Burgers vector long.

    Made by matscipy from the anisotropic elastic field of the constants C11, C12, C44 (GPa);
    `radius` and the `vacuum` between images in Å.
    """
    from matscipy.dislocation import BCCScrew111Dislocation

    element, a = context.lattice.element, context.lattice.a
    core = BCCScrew111Dislocation(a, *elastic_constants, symbol=element)
    cylinder = core.build_cylinder(radius, fix_width=0.0, method="adsl", verbose=False)[1]
    cylinder.center(vacuum=vacuum / 2, axis=(0, 1))
    return _displaced_copies(context, cylinder, "dislocation_screw", repeats, displacement)


def with_interstitial(lattice: ReferenceLattice, kind: str, perfect: Atoms) -> Atoms:
    """Return a supercell of bcc in which an atom is split in two, or one sits on a free site.

    Parameters
    ----------
    lattice : ReferenceLattice
        Of the supercell.
    kind : str
        One of `DUMBBELLS`, of which the first and the last atom are the halves, or of `SITES`,
        where the last atom sits.
    perfect : Atoms
        Supercell; it is left as it is.
    """
    atoms = perfect.copy()
    if kind in DUMBBELLS:
        direction = np.array(DUMBBELLS[kind]) / np.linalg.norm(DUMBBELLS[kind])
        half = 0.5 * CONTACT * lattice.nearest_neighbour * direction
        extra = atoms.positions[0] + half
        atoms.positions[0] -= half
    else:
        extra = atoms.positions[0] + lattice.a * np.array(SITES[kind])
    return atoms + Atoms([lattice.element], positions=[extra])


def pushed_apart(atoms: Atoms, distance: float) -> Atoms:
    """Return a copy in which no two atoms are nearer than `distance` (Å), the cell unchanged.

    Pairs that are too near move apart by half of what they lack, again and again; aiming 1 % higher
    ends it in finitely many steps.

    Raises
    ------
    ValueError
        If the cell has no room.
    """
    copy, aim = atoms.copy(), 1.01 * distance
    for _ in range(PUSHES):
        pairs = find_pairs([copy], aim)
        if (pairs.distance >= distance).all():
            return copy
        push = -0.5 * (aim / pairs.distance - 1)[:, None] * pairs.vector
        np.add.at(copy.positions, pairs.center, push)
    raise ValueError(
        f"{len(atoms)} atoms do not fit {distance:.2f} Å apart into a cell of "
        f"{atoms.get_volume():.0f} Å^3: take a larger supercell"
    )


def _shells(distances: np.ndarray) -> np.ndarray:
    """Return the number of the shell that each neighbour belongs to, from 0 for the nearest.

    Parameters
    ----------
    distances : ndarray, shape (n,), Å
        In any order; a shell begins where sorted distances step up by more than 0.01 Å.
    """
    ordered = np.sort(distances)
    first = ordered[np.diff(ordered, prepend=-np.inf) > SAME_SHELL]
    shells: np.ndarray = np.searchsorted(first, distances, side="right") - 1
    return shells


def _displaced_copies(
    context: Context, atoms: Atoms, name: str, repeats: int, displacement: float, label: str = ""
) -> list[Atoms]:
    names = [f"{name}{label}_{repeat}" for repeat in range(repeats)]
    return [tagged(context.displaced(atoms, displacement, own), name, own) for own in names]
