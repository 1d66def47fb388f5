"""Elastic constants, by matscipy."""

from __future__ import annotations

from ase.optimize import LBFGS
from ase.units import GPa
from matscipy.elasticity import fit_elastic_constants

from diverse.physics import Found, PhysicsError
from diverse.physics.calculators import for_strains
from diverse.physics.crystal import Crystal
from diverse.physics.relaxation import FORCE, STEPS
from diverse.structures import ReferenceLattice

STRAIN = 0.0025  # between the strains that stresses are fitted over
STRAINS = 5
SYMMETRIES = {
    **dict.fromkeys(("bcc", "fcc", "sc", "diamond"), "cubic"),
    "hcp": "hexagonal",
    "bct": "tetragonal_high",
}
CONSTANTS = {
    "cubic": ("C11", "C12", "C44"),
    "hexagonal": ("C11", "C12", "C13", "C33", "C44"),
    "tetragonal_high": ("C11", "C12", "C13", "C33", "C44", "C66"),
}


def elastic_names(lattice: ReferenceLattice) -> tuple[str, ...]:
    """Return the names of the independent elastic constants of a lattice; cubic if unknown."""
    return CONSTANTS[SYMMETRIES.get(lattice.structure, "cubic")]


def elastic_constants(crystal: Crystal) -> Found:
    """Return the elastic constants (GPa): slopes of stresses over strains of -0.5 to 0.5 %.

    Positions relax under strain where the cell holds more than one atom.
    """
    crystal.need(*SYMMETRIES)
    atoms = crystal.primitive.copy()
    atoms.calc = for_strains(crystal.calculator, atoms)
    try:
        matrix, _ = fit_elastic_constants(
            atoms,
            symmetry=SYMMETRIES[crystal.reference.structure],
            N_steps=STRAINS,
            delta=STRAIN,
            optimizer=LBFGS if len(atoms) > 1 else None,
            verbose=False,
            graphics=False,
            **({"fmax": FORCE, "steps": STEPS} if len(atoms) > 1 else {}),
        )
    except (RuntimeError, ValueError) as error:
        raise PhysicsError(f"no elastic constants: {error}") from error
    names = elastic_names(crystal.reference)
    return Found({n: float(matrix[int(n[1]) - 1, int(n[2]) - 1]) / GPa for n in names})
