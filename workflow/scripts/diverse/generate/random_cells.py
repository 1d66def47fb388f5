"""Random periodic cells: the sampler shared by the `entropy` and `random` families."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from diverse.structures import ReferenceLattice

FLOOR_RATIO = 0.766  # of the floor to the nearest-neighbour distance
PACKING = 0.64  # volume fraction of randomly close-packed spheres
MAX_TRIES = 1000  # a cell shape this hard to draw means the settings exclude nearly everything


@dataclass(frozen=True)
class SamplerSettings:
    """Ranges the random cells are drawn from, uniformly but for the number of atoms.

    Attributes
    ----------
    atoms : tuple of int
        Smallest and largest number of atoms in a cell.
    sizes : {"uniform", "equal_environments"}
        ``uniform``: every number of atoms is as likely; ``equal_environments``: small cells are
        more frequent, so that every number of atoms supplies as many environments.
    volume : tuple of float
        Volume per atom relative to the reference lattice.
    aspect : float
        Largest ratio of two cell-vector lengths, at least 1.
    angles : tuple of float, degrees
        Smallest and largest angle between cell vectors.
    d_min : float, Å
        Hard floor on the shortest interatomic distance.
    core : tuple of float
        Range of the core radius in units of the radius at which spheres would fill 64 % of the
        cell (random close packing); never below `d_min`.
    core_stiffness : float, eV/Å^2
        Stiffness of the core.
    """

    atoms: tuple[int, int]
    sizes: str
    volume: tuple[float, float]
    aspect: float
    angles: tuple[float, float]
    d_min: float
    core: tuple[float, float]
    core_stiffness: float


def random_cell(
    settings: SamplerSettings, lattice: ReferenceLattice, rng: np.random.Generator
) -> tuple[Atoms, float]:
    """Draw a cell with uniformly random positions, and the core radius (Å) it is relaxed with.

    Raises
    ------
    ValueError
        If no cell shape in the ranges is thick enough to keep periodic images `d_min` apart.
    """
    n_atoms = _random_size(settings, rng)
    volume = n_atoms * lattice.volume_per_atom * rng.uniform(*settings.volume)
    for _ in range(MAX_TRIES):
        cell = _random_shape(settings, rng)
        determinant = np.linalg.det(cell)
        if determinant < 0.1:
            continue
        cell *= (volume / determinant) ** (1 / 3)
        thickness = volume / np.linalg.norm(np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]]), axis=1)
        if thickness.min() >= settings.d_min:
            break
    else:
        raise ValueError(
            f"no random cell of {n_atoms} atoms and {volume:.1f} Å^3 keeps its periodic images "
            f"{settings.d_min} Å apart in {MAX_TRIES} tries: lower d_min or aspect, or raise volume"
        )
    core = max(packing_radius(volume / n_atoms) * rng.uniform(*settings.core), settings.d_min)
    positions = rng.uniform(size=(n_atoms, 3)) @ cell
    return Atoms([lattice.element] * n_atoms, positions=positions, cell=cell, pbc=True), core


def packing_radius(volume: float) -> float:
    """Return the diameter (Å) of spheres that fill 64 % of `volume` (Å^3) per atom."""
    return float((PACKING * 6 / math.pi * volume) ** (1 / 3))


def default_floor(lattice: ReferenceLattice) -> float:
    """Return the default floor (Å) on the shortest distance, rounded to 0.01 Å.

    It is 0.766 of the nearest-neighbour distance: 2.10 Å for tungsten. There forces are as large
    as a potential must know of short contacts, and a pseudopotential still holds.
    """
    return round(FLOOR_RATIO * lattice.nearest_neighbour, 2)


def check_packing(settings: SamplerSettings, lattice: ReferenceLattice) -> None:
    """Refuse a floor that the densest cells cannot satisfy.

    Raises
    ------
    ValueError
        If spheres of diameter d_min would fill more than 64 % (random close packing) of the
        smallest volume.
    """
    smallest = settings.volume[0] * lattice.volume_per_atom
    filled = math.pi / 6 * settings.d_min**3 / smallest
    if filled > PACKING:
        limit = packing_radius(smallest)
        raise ValueError(
            f"spheres of d_min = {settings.d_min} Å would fill {filled:.0%} of a cell at the "
            f"smallest volume, {settings.volume[0]} of the lattice's; random cells reach "
            f"{PACKING:.0%}: lower d_min to at most {math.floor(100 * limit) / 100} Å or raise "
            "volume"
        )


def _random_size(settings: SamplerSettings, rng: np.random.Generator) -> int:
    """Draw a number of atoms."""
    sizes = np.arange(settings.atoms[0], settings.atoms[1] + 1)
    weight = 1 / sizes if settings.sizes == "equal_environments" else np.ones(len(sizes))
    return int(rng.choice(sizes, p=weight / weight.sum()))


def _random_shape(settings: SamplerSettings, rng: np.random.Generator) -> np.ndarray:
    """Return cell vectors (rows) of random lengths and angles, not yet scaled to a volume."""
    lengths = settings.aspect ** rng.uniform(size=3)
    cosines = np.cos(np.radians(rng.uniform(*settings.angles, size=3)))
    gram = np.array(
        [
            [1, cosines[2], cosines[1]],
            [cosines[2], 1, cosines[0]],
            [cosines[1], cosines[0], 1],
        ]
    )
    if np.linalg.eigvalsh(gram).min() <= 0.05:
        return np.zeros((3, 3))
    return lengths[:, None] * np.linalg.cholesky(gram)
