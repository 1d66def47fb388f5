"""Bootstrap intervals over cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95


def resample(
    statistic: Callable[..., np.ndarray], *samples: np.ndarray
) -> tuple[float, float, float]:
    """Return a statistic of cells and the ends of its 95 % percentile bootstrap interval.

    Parameters
    ----------
    statistic : callable
        Takes the samples and ``axis``.
    *samples : ndarray, shape (n_cells,)
        Drawn together: a cell is in all of them or in none.

    Returns
    -------
    value, low, high : float
        The interval is NaN for a single cell, which says nothing of the spread.
    """
    from scipy.stats import bootstrap  # slow to load, and many modules read the constants alone

    value = float(statistic(*samples))
    if len(samples[0]) < 2:
        return value, np.nan, np.nan
    interval = bootstrap(
        samples,
        statistic,
        paired=True,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return value, float(interval.low), float(interval.high)
