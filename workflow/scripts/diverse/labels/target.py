"""The target of every fit and every error: free energies and forces of labelled cells.

A stress is no part of it: labels may have none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms


def free_energy(cell: Atoms) -> float:
    """Return the free energy (eV) of a labelled cell: the energy whose derivatives the forces are.

    Raises
    ------
    ase.calculators.calculator.PropertyNotImplementedError
        If the cell has an energy, but no free energy.
    """
    return float(calculated_free_energy(cell))


def calculated_free_energy(cell: Atoms) -> Any:
    """Return the free energy as the cell's calculator gives it, whatever that is.

    Raises
    ------
    ase.calculators.calculator.PropertyNotImplementedError
        If the calculator has an energy, but no free energy.
    """
    return cell.get_potential_energy(force_consistent=True)


def free_energy_per_atom(cell: Atoms) -> float:
    """Return the free energy (eV/atom) of a labelled cell."""
    return free_energy(cell) / len(cell)


def stress_of(cell: Atoms) -> np.ndarray | None:
    """Return the stress (eV/Å^3, shape (6,)) of a labelled cell; None if its label has none."""
    results = {} if cell.calc is None else cell.calc.results
    return None if results.get("stress") is None else np.asarray(cell.get_stress())


def fit_target(cell: Atoms) -> tuple[float, np.ndarray]:
    """Return the free energy (eV) and the forces (eV/Å, shape (n_atoms, 3)) of a labelled cell.

    Raises
    ------
    ValueError
        If one of them is missing or not finite.
    """
    results = {} if cell.calc is None else cell.calc.results
    name = f"cell {cell.info.get('key', '?')} of group {cell.info.get('config_type', '?')}"
    for quantity in ("free_energy", "forces"):
        label = quantity.replace("_", " ")
        if results.get(quantity) is None:
            raise ValueError(
                f"{name} has no {label}, and models are fitted to energies and forces: leave its "
                "group out of the training set, or label it again"
            )
        if not np.isfinite(results[quantity]).all():
            raise ValueError(f"{name} has NaN or infinite {label}: label it again, or leave it out")
    return float(results["free_energy"]), np.asarray(results["forces"])
