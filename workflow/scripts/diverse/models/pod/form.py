"""Settings of a POD potential, as LAMMPS reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from diverse.lammps_library import UNITS_TAG
from diverse.models.pod.source import PodSource, pod_source

if TYPE_CHECKING:
    from diverse.models.pod.model import PodModel

INNER_RADIUS = 1.0  # Å, of the radial functions; no cell has atoms that close
BESSEL_DEGREE, INVERSE_DEGREE = 4, 8  # of the functions that the radial ones are made of
FOUR_BODY = (1, 2, 4, 7, 11, 16, 23)  # angular functions of four bodies up to each degree
BODIES = ("two", "three", "four", "five")


@dataclass(frozen=True)
class PodForm:
    """POD of up to five bodies: Nguyen and Rohskopf, J. Comput. Phys. 480, 112030 (2023).

    Attributes
    ----------
    radial_functions : tuple of int
        Radial functions of two, three, four and five bodies, as many of these as are given.
    angular_degrees : tuple of int
        Largest angular degrees of three, four and five bodies.
    """

    radial_functions: tuple[int, ...]
    angular_degrees: tuple[int, ...]

    quadratic = False

    @property
    def n_components(self) -> int:
        """Number of descriptors D of an environment; each has a coefficient, the atom one more."""
        radial = (*self.radial_functions, 0, 0, 0)
        angular = (*self.angular_degrees, 0, 0, 0)
        two_to_four = radial[0] + radial[1] * (angular[0] + 1) + radial[2] * FOUR_BODY[angular[1]]
        return two_to_four + _five_body(radial[1], radial[3], angular[0], angular[2])

    def parameters(self, cutoff: float, element: str) -> str:
        """Return the text of the parameter file of ``pair_style pod``."""
        radial = dict(zip(BODIES, (*self.radial_functions, 0, 0, 0), strict=False))
        angular = dict(zip(BODIES[1:], (*self.angular_degrees, 0, 0, 0), strict=False))
        lines = [
            f"# POD {UNITS_TAG}",
            f"species {element}",
            "pbc 1 1 1",
            f"rin {INNER_RADIUS!r}",
            f"rcut {cutoff!r}",
            f"bessel_polynomial_degree {BESSEL_DEGREE}",
            f"inverse_polynomial_degree {INVERSE_DEGREE}",
            "onebody 1",
            *(f"{body}body_number_radial_basis_functions {n}" for body, n in radial.items()),
            *(f"{body}body_angular_degree {degree}" for body, degree in angular.items()),
            *(f"{body}body_number_radial_basis_functions 0" for body in ("six", "seven")),
            *(f"{body}body_angular_degree 0" for body in ("six", "seven")),
            "number_of_environment_clusters 1",
        ]
        return "\n".join(lines) + "\n"

    @classmethod
    def read(cls, text: str) -> PodForm:
        """Read the settings from the text of a parameter file."""
        words = dict(line.split(maxsplit=1) for line in text.splitlines() if line.strip())
        radial = [int(words[f"{body}body_number_radial_basis_functions"]) for body in BODIES]
        angular = [int(words[f"{body}body_angular_degree"]) for body in BODIES[1:]]
        bodies = max(number for number, count in enumerate(radial, 1) if count)
        return cls(tuple(radial[:bodies]), tuple(angular[: bodies - 1]))

    def source(self, cutoff: float, element: str, *, bzero: bool = False) -> PodSource:
        """Return the source of descriptors; an isolated atom's are zero with and without `bzero`.

        Forms that are equal share the source, and the cells that it has described.
        """
        return pod_source(self.parameters(cutoff, element), cutoff, element, self.n_components)

    def isolated_atom(self) -> np.ndarray:
        """Return the descriptors of an atom without neighbours, shape (D,): zeros."""
        return np.zeros(self.n_components)

    def model(self, coefficients: np.ndarray) -> PodModel:
        """Return the model of coefficients in the order of LAMMPS."""
        from diverse.models.pod.model import PodModel

        return PodModel(self, coefficients)


@cache
def _five_body(n_three: int, n_five: int, three_degree: int, five_degree: int) -> int:
    """Return the number of products of two three-body descriptors that five bodies have.

    The angular degrees of the two add up to `five_degree` at most, their radial numbers to less
    than `n_five`.
    """
    three = [(j, k) for j in range(n_three) for k in range(three_degree + 1)]
    return sum(
        k + other_k <= five_degree and j + other_j < n_five
        for number, (j, k) in enumerate(three)
        for other_j, other_k in three[number:]
    )
