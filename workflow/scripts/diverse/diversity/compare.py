"""The table of diversity: measures of every set, and coverage of every set by every other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.diversity.measures import (
    DUPLICATE,
    REGULARISATION,
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
from diverse.diversity.sample import (
    EnvironmentSample,
    draw_environments,
    sample_environments,
)
from diverse.generate.entropy import Whitening
from diverse.kernel import BispectrumSettings
from diverse.structures import iterate_cells, random_stream

Measure = tuple[str, str, str]  # name, setting, unit
CellSource = str | Path | Sequence[str | Path] | Sequence[Atoms]


@dataclass(frozen=True)
class ComparisonSettings:
    """How sets are compared.

    Parameters
    ----------
    environments : int
        Largest number of environments sampled from a set.
    bandwidths : tuple of float, 1/Å
        Of the QUESTS kernel.
    draws : int
        Number of random draws (in whole cells) at equal numbers of environments.
    smallest : int
        Sets with fewer environments are left out where numbers are made equal.
    """

    environments: int = 5_000
    bandwidths: tuple[float, ...] = (0.015,)
    draws: int = 10
    smallest: int = 20


@dataclass(frozen=True)
class _Points:
    """Environments of one set in both descriptor spaces, (n, D) and (n, 63), and their cells."""

    white: np.ndarray
    quests: np.ndarray
    cell: np.ndarray

    def __len__(self) -> int:
        return len(self.white)

    def draw(self, n: int, rng: np.random.Generator) -> _Points:
        """Return `n` of the environments, drawn in whole cells."""
        chosen = draw_environments(self.cell, n, rng)
        return _Points(self.white[chosen], self.quests[chosen], self.cell[chosen])


def compare_sets(
    sets: Mapping[str, CellSource],
    descriptor: BispectrumSettings,
    *,
    coordination_radius: float,
    settings: ComparisonSettings | None = None,
    whitening: Whitening | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare any data sets: extended-XYZ files or lists of cells, with labels or without.

    Parameters
    ----------
    sets : mapping
        Name of each set to its file, files or cells.
    descriptor : BispectrumSettings
    coordination_radius : float, Å
    settings : ComparisonSettings, optional
    whitening : Whitening, optional
        Of the descriptor; without it, fitted to the same number of environments of every set.
    seed : int
        Fixes samples and draws; each set's depend on its name only.

    Returns
    -------
    pandas.DataFrame
        See `compare_samples`.
    """
    settings = settings or ComparisonSettings()
    samples = {
        name: sample_environments(
            _cells_of(source),
            settings.environments,
            descriptor,
            coordination_radius=coordination_radius,
            rng=random_stream(seed, f"{name}/sample", 0),
        )
        for name, source in sets.items()
    }
    if whitening is None:
        n, rng = min(map(len, samples.values())), random_stream(seed, "pooled", 0)
        pooled = [s.descriptors[draw_environments(s.cell, n, rng)] for s in samples.values()]
        whitening = Whitening.of(np.concatenate(pooled))
    return compare_samples(samples, whitening, settings, seed=seed)


def compare_samples(
    samples: Mapping[str, EnvironmentSample],
    whitening: Whitening,
    settings: ComparisonSettings,
    *,
    seed: int,
) -> pd.DataFrame:
    """Return every measure of every set and of every pair of sets, one number a row.

    Returns
    -------
    pandas.DataFrame
        ``dataset``; ``other`` (the set that covers it, for measures of a pair); ``measure``;
        ``setting``; ``environments`` (``all`` of the samples, or ``equal``: the common size,
        mean over draws); ``value``; ``spread`` (standard deviation over draws); ``draws``;
        ``n``, ``n_other`` (environments of each set); ``unit``. Where numbers are equal, a pair
        measure thins the covering set only.
    """
    points = {
        name: _Points(whitening(sample.descriptors), sample.quests, sample.cell)
        for name, sample in samples.items()
    }
    rows = []
    for name, whole in points.items():
        values = _sizes(samples[name]) | _of_one(whole, settings)
        rows += _rows(name, "", "all", [values], len(whole))
        for other, reference in points.items():
            itself = other == name
            pair = _of_two(whole, reference, settings, itself)
            rows += _rows(name, other, "all", [pair], len(whole), len(reference))
    size = common_size({name: len(sample) for name, sample in samples.items()}, settings)
    for name, reference in points.items():
        if size is None or len(reference) < size:
            continue
        draws = _draws(reference, size, settings, random_stream(seed, f"{name}/draws", 0))
        rows += _rows(name, "", "equal", [_of_one(draw, settings) for draw in draws], size)
        for other, whole in points.items():
            pairs = [_of_two(whole, draw, settings, other == name) for draw in draws]
            rows += _rows(other, name, "equal", pairs, len(whole), size)
    return pd.DataFrame(rows).astype({"n_other": "Int64"})


