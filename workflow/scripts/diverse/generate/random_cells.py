"""Random periodic cells: the sampler shared by the `entropy` and `random` families."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from diverse.structures import ReferenceLattice

MAX_TRIES = 1000  # a cell shape this hard to draw means the settings exclude nearly everything


@dataclass(frozen=True)
class SamplerSettings:
    """Ranges the random cells are drawn from, uniformly.

    Attributes
    ----------
    atoms : tuple of int
        Smallest and largest number of atoms in a cell.
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
    """

    atoms: tuple[int, int]
    volume: tuple[float, float]
    aspect: float
    angles: tuple[float, float]
    d_min: float
    core: tuple[float, float]


def random_cell(
    settings: SamplerSettings, lattice: ReferenceLattice, rng: np.random.Generator
) -> tuple[Atoms, float]:
    """Draw a cell with uniformly random positions, and the core radius (Å) it is relaxed with.

    Raises
    ------
    ValueError
        If no cell shape in the ranges is thick enough to keep periodic images `d_min` apart.
    """
    n_atoms = int(rng.integers(settings.atoms[0], settings.atoms[1] + 1))
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
    packing = (0.64 * 6 / np.pi * volume / n_atoms) ** (1 / 3)
    core = max(packing * rng.uniform(*settings.core), settings.d_min)
    positions = rng.uniform(size=(n_atoms, 3)) @ cell
    return Atoms([lattice.element] * n_atoms, positions=positions, cell=cell, pbc=True), core


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
