"""The table of diversity: measures of every set, and coverage of every set by every other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diverse.descriptors.whitening import Whitening
from diverse.diversity.points import (
    Measure,
    Points,
    measures_of_pair,
    measures_of_set,
)
from diverse.diversity.sample import EnvironmentSample
from diverse.progress import tracked
from diverse.structures import random_stream


@dataclass(frozen=True)
class ComparisonSettings:
    """Settings of the comparison of data sets.

    Parameters
    ----------
    environments : int
        Largest number of environments sampled from a set.
    bandwidths : tuple of float, 1/Å
        Bandwidths of the QUESTS kernel.
    draws : int
        Number of random draws (in whole cells) at equal numbers of environments.
    smallest : int
        Sets with fewer environments are left out where numbers are made equal.
    """

    environments: int = 5_000
    bandwidths: tuple[float, ...] = (0.015,)
    draws: int = 10
    smallest: int = 20


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
    points = {name: Points.of(sample, whitening) for name, sample in samples.items()}
    rows, h = [], settings.bandwidths
    number = len(points)
    for name, whole in tracked(points.items(), number, "sets with all environments"):
        values = _sizes(samples[name]) | measures_of_set(whole, h)
        rows += _rows(name, "", "all", [values], len(whole))
        for other, reference in points.items():
            itself = other == name
            pair = measures_of_pair(whole, reference, h, itself=itself)
            rows += _rows(name, other, "all", [pair], len(whole), len(reference))
    size = common_size({name: len(sample) for name, sample in samples.items()}, settings)
    for name, reference in tracked(points.items(), number, "sets at equal environments"):
        if size is None or len(reference) < size:
            continue
        draws = _draws(reference, size, settings, random_stream(seed, f"{name}/draws", 0))
        rows += _rows(name, "", "equal", [measures_of_set(draw, h) for draw in draws], size)
        for other, whole in points.items():
            pairs = [
                measures_of_pair(whole, draw, settings.bandwidths, itself=other == name)
                for draw in draws
            ]
            rows += _rows(other, name, "equal", pairs, len(whole), size)
    return pd.DataFrame(rows).astype({"n_other": "Int64"})


def common_size(sizes: Mapping[str, int], settings: ComparisonSettings) -> int | None:
    """Return the number of environments all sets are thinned to; None without two such sets."""
    large = [size for size in sizes.values() if size >= settings.smallest]
    return min(large) if len(large) > 1 else None


def _draws(
    points: Points, size: int, settings: ComparisonSettings, rng: np.random.Generator
) -> list[Points]:
    """Return the draws of one set; a set of just this size is drawn once, whole."""
    return [points.draw(size, rng) for _ in range(settings.draws if len(points) > size else 1)]


def _sizes(sample: EnvironmentSample) -> dict[Measure, float]:
    """Return the numbers of cells and environments, in the sample and in the whole set."""
    return {
        ("cells", "sampled", "1"): len(sample.d_min),
        ("cells", "in all", "1"): int(sample.total_cells),
        ("environments", "sampled", "1"): len(sample),
        ("environments", "in all", "1"): int(sample.total_environments),
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
