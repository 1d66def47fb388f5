"""Weights of the cells of a training set: one rule for every model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from ase import Atoms

from diverse.labels.target import free_energy_per_atom

CellWeights = Callable[[Atoms], tuple[float, float]]  # of the energy row and of the force rows

Energies = TypeVar("Energies", float, np.ndarray)


def energy_dependent_weight(energies: Energies, lowest: float, scale: float) -> Energies:
    """Return 1 / (1 + (E - lowest) / scale), all in eV/atom, for one energy or an array of them."""
    return 1 / (1 + (energies - lowest) / scale)


def equal_weights(cell: Atoms) -> tuple[float, float]:
    """Return 1 for the energy and the forces of any cell."""
    return 1.0, 1.0


def energy_dependent_weights(lowest: float, scale: float) -> CellWeights:
    """Return the function that gives a cell's rows the `energy_dependent_weight` of its energy."""

    def weights(cell: Atoms) -> tuple[float, float]:
        weight = energy_dependent_weight(free_energy_per_atom(cell), lowest, scale)
        return weight, weight

    return weights


def cell_weights(lowest: float, scale: float | None) -> CellWeights:
    """Return the function that weighs cells by energy (eV/atom), or alike where scale is None."""
    return equal_weights if scale is None else energy_dependent_weights(lowest, scale)
