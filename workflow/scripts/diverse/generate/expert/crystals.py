"""Perfect, strained and thermally displaced crystals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import ase.spacegroup
import ase.units
import numpy as np
from ase import Atoms
from ase.build import add_vacuum
from ase.geometry import minkowski_reduce

from diverse.generate.expert.context import Context, values
from diverse.structures import ReferenceLattice, tagged
from diverse.structures.lattices import primitive_of_constants

# Volume per atom at which a lattice is made when its relative volume is 1, in units of the
# reference lattice's. Open lattices of metals relax to larger volumes.
OPENNESS = {"sc": 1.15, "diamond": 1.5}
A15_SITES = [
    *([0, 0, 0], [0.5, 0.5, 0.5], [0.25, 0, 0.5], [0.75, 0, 0.5]),
    *([0.5, 0.25, 0], [0.5, 0.75, 0], [0, 0.5, 0.25], [0, 0.5, 0.75]),
]


class Prototype(NamedTuple):
    """A lattice by its space group (origin choice 1), the sites in it, its c/a and its angles."""

    spacegroup: int
    sites: list[tuple[float, float, float]]
    ratio: float = 1.0
    gamma: float = 90.0


CLOSE_PACKED = (8 / 3) ** 0.5  # c/a of hcp: twice the distance of close-packed layers over a
BCT_RATIO = 1.2  # c/a of bct, midway between bcc (1) and fcc (1.41) on the Bain path
RATIOS = {"hcp": CLOSE_PACKED, "bct": BCT_RATIO}
PROTOTYPES = {
    "omega": Prototype(191, [(0, 0, 0), (1 / 3, 2 / 3, 0.5)], (3 / 8) ** 0.5, 120),  # from bcc
    "beta_tin": Prototype(141, [(0, 0, 0)], 0.5456),  # c/a of tin
    "c15": Prototype(227, [(0, 0, 0), (5 / 8, 5 / 8, 5 / 8)]),  # both sites of the Laves phase
    "dhcp": Prototype(194, [(0, 0, 0), (1 / 3, 2 / 3, 0.25)], 2 * CLOSE_PACKED, 120),
    "9r": Prototype(166, [(0, 0, 0), (0, 0, 2 / 9)], 4.5 * CLOSE_PACKED, 120),
}
VARIANTS = ("bulk", "vacancy", "slab")
SHARP = 45.0  # degrees
VACUUM = 8.0  # Å between the slabs of `distorted`


def crystal(lattice: ReferenceLattice, structure: str, volume: float = 1.0) -> Atoms:
    """Return the primitive cell of a lattice at a relative volume per atom.

    Parameters
    ----------
    structure : {"bcc", "fcc", "hcp", "a15", "sc", "diamond", "bct", "reference"} or of PROTOTYPES
        ``reference`` stands for the reference lattice. hcp and bct have its c/a where they are its
        structure; otherwise hcp has the ideal c/a, bct 1.2.
    volume : float
        In units of the reference lattice's volume per atom; of another lattice that is sc of 1.15
        and of diamond of 1.5 times it.
    """
    element = lattice.element
    structure = lattice.structure if structure == "reference" else structure
    if structure == "a15":
        atoms = Atoms([element] * 8, scaled_positions=A15_SITES, cell=[1, 1, 1], pbc=True)
    elif structure in PROTOTYPES:
        atoms = _of_prototype(element, PROTOTYPES[structure])
    elif structure == lattice.structure and not lattice.cubic:
        atoms = lattice.primitive()
    else:
        atoms = primitive_of_constants(element, structure, 1.0, RATIOS.get(structure))
    openness = OPENNESS.get(structure, 1.0) / OPENNESS.get(lattice.structure, 1.0)
    wanted = volume * openness * lattice.volume_per_atom * len(atoms)
    scale = (wanted / atoms.get_volume()) ** (1 / 3)
    atoms.set_cell(scale * atoms.cell.array, scale_atoms=True)
    return atoms


def _of_prototype(element: str, prototype: Prototype) -> Atoms:
    """Return the primitive cell of a prototype, at a lattice constant a of 1.

    A cell with an angle below 45 degrees, such as the one of 9r, gets its shortest vectors instead:
    in a sharp cell DFT needs several times the k-points, and GPAW warns of its results.
    """
    made: Atoms = ase.spacegroup.crystal(
        [element] * len(prototype.sites),
        prototype.sites,
        spacegroup=prototype.spacegroup,
        cellpar=[1, 1, prototype.ratio, 90, 90, prototype.gamma],
        primitive_cell=True,
        onduplicates="error",
    )
    atoms = Atoms(made.symbols, positions=made.positions, cell=made.cell, pbc=True)
    if atoms.cell.angles().min() < SHARP:
        atoms.set_cell(minkowski_reduce(atoms.cell)[0])
        atoms.wrap()
    return atoms


def eos(
    context: Context, *, lattices: Sequence[str], volumes: Sequence[float] | dict[str, Any]
) -> list[Atoms]:
    """Equation of state: primitive cells at relative volumes per atom (see `crystal`)."""
    return [
        tagged(
            crystal(context.lattice, structure, volume),
            f"eos_{structure}",
            f"eos_{structure}_{volume:g}",
        )
        for structure in lattices
        for volume in values(volumes)
    ]


def elastic(context: Context, *, strains: Sequence[float] | dict[str, Any]) -> list[Atoms]:
    """Conventional cell under strains of the given sizes: uniaxial, tetragonal and shear.

    The tetragonal strain changes c/a at constant volume. Where the lattice is not cubic there are
    uniaxial strains along the other axes, and shears of the other planes, too (z is the axis of hcp
    and bct); those that symmetry makes equal count once.
    """
    cells = []
    for name, mode in elastic_modes(context.lattice).items():
        for strain in values(strains):
            atoms = context.lattice.conventional()
            atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain * mode), scale_atoms=True)
            cells.append(tagged(atoms, "elastic", f"elastic_{name}_{strain:g}"))
    return cells


def elastic_modes(lattice: ReferenceLattice) -> dict[str, np.ndarray]:
    """Return strains of unit size, shape (3, 3), by name; see `elastic`."""
    modes = {
        "uniaxial": np.diag([1.0, 0.0, 0.0]),
        "tetragonal": np.diag([-0.5, -0.5, 1.0]),
        "shear": _shear(0, 1),
    }
    if not lattice.cubic:
        modes |= {"uniaxial_z": np.diag([0.0, 0.0, 1.0]), "shear_xz": _shear(0, 2)}
        modes |= {"uniaxial_y": np.diag([0.0, 1.0, 0.0]), "shear_yz": _shear(1, 2)}
    return modes


def _shear(first: int, second: int) -> np.ndarray:
    mode = np.zeros((3, 3))
    mode[first, second] = mode[second, first] = 0.5
    return mode


def distorted(
    context: Context,
    *,
    lattices: Sequence[str],
    supercell: Sequence[int],
    strain: float,
    displacement: float,
    variants: Sequence[str],
    repeats: int,
) -> list[Atoms]:
    """Supercells of lattices under random strains, their atoms displaced at random.

    Each of the six components of the strain is uniform in +-`strain`; displacements are normal
    with standard deviation `displacement` (Å). Of each lattice there are the `variants`: the
    crystal (``bulk``), the same with one atom less (``vacancy``), and the same with 8 Å of vacuum
    across the plane of its first two vectors (``slab``).
    """
    cells = []
    for structure in lattices:
        for variant in variants:
            perfect = crystal(context.lattice, structure).repeat(tuple(supercell))
            name = f"distorted_{structure}"
            if variant == "vacancy":
                del perfect[0]
            elif variant == "slab":
                add_vacuum(perfect, VACUUM * perfect.cell.handedness)
            name += "" if variant == "bulk" else f"_{variant}"
            draw = partial(_distort, perfect, strain, displacement)
            for repeat in range(repeats):
                trajectory = f"{name}_{repeat}"
                cells.append(tagged(context.drawn(draw, trajectory), name, trajectory))
    return cells


def _distort(perfect: Atoms, strain: float, displacement: float, rng: np.random.Generator) -> Atoms:
    atoms, components = perfect.copy(), rng.uniform(-strain, strain, (3, 3))
    symmetric = np.triu(components) + np.triu(components, 1).T
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + symmetric), scale_atoms=True)
    atoms.positions += rng.normal(0, displacement, (len(atoms), 3))
    return atoms


def thermal(
    context: Context,
    *,
    temperatures: Sequence[float],
    repeats: int,
    debye_temperature: float,
    supercell: Sequence[int],
) -> list[Atoms]:
    """Supercells displaced as independent Debye oscillators would be at each temperature (K)."""
    cells = []
    for temperature in temperatures:
        for repeat in range(repeats):
            atoms = context.lattice.primitive().repeat(tuple(supercell))
            deviation = debye_amplitude(atoms, temperature, debye_temperature)
            name = f"thermal_{temperature:g}K_{repeat}"
            cells.append(tagged(context.displaced(atoms, deviation, name), "thermal", name))
    return cells


def debye_amplitude(atoms: Atoms, temperature: float, debye_temperature: float) -> float:
    """Return the standard deviation (Å) of one coordinate of a Debye solid.

    sqrt(3 hbar^2 T / (m k_B Theta^2)), the high-temperature limit (B. T. M. Willis, A. W. Pryor,
    *Thermal Vibrations in Crystallography* (1975), chapter 4).
    """
    mass = atoms.get_masses().mean()
    hbar = ase.units._hbar * ase.units.J * ase.units.second
    quantum = ase.units.kB * debye_temperature
    return float(np.sqrt(3 * hbar**2 * ase.units.kB * temperature / (mass * quantum**2)))
