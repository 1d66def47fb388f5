"""Surfaces and stacking faults."""

from __future__ import annotations

from functools import partial

import numpy as np
from ase import Atoms
from ase.constraints import FixedLine
from ase.units import J, m
from matscipy.gamma_surface import StackingFault

from diverse.generate.expert.surfaces import primitive_slab
from diverse.physics import Curve, Found
from diverse.physics.calculators import energy_of
from diverse.physics.crystal import Crystal
from diverse.physics.relaxation import relaxation, relaxation_curve, relaxed
from diverse.structures import ReferenceLattice

THICKNESS = 20.0  # Å, of slabs, and between stacking faults
VACUUM = 15.0  # Å
SHIFTS = 11  # along a line of stacking faults
FACETS = {
    "bcc": ("100", "110", "111", "112"),
    "fcc": ("100", "110", "111"),
    "hcp": ("0001", "10-10"),
}
LINES = {"bcc": ("110", "112"), "fcc": ("111",)}  # planes of stacking faults
GLIDE = {  # direction in the plane, by structure and plane
    ("bcc", "110"): (1, -1, 1),
    ("bcc", "112"): (1, 1, -1),
    ("fcc", "111"): (1, 1, -2),
}
SQUARE = J / m**2


def facets(lattice: ReferenceLattice) -> tuple[str, ...]:
    """Return the names of the surfaces that are measured of a lattice."""
    return FACETS.get(lattice.structure, ())


def fault_planes(lattice: ReferenceLattice) -> tuple[str, ...]:
    """Return the names of the planes whose stacking faults are measured of a lattice."""
    return LINES.get(lattice.structure, ())


def surface_energy(facet: str, crystal: Crystal) -> Found:
    """Return the energy of a relaxed surface (J/m^2), (E(slab) - n e) / 2 A.

    Slabs are 20 Å thick, with 15 Å of vacuum; their shape in the plane is the crystal's. The curve
    shows the energy along the relaxation, until no force exceeds 0.005 eV/Å.
    """
    slab = _slab(crystal.lattice, facet)
    _, energies = relaxation(slab, crystal.calculator)
    excess = (energies - len(slab) * crystal.energy) / (2 * _area(slab)) / SQUARE
    curve = relaxation_curve(excess, "surface energy (J/m²)")
    return Found({f"surface {facet}": float(excess[-1])}, curve, atoms=len(slab))


def gamma_line(plane: str, crystal: Crystal) -> Found:
    """Return the highest energy (J/m^2) of stacking faults along the glide direction of a plane.

    Crystals 20 Å thick with one fault, made by `matscipy.gamma_surface` (V. Vitek, Phil. Mag. 18,
    773 (1968)); atoms relax along the normal. Directions: <111> on 110 and 112 of bcc, <112> on
    111 of fcc.
    """
    structure = crystal.lattice.structure
    normal, glide = np.array(_indices(plane)), np.array(GLIDE[structure, plane])
    fault = StackingFault(
        crystal.lattice.a, normal, glide, crystalstructure=structure, symbol=crystal.lattice.element
    )
    thin = fault.generate_images(2)[0]
    copies = int(np.ceil(THICKNESS / thin.cell[2, 2]))
    images = fault.generate_images(SHIFTS, z_reps=copies)
    energies = np.array([_fault_energy(image, crystal) for image in images])
    energies = (energies - energies[0]) / _area(images[0]) / SQUARE
    shifts = np.linspace(0, 1, SHIFTS)
    curve = Curve(shifts.tolist(), [energies.tolist()], "shift (of the period)", "energy (J/m²)")
    return Found({f"gamma line {plane}": float(energies.max())}, curve, atoms=len(images[0]))


def _fault_energy(image: Atoms, crystal: Crystal) -> float:
    line = FixedLine(range(len(image)), (0, 0, 1))
    return energy_of(relaxed(image, crystal.calculator, line), crystal.calculator)


def _slab(lattice: ReferenceLattice, facet: str) -> Atoms:
    make = partial(primitive_slab, lattice, _indices(facet))
    thin = make(1, periodic=True)
    layer = thin.get_volume() / len(thin) / _area(thin)
    slab = make(int(np.ceil(THICKNESS / layer)))
    slab.center(vacuum=VACUUM / 2, axis=2)
    slab.pbc = True
    return slab


def _area(atoms: Atoms) -> float:
    return float(np.linalg.norm(np.cross(*atoms.cell.array[:2])))


def _indices(name: str) -> list[int]:
    """Return the Miller indices that a name lists, as 112 or 10-10."""
    digits = name.replace("-", " -")
    spaced = "".join(f"{d} " if d.isdigit() else d for d in digits)
    return [int(word) for word in spaced.split()]
