"""Relaxations that say why they failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.constraints import FixConstraint
from ase.optimize import LBFGS

from diverse.neighbours import shortest_distance
from diverse.physics import Curve, PhysicsError
from diverse.physics.calculators import check_forces

FORCE = 0.005  # eV/Å, at which a relaxation has converged
STEPS = 400
STEP = "step of the relaxation"
COLLAPSE = 0.5  # of the shortest distance at first, below which atoms have fallen together


def relaxed(
    atoms: Atoms,
    calculator: Calculator,
    constraint: FixConstraint | None = None,
    force: float = FORCE,
) -> Atoms:
    """Return the relaxed copy of `relaxation` alone."""
    return relaxation(atoms, calculator, constraint, force)[0]


def relaxation(
    atoms: Atoms,
    calculator: Calculator,
    constraint: FixConstraint | None = None,
    force: float = FORCE,
) -> tuple[Atoms, np.ndarray]:
    """Relax the positions of a copy in a cell that stays as it is, to a largest force (eV/Å).

    Returns
    -------
    atoms : Atoms
        The relaxed copy, its calculator attached.
    energies : ndarray, eV
        Energy at the start and after every step.

    Raises
    ------
    PhysicsError
        If it has not converged after 400 steps, atoms fall together or the potential explodes.
    """
    copy = atoms.copy()
    copy.calc = calculator
    if constraint is not None:
        copy.set_constraint(constraint)
    return copy, run_relaxation(copy, [copy], force)


def relaxation_curve(energies: np.ndarray, y_title: str) -> Curve:
    """Return energies along a relaxation as a curve over its steps."""
    return Curve([float(n) for n in range(len(energies))], [energies.tolist()], STEP, y_title)


def run_relaxation(
    target: Any, images: Sequence[Atoms], force: float = FORCE, optimizer: Any = LBFGS
) -> np.ndarray:
    """Relax cells, a cell filter or an elastic band in place, and watch over the atoms.

    Parameters
    ----------
    target : Atoms, ase.filters.Filter or ase.mep.NEB
        Object that the optimiser moves.
    images : sequence of Atoms
        Cells that it consists of.
    force : float, eV/Å
        Largest force at which it has converged.
    optimizer : class
        Of `ase.optimize`.

    Returns
    -------
    ndarray, eV
        Energy of all images together at the start and after every step.

    Raises
    ------
    PhysicsError
        What `relaxation` raises.
    """
    floors = [COLLAPSE * shortest_distance(image) for image in images]
    energies = []
    run = optimizer(target, logfile=None)
    for converged in run.irun(fmax=force, steps=STEPS):
        energies.append(sum(float(image.get_potential_energy()) for image in images))
        for image, floor in zip(images, floors, strict=True):
            check_forces(image.get_potential_energy(), image.get_forces(apply_constraint=False))
            nearest = shortest_distance(image)
            if nearest < floor:
                raise PhysicsError(f"atoms fall together: two are {nearest:.2f} Å apart")
        if converged:
            return np.array(energies)
    gradient = run.optimizable.get_gradient().reshape(-1, 3)
    largest = float(np.linalg.norm(gradient, axis=1).max())
    raise PhysicsError(f"relaxation not converged: {largest:.2g} eV/Å are left after {STEPS} steps")
