"""Settings of an ACE potential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diverse.models.ace.source import AceSource, ace_source

if TYPE_CHECKING:
    from diverse.models.ace.model import AceModel


@dataclass(frozen=True)
class AceForm:
    """Linear ACE: Drautz, Phys. Rev. B 99, 014104 (2019).

    Attributes
    ----------
    order : int
        Largest number of neighbours in a product.
    degree : int
        Largest total degree of a product.
    """

    order: int
    degree: int

    quadratic = False

    def source(self, cutoff: float, element: str, *, bzero: bool = False) -> AceSource:
        """Return the source of functions; an isolated atom's are zero with and without `bzero`.

        Forms that are equal share the source, and the cells that it has described.
        """
        return ace_source(self.order, self.degree, cutoff, element)

    def isolated_atom(self) -> np.ndarray:
        """Return the functions of an atom without neighbours: zero, whatever their number."""
        return np.zeros(1)

    def model(self, coefficients: np.ndarray) -> AceModel:
        """Return the model of coefficients, that of the isolated atom first."""
        from diverse.models.ace.model import AceModel

        return AceModel(self, coefficients)
