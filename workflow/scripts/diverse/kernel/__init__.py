"""The descriptor kernel: bispectrum components and their derivatives, compiled from C++."""

from diverse.kernel.candidates import CandidatePairs
from diverse.kernel.kernel import Kernel
from diverse.kernel.pairs import (
    GeometryError,
    NeighbourPairs,
    neighbour_pairs,
    position_gradient,
    strain_gradient,
)
from diverse.kernel.repulsion import Repulsion, exponential_sums
from diverse.kernel.settings import BispectrumSettings

__all__ = [
    "BispectrumSettings",
    "CandidatePairs",
    "GeometryError",
    "Kernel",
    "NeighbourPairs",
    "Repulsion",
    "exponential_sums",
    "neighbour_pairs",
    "position_gradient",
    "strain_gradient",
]
