"""Recipes of an expert-curated training set for a metal.

Each recipe returns cells tagged with their group (``config_type``) and trajectory. All take the
reference lattice first and their own settings by keyword; lengths in Å, temperatures in K, strains
and volumes relative to the reference lattice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ase.units
import numpy as np
from ase import Atoms
from ase.build import bulk, surface

from diverse.structures import ReferenceLattice, tagged

Recipe = Callable[..., list[Atoms]]

ATOMS_PER_CUBIC_CELL = {"bcc": 2, "fcc": 4, "sc": 1, "diamond": 8}


def eos(
    lattice: ReferenceLattice,
    rng: np.random.Generator,
    *,
    lattices: Sequence[str],
    volumes: Sequence[float],
) -> list[Atoms]:
    """Equation of state: primitive cells of cubic lattices at relative volumes per atom."""
    cells = []
    for structure in lattices:
        for volume in volumes:
            cubic_volume = volume * lattice.volume_per_atom * ATOMS_PER_CUBIC_CELL[structure]
            atoms = bulk(lattice.element, structure, a=cubic_volume ** (1 / 3))
            cells.append(tagged(atoms, f"eos_{structure}", f"eos_{structure}_{volume:g}"))
    return cells


def elastic(
    lattice: ReferenceLattice, rng: np.random.Generator, *, strains: Sequence[float]
) -> list[Atoms]:
    """Conventional cell under uniaxial, tetragonal and shear strains of the given sizes."""
    modes = {
        "uniaxial": np.diag([1.0, 0.0, 0.0]),
        "tetragonal": np.diag([-0.5, -0.5, 1.0]),
        "shear": np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    }
    cells = []
    for name, mode in modes.items():
        for strain in strains:
            atoms = lattice.cubic()
            atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain * mode), scale_atoms=True)
            cells.append(tagged(atoms, "elastic", f"elastic_{name}_{strain:g}"))
    return cells


def thermal(
    lattice: ReferenceLattice,
    rng: np.random.Generator,
    *,
    temperatures: Sequence[float],
    repeats: int,
    debye_temperature: float,
    supercell: Sequence[int],
) -> list[Atoms]:
    """Supercells displaced as independent Debye oscillators would be at each temperature.

    The standard deviation of each coordinate is sqrt(3 hbar^2 T / (m k_B Theta^2)), the
    high-temperature limit of the Debye model (B. T. M. Willis, A. W. Pryor, *Thermal Vibrations in
    Crystallography* (1975), chapter 4).
    """
    cells = []
    for temperature in temperatures:
        for repeat in range(repeats):
            atoms = lattice.primitive().repeat(tuple(supercell))
            deviation = debye_amplitude(atoms, temperature, debye_temperature)
            atoms.positions += rng.normal(0, deviation, (len(atoms), 3))
            cells.append(tagged(atoms, "thermal", f"thermal_{temperature:g}K_{repeat}"))
    return cells


def vacancy(
    lattice: ReferenceLattice,
    rng: np.random.Generator,
    *,
    supercell: Sequence[int],
    repeats: int,
    displacement: float,
) -> list[Atoms]:
    """Supercells short of one atom, the others displaced at random (standard deviation in Å)."""
    cells = []
    for repeat in range(repeats):
        atoms = lattice.primitive().repeat(tuple(supercell))
        del atoms[0]
        atoms.positions += rng.normal(0, displacement, (len(atoms), 3))
        cells.append(tagged(atoms, "vacancy", f"vacancy_{repeat}"))
    return cells


def surfaces(
    lattice: ReferenceLattice,
    rng: np.random.Generator,
    *,
    facets: Sequence[Sequence[int]],
    layers: int,
    vacuum: float,
    repeats: int,
    displacement: float,
) -> list[Atoms]:
    """Slabs with low-index facets and `vacuum` Å between images, atoms displaced at random."""
    cells = []
    for facet in facets:
        name = "".join(str(index) for index in facet)
        for repeat in range(repeats):
            atoms = _primitive_slab(lattice, facet, layers, vacuum)
            atoms.positions += rng.normal(0, displacement, (len(atoms), 3))
            cells.append(tagged(atoms, f"surface_{name}", f"surface_{name}_{repeat}"))
    return cells


def debye_amplitude(atoms: Atoms, temperature: float, debye_temperature: float) -> float:
    """Return the standard deviation (Å) of one coordinate of a Debye solid, high temperature."""
    mass = atoms.get_masses().mean()
    hbar = ase.units._hbar * ase.units.J * ase.units.second
    quantum = ase.units.kB * debye_temperature
    return float(np.sqrt(3 * hbar**2 * ase.units.kB * temperature / (mass * quantum**2)))


def _primitive_slab(
    lattice: ReferenceLattice, facet: Sequence[int], layers: int, vacuum: float
) -> Atoms:
    """Return the slab with the smallest in-plane cell: one atom a layer for bcc and fcc."""
    slab = surface(lattice.primitive(), _primitive_indices(lattice, facet), layers)
    slab.center(vacuum=vacuum / 2, axis=2)
    return slab


def _primitive_indices(lattice: ReferenceLattice, facet: Sequence[int]) -> tuple[int, ...]:
    """Convert Miller indices of the conventional cell to those of the primitive cell."""
    to_primitive = lattice.primitive().cell.array @ np.linalg.inv(np.eye(3) * lattice.a)
    indices = np.rint(2 * to_primitive @ np.asarray(facet)).astype(int)
    return tuple(int(index) for index in indices // np.gcd.reduce(indices))


RECIPES: dict[str, Recipe] = {
    "eos": eos,
    "elastic": elastic,
    "thermal": thermal,
    "vacancy": vacancy,
    "surfaces": surfaces,
}


def expert_cells(
    lattice: ReferenceLattice, groups: dict[str, dict[str, object]], rng: np.random.Generator
) -> list[Atoms]:
    """Make every requested group, in the order of the study file."""
    return [
        cell for name, options in groups.items() for cell in RECIPES[name](lattice, rng, **options)
    ]
