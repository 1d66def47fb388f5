"""The labels that every model is fitted to: free energies and forces."""

from __future__ import annotations

import numpy as np
from ase import Atoms


def label_of(cell: Atoms) -> tuple[float, np.ndarray]:
    """Return the free energy (eV) and the forces (eV/Å, shape (n_atoms, 3)) of a cell.

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
