"""Settings of a fit that is linear in its coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from diverse.models.polynomial.forms import Form, form_of


@dataclass(frozen=True)
class FitSettings:
    """Settings of a fit that is linear in its coefficients.

    Attributes
    ----------
    form : Form
    energy_weight, force_weight : float
        Row weights of an energy per atom (eV) and of a force component (eV/Å).
    ridge : float or None
        Penalty on the squares of LAMMPS' coefficients; None chooses it by leaving folds out.
    energy_scale : float or None, eV/atom
        If given, weighs the rows of a cell by `diverse.models.weights.energy_dependent_weight`.
    folds : int
        Parts of the training set that are left out in turn.
    """

    form: Form
    energy_weight: float
    force_weight: float
    ridge: float | None
    energy_scale: float | None
    folds: int

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> FitSettings:
        """Read the study's entry of a model; none of its weights may be ``auto``."""
        ridge = None if model["ridge"] == "auto" else model["ridge"]
        values = {**model, "form": form_of(model), "ridge": ridge}
        return cls(**{field.name: values[field.name] for field in fields(cls)})
