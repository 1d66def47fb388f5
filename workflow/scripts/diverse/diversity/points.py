"""Environments of a set as points of two descriptor spaces, and every measure of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from diverse.descriptors.statistics import REGULARISATION
from diverse.descriptors.whitening import Whitening
from diverse.diversity.measures import (
    DUPLICATE,
    distinct,
    effective_rank,
    log_det,
    nearest_distances,
    nearest_neighbour_entropy,
)
from diverse.diversity.quests_kernel import (
    OVERLAP_TOLERANCE,
    kernel_sums,
    quests_diversity,
    quests_entropy,
    quests_overlap,
)
from diverse.diversity.sample import EnvironmentSample, draw_environments

Measure = tuple[str, str, str]  # name, setting, unit


@dataclass(frozen=True)
class Points:
    """Environments of one set in both descriptor spaces, (n, D) and (n, 63), and their cells."""

    white: np.ndarray
    quests: np.ndarray
    cell: np.ndarray

    @classmethod
    def of(cls, sample: EnvironmentSample, whitening: Whitening) -> Points:
        """Return the environments of a sample as points of both descriptor spaces."""
        return cls(whitening(sample.descriptors), sample.quests, sample.cell)

    def __len__(self) -> int:
        return len(self.white)

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        """Return `n` of the environments, drawn in whole cells."""
        chosen = draw_environments(self.cell, n, rng)
        return Points(self.white[chosen], self.quests[chosen], self.cell[chosen])


def measures_of_set(points: Points, bandwidths: Sequence[float]) -> dict[Measure, float]:
    """Return the measures of one set; `bandwidths` (1/Å) are those of the QUESTS kernel."""
    unique = len(distinct(points.white))
    values = {
        ("log_det", f"whitened, + {REGULARISATION:g} I", "1"): log_det(points.white),
        ("effective_rank", "whitened", "1"): effective_rank(points.white),
        ("distinct", f"further apart than {DUPLICATE:g} whitened units", "fraction"): (
            unique / len(points)
        ),
        ("nn_entropy", "whitened, distinct environments", "nats"): (
            nearest_neighbour_entropy(points.white) if unique > 1 else -np.inf
        ),
    }
    sums = kernel_sums(points.quests, points.quests, bandwidths)
    for measure, formula in (("entropy", quests_entropy), ("diversity", quests_diversity)):
        values |= _by_bandwidth(f"quests_{measure}", "nats", formula, sums, bandwidths)
    return values


def measures_of_pair(
    points: Points, reference: Points, bandwidths: Sequence[float], *, itself: bool
) -> dict[Measure, float]:
    """Return how well `reference` covers `points`.

    Parameters
    ----------
    bandwidths : sequence of float, 1/Å
        Bandwidths of the QUESTS kernel.
    itself : bool
        Whether both are the same set, in which duplicates do not count.
    """
    if itself:
        unique = reference.white[distinct(reference.white)]
        distances = nearest_distances(unique) if len(unique) > 1 else np.array([np.inf])
    else:
        distances = nearest_distances(points.white, reference.white)
    values = {("nn_distance", "median, whitened", "1"): float(np.median(distances))}
    sums = kernel_sums(points.quests, reference.quests, bandwidths)
    setting = f", dH < {OVERLAP_TOLERANCE:g}"
    return values | _by_bandwidth(
        "quests_overlap", "fraction", quests_overlap, sums, bandwidths, setting
    )


def _by_bandwidth(
    measure: str,
    unit: str,
    formula: Callable[[np.ndarray], np.ndarray],
    sums: np.ndarray,
    bandwidths: Sequence[float],
    setting: str = "",
) -> dict[Measure, float]:
    return {
        (measure, f"h = {h:.3g} 1/Å{setting}", unit): float(value)
        for h, value in zip(bandwidths, formula(sums), strict=True)
    }