def common_size(sizes: Mapping[str, int], settings: ComparisonSettings) -> int | None:
    """Return the number of environments all sets are thinned to; None without two such sets."""
    large = [size for size in sizes.values() if size >= settings.smallest]
    return min(large) if len(large) > 1 else None


def _draws(
    points: _Points, size: int, settings: ComparisonSettings, rng: np.random.Generator
) -> list[_Points]:
    """Return the draws of one set; a set of just this size is drawn once, whole."""
    return [points.draw(size, rng) for _ in range(settings.draws if len(points) > size else 1)]


def _sizes(sample: EnvironmentSample) -> dict[Measure, float]:
    """Return how many cells and environments were sampled, and of how many."""
    return {
        ("cells", "sampled", "1"): len(sample.d_min),
        ("cells", "in all", "1"): int(sample.total_cells),
        ("environments", "sampled", "1"): len(sample),
        ("environments", "in all", "1"): int(sample.total_environments),
    }


def _of_one(points: _Points, settings: ComparisonSettings) -> dict[Measure, float]:
    """Return the measures of one set."""
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
    sums = kernel_sums(points.quests, points.quests, settings.bandwidths)
    for measure, formula in (("entropy", quests_entropy), ("diversity", quests_diversity)):
        values |= _by_bandwidth(f"quests_{measure}", "nats", formula, sums, settings)
    return values


def _of_two(
    points: _Points, reference: _Points, settings: ComparisonSettings, itself: bool
) -> dict[Measure, float]:
    """Return how well `reference` covers `points`; within a set, duplicates do not count."""
    if itself:
        unique = reference.white[distinct(reference.white)]
        distances = nearest_distances(unique) if len(unique) > 1 else np.array([np.inf])
    else:
        distances = nearest_distances(points.white, reference.white)
    values = {("nn_distance", "median, whitened", "1"): float(np.median(distances))}
    sums = kernel_sums(points.quests, reference.quests, settings.bandwidths)
    setting = f", dH < {OVERLAP_TOLERANCE:g}"
    return values | _by_bandwidth(
        "quests_overlap", "fraction", quests_overlap, sums, settings, setting
    )


def _by_bandwidth(
    measure: str,
    unit: str,
    formula: Callable[[np.ndarray], np.ndarray],
    sums: np.ndarray,
    settings: ComparisonSettings,
    setting: str = "",
) -> dict[Measure, float]:
    return {
        (measure, f"h = {h:.3g} 1/Å{setting}", unit): float(value)
        for h, value in zip(settings.bandwidths, formula(sums), strict=True)
    }


def _rows(
    name: str,
    other: str,
    environments: str,
    draws: Sequence[dict[Measure, float]],
    n: int,
    n_other: int | None = None,
) -> list[dict[str, object]]:
    """Return one row per measure: mean and standard deviation over the draws."""
    collected = defaultdict(list)
    for draw in draws:
        for key, value in draw.items():
            collected[key].append(value)
    return [
        {
            "dataset": name,
            "other": other,
            "measure": measure,
            "setting": setting,
            "environments": environments,
            "value": np.mean(values),
            "spread": _spread(values),
            "draws": len(values),
            "n": n,
            "n_other": n_other,
            "unit": unit,
        }
        for (measure, setting, unit), values in collected.items()
    ]


def _spread(values: Sequence[float]) -> float:
    """Return the standard deviation; nan for one value, or for infinite ones."""
    if len(values) < 2 or not np.isfinite(values).all():
        return np.nan
    equal = np.ptp(values) <= 1e-12 * np.abs(values).max()  # but for rounding
    return 0.0 if equal else float(np.std(values, ddof=1))


def _cells_of(source: CellSource) -> Iterable[Atoms]:
    """Return the cells of a source, read one by one where they are files."""
    if isinstance(source, str | Path):
        return iterate_cells([source])
    return (
        cell
        for entry in source
        for cell in ([entry] if isinstance(entry, Atoms) else iterate_cells([entry]))
    )
