"""Two atoms alone."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from diverse.physics import Curve, Found, PhysicsError
from diverse.physics.crystal import Crystal

BOX = 30.0  # Å
NEAREST, FARTHEST, POINTS = 0.6, 2.4, 73  # of the nearest-neighbour distance
BOUND = 0.01  # eV, below which two atoms do not bind
APART = 12.0  # Å, at which atoms are alone


def dimer_curve(crystal: Crystal) -> Found:
    """Return bond length (Å) and energy (eV) of two atoms, relative to two atoms 12 Å apart.

    Distances go from 0.6 to 2.4 of the reference lattice's nearest-neighbour distance.
    """
    near = crystal.reference.nearest_neighbour
    distances = np.linspace(NEAREST, FARTHEST, POINTS) * near
    element = crystal.reference.element
    alone = _energy(element, APART, crystal.calculator)
    energies = np.array([_energy(element, r, crystal.calculator) - alone for r in distances])
    if not np.isfinite(energies).all():
        raise PhysicsError("the potential explodes: an energy of the dimer is not finite")
    lowest = int(np.argmin(energies))
    if lowest == 0:
        raise PhysicsError(f"the dimer collapses: its energy is lowest at {distances[0]:.1f} Å")
    if energies[lowest] > -BOUND:
        raise PhysicsError("the dimer does not bind")
    values = {"dimer length": float(distances[lowest]), "dimer energy": float(energies[lowest])}
    curve = Curve(distances.tolist(), [energies.tolist()], "distance (Å)", "energy (eV)")
    return Found(values, curve, atoms=2)


def _energy(element: str, distance: float, calculator: Calculator) -> float:
    atoms = Atoms([element] * 2, [[0, 0, 0], [0, 0, distance]], cell=[BOX] * 3, pbc=True)
    atoms.calc = calculator
    return float(atoms.get_potential_energy())
