"""Elastic constants, by matscipy."""

from __future__ import annotations

import numpy as np
from ase.units import GPa
from matscipy.elasticity import fit_elastic_constants, generate_strained_configs, strain_patterns

from diverse.physics import Curve, Found, PhysicsError
from diverse.physics.calculators import LabellerCalculator, for_strains
from diverse.physics.crystal import Crystal
from diverse.physics.relaxation import relaxed
from diverse.structures import ReferenceLattice

STRAIN = 0.0025  # between the strains that stresses are fitted over
STRAINS = 5
# eV/Å, of relaxed positions: strains of 0.5 % leave forces of only 0.002 in hexagonal metals
FORCE = 1e-4
LABEL_FORCE = 1e-3  # which labels of density-functional theory resolve
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

    The strains are those of `matscipy.elasticity`; positions relax under strain where the primitive
    cell holds more than one atom, until forces are below 0.0001 eV/Å (0.001 eV/Å where labels are
    computed). The curve shows the stresses of its first pattern of strains.
    """
    crystal.need(*SYMMETRIES)
    atoms = crystal.primitive.copy()
    atoms.calc = for_strains(crystal.calculator, atoms)
    symmetry = SYMMETRIES[crystal.reference.structure]
    strained = list(generate_strained_configs(atoms, symmetry, STRAINS, STRAIN))
    if len(atoms) > 1:
        by_labels = isinstance(atoms.calc, LabellerCalculator) and atoms.calc.ledger is not None
        force = LABEL_FORCE if by_labels else FORCE
        strained = [relaxed(cell, atoms.calc, force=force) for cell in strained]
    stresses = np.array([cell.get_stress() for cell in strained])
    if not np.isfinite(stresses).all():
        raise PhysicsError("the potential explodes: a stress is not finite")
    matrix, _ = fit_elastic_constants(
        strained, symmetry=symmetry, N_steps=STRAINS, delta=STRAIN, verbose=False
    )
    names = elastic_names(crystal.reference)
    values = {n: float(matrix[int(n[1]) - 1, int(n[2]) - 1]) / GPa for n in names}
    return Found(values, _stress_curve(symmetry, stresses[:STRAINS]), atoms=len(atoms))


def _stress_curve(symmetry: str, stresses: np.ndarray) -> Curve:
    """Return the stresses of the first pattern of strains, those that constants are fitted to."""
    _, pairs = strain_patterns[symmetry][0]
    rows = sorted({int(row) for row, _ in pairs})
    return Curve(
        (100 * STRAIN * (np.arange(STRAINS) - (STRAINS - 1) / 2)).tolist(),
        (stresses.T[rows] / GPa).tolist(),
        "strain (%)",
        "stress (GPa)",
        names=[f"σ{row + 1}" for row in rows],
    )
