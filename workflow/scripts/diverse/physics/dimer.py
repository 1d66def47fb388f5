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

    Distances go from 0.6 to 2.4 of the reference lattice's nearest-neighbour distance in 72 steps;
    bond length and energy are the minimum of a parabola through the lowest point and the two beside
    it.
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
    length, energy = _minimum(distances, energies, lowest)
    values = {"dimer length": length, "dimer energy": energy}
    curve = Curve(distances.tolist(), [energies.tolist()], "distance (Å)", "energy (eV)")
    return Found(values, curve, atoms=2)


def _minimum(x: np.ndarray, y: np.ndarray, lowest: int) -> tuple[float, float]:
    """Return the minimum of the parabola through the lowest of equidistant points and its two.

    The last point has one neighbour and stays as it is.
    """
    if lowest == len(x) - 1:
        return float(x[lowest]), float(y[lowest])
    before, here, after = y[lowest - 1 : lowest + 2]
    slope, curvature = (after - before) / 2, before - 2 * here + after
    step = x[lowest + 1] - x[lowest]
    # a flat bottom of three equal points has no curvature, and no slope either
    part = slope / curvature if curvature > 0 else 0.0
    return float(x[lowest] - part * step), float(here - slope * part / 2)


def _energy(element: str, distance: float, calculator: Calculator) -> float:
    atoms = Atoms([element] * 2, [[0, 0, 0], [0, 0, distance]], cell=[BOX] * 3, pbc=True)
    atoms.calc = calculator
    return float(atoms.get_potential_energy())
