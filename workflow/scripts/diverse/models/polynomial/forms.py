"""Model forms that are linear in their coefficients: one solver fits them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from diverse.kernel import BispectrumSettings, Kernel
from diverse.models import Model
from diverse.models.ace.form import AceForm
from diverse.models.pod.form import PodForm
from diverse.models.polynomial.design import BispectrumSource, Source
from diverse.models.polynomial.model import PolynomialModel, isolated_atom


class Form(Protocol):
    """Form of a model: what its columns are made of, and the model that coefficients make."""

    @property
    def quadratic(self) -> bool:
        """Truth of products of descriptors being columns, too."""
        ...

    def source(self, cutoff: float, element: str, *, bzero: bool = False) -> Source:
        """Return the source of descriptors of environments of radius `cutoff` (Å).

        With `bzero` the isolated atom's descriptors are subtracted, as outside the fit.
        """
        ...

    def isolated_atom(self) -> np.ndarray:
        """Return the descriptors of an atom without neighbours, shape (D,)."""
        ...

    def model(self, coefficients: np.ndarray) -> Model:
        """Return the model of coefficients in the order of LAMMPS, without `bzero`."""
        ...


@dataclass(frozen=True)
class SnapForm:
    """Linear or quadratic SNAP: polynomials in the bispectrum components of an environment."""

    twojmax: int
    quadratic: bool

    def source(self, cutoff: float, element: str, *, bzero: bool = False) -> Source:
        """Return the kernel's bispectrum components, which are the same for any `element`."""
        return BispectrumSource(Kernel(BispectrumSettings(self.twojmax, cutoff, bzero=bzero)))

    def isolated_atom(self) -> np.ndarray:
        """Return the components of an atom without neighbours, shape (D,)."""
        return isolated_atom(self.twojmax)

    def model(self, coefficients: np.ndarray) -> PolynomialModel:
        """Return the model of coefficients in the order of LAMMPS, ``bzeroflag 0``."""
        return PolynomialModel.from_coefficients(self.twojmax, coefficients, bzero=False)


def form_of(model: Mapping[str, Any]) -> Form:
    """Return the form of a model, given its entry in the study."""
    if model["family"] == "ace":
        return AceForm(model["order"], model["degree"])
    if model["family"] == "pod":
        return PodForm(tuple(model["radial_functions"]), tuple(model["angular_degrees"]))
    return SnapForm(model["twojmax"], model["family"] == "quadratic")
