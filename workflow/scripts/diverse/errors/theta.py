"""One number for two training sets, with an interval that holds both draws and test cells.

For a draw b, a form of model m and a group g of test cells, Delta = log e(A) - log e(R), where e is
an error on the cells of the group by the model trained on set A, or on the reference R. theta is
the mean of Delta over groups, then over the forms of a class (linear, quadratic, networks of
either type), then over classes, then over draws; exp(theta) is a ratio of errors.

The interval is theta ± t(B - 1) √(σ_set² + σ_test²) for B draws. σ_set², the variance from drawing
other training sets, comes from halvings: theta from models of halves a and b of a draw, which
share no trajectory, has the variance ⟨(theta_a - theta_b)²⟩ / 2 for training sets of half the
size; variances go as 1 / size, and the mean over draws from one pool has less than one draw
(`diverse.errors.material`). σ_test², the variance from drawing other test cells, comes from
a bootstrap over the trajectories of each group, the same for both sets, all draws and forms. It
draws n - 1 of n trajectories, since the variance of a mean of n drawn from n is (n - 1) / n of that
of a mean of n (Efron, The Jackknife, the Bootstrap and Other Resampling Plans, SIAM, 1982).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit  # Student's t: distribution, quantile

from diverse.errors.ground import Group
from diverse.errors.intervals import CONFIDENCE

REPLICATES = 1000
METRICS = {
    "energy": ["mae", "rmse", "median", "p95", "mae_offset"],
    "forces": ["rmse", "median", "p95"],
}
DECISIVE = {"energy": "mae", "forces": "rmse"}  # the metrics that claims are decided by
POWERS = {"mae": 1, "mae_offset": 1, "rmse": 2}
QUANTILES = {"median": 0.5, "p95": 0.95}


@dataclass(frozen=True)
class Estimate:
    """A mean over draws, with its deviations; NaN where there is nothing to tell them from.

    Attributes
    ----------
    value : float
    sigma_set, sigma_test : float
        Standard deviations of `value` from drawing other training sets, and other test cells.
    draws : int
        Number of draws.
    """

    value: float
    sigma_set: float
    sigma_test: float
    draws: int

    @property
    def sigma(self) -> float:
        """Both standard deviations together."""
        return float(np.hypot(self.sigma_set, self.sigma_test))

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval; NaN for a single draw."""
        if self.draws < 2:
            return np.nan, np.nan
        reach = float(stdtrit(self.draws - 1, (1 + CONFIDENCE) / 2)) * self.sigma
        return self.value - reach, self.value + reach

    @property
    def p(self) -> float:
        """Two-sided probability of a value this far from 0, were it 0; NaN for a single draw."""
        if self.draws < 2 or not self.sigma > 0:
            return np.nan
        return float(2 * stdtr(self.draws - 1, -abs(self.value) / self.sigma))


@dataclass(frozen=True)
class Logs:
    """Logarithms of errors: axes weights, draws, models, groups; NaN where there is no error.

    Attributes
    ----------
    whole, half_a, half_b : ndarray, shape (1, n_draws, n_models, n_groups)
        Of models trained on the whole training part, and on either half.
    resampled : ndarray, shape (REPLICATES, n_draws, n_models, n_groups)
        Of the whole training part, with the test cells drawn anew.
    """

    whole: np.ndarray
    half_a: np.ndarray
    half_b: np.ndarray
    resampled: np.ndarray

    def __sub__(self, other: Logs) -> Logs:
        """Return the logarithms of ratios of errors."""
        return Logs(*(mine - its for mine, its in zip(self._parts, other._parts, strict=True)))

    def take(self, models: Sequence[int], groups: Sequence[int]) -> Logs:
        """Return some models and groups, by number."""
        return Logs(*(part[:, :, models][..., groups] for part in self._parts))

    @property
    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.whole, self.half_a, self.half_b, self.resampled


def trajectory_weights(groups: Sequence[Group], cells: pd.DataFrame, seed: int = 0) -> np.ndarray:
    """Return how often each cell stands in each replicate, shape (REPLICATES, n_cells).

    In every group one trajectory fewer than it has is drawn with replacement, of one or two one; a
    trajectory brings all its cells.
    """
    rng = np.random.default_rng(seed)
    weights = np.zeros((REPLICATES, len(cells)))
    names = (cells["group"] + "/" + cells["trajectory"]).to_numpy()
    for group in groups:
        found, member = np.unique(names[group.cells], return_inverse=True)
        if len(found):
            each = np.full(len(found), 1 / len(found))
            drawn = rng.multinomial(max(len(found) - 1, 1), each, REPLICATES)
            weights[:, group.cells] = drawn[:, member]
    return weights


def log_errors(
    sizes: np.ndarray,
    values: np.ndarray,
    groups: Sequence[Group],
    weights: np.ndarray,
    metric: str,
) -> np.ndarray:
    """Return the logarithm of the error on every group of cells.

    Parameters
    ----------
    sizes : ndarray, shape (n_cells,)
        Number of components of each cell.
    values : ndarray, shape (n_draws, n_models, n_cells)
        Magnitude of each cell's error; NaN where there is none.
    groups : sequence of Group
    weights : ndarray, shape (n_weights, n_cells)
        How often each cell counts.
    metric : str
        ``mae`` and ``rmse`` of all components together; ``median`` and ``p95`` over cells: the
        smallest value that half, or 95 %, of the cells do not exceed.

    Returns
    -------
    ndarray, shape (n_weights, n_draws, n_models, n_groups)
        NaN where a group has no cell, or no error.
    """
    result = np.full((len(weights), *values.shape[:2], len(groups)), np.nan)
    for number, group in enumerate(groups):
        if not len(group.cells):
            continue
        columns = values[..., group.cells].reshape(-1, len(group.cells)).T  # (cells, draw x model)
        if metric in QUANTILES:
            errors = _quantiles(columns, weights[:, group.cells], QUANTILES[metric])
        else:
            size = np.isfinite(columns) * sizes[group.cells, None]
            power = POWERS[metric]
            sums = weights[:, group.cells] @ (np.nan_to_num(columns) ** power * size)
            counts = weights[:, group.cells] @ size
            errors = (sums / np.where(counts > 0, counts, np.nan)) ** (1 / power)
        logs = np.log(np.where(errors > 0, errors, np.nan))
        result[..., number] = logs.reshape(-1, *values.shape[:2])
    return result


def _quantiles(values: np.ndarray, weights: np.ndarray, level: float) -> np.ndarray:
    """Return weighted quantiles, shape (n_weights, n_columns), of values (n_cells, n_columns)."""
    result = np.full((len(weights), values.shape[1]), np.nan)
    for number, column in enumerate(values.T):
        order = np.argsort(column)[: np.isfinite(column).sum()]
        if len(order):
            below = np.cumsum(weights[:, order], axis=1)
            place = (below < level * below[:, -1:] - 1e-9).sum(axis=1)
            found = column[order[np.minimum(place, len(order) - 1)]]
            result[:, number] = np.where(below[:, -1] > 0, found, np.nan)
    return result


def theta(logs: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the mean over groups, then over the models of a class, then over classes.

    Parameters
    ----------
    logs : ndarray, shape (n_weights, n_draws, n_models, n_groups)
        Logarithms of ratios of errors.
    classes : sequence of str
        Class of each model.

    Returns
    -------
    ndarray, shape (n_weights, n_draws)
        A group without a test cell in a draw is left out of that draw; NaN where nothing is left.
    """
    by_model = mean_of_finite(logs)
    names = np.array(classes)
    of_class = [mean_of_finite(by_model[..., names == name]) for name in dict.fromkeys(classes)]
    return mean_of_finite(np.stack(of_class, axis=-1))


def mean_of_finite(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of the values that are not NaN; NaN where all are."""
    present = np.isfinite(values)
    counts = present.sum(axis=-1)
    sums = np.where(present, values, 0).sum(axis=-1)
    mean: np.ndarray = sums / np.where(counts > 0, counts, np.nan)
    return mean


def estimate(
    by_draw: np.ndarray,
    half_a: np.ndarray,
    half_b: np.ndarray,
    resampled: np.ndarray,
    shrink: float,
) -> Estimate:
    """Average a number over draws, and say how sure it is.

    Parameters
    ----------
    by_draw, half_a, half_b : ndarray, shape (n_draws,)
        Values from the whole training part of each draw, and from either half of it.
    resampled : ndarray, shape (n_replicates,)
        Averages over draws with the test cells drawn anew.
    shrink : float
        Variance of the mean over draws over the variance from one half.

    Returns
    -------
    Estimate
        σ_set² = shrink · ⟨(half_a - half_b)²⟩ / 2; NaN without two draws or two halvings. σ_test
        is NaN where the draws of test cells are all alike: each group is one trajectory.
    """
    draws = int(np.isfinite(by_draw).sum())
    differences = (half_a - half_b)[np.isfinite(half_a - half_b)]
    known = draws > 1 and len(differences) > 1
    sigma_set = np.sqrt(shrink * np.mean(differences**2) / 2) if known else np.nan
    replicates = resampled[np.isfinite(resampled)]
    sigma_test = np.std(replicates, ddof=1) if len(replicates) > 1 else np.nan
    if sigma_test < 1e-12:
        sigma_test = np.nan
    value = float(mean_of_finite(by_draw))
    return Estimate(value, float(sigma_set), float(sigma_test), draws)


def holm(p: Mapping[str, float] | pd.Series) -> pd.Series:
    """Correct probabilities for the number of tests, after Holm.

    The smallest of m is multiplied by m, the next by m - 1 and so on; none is smaller than the one
    before, none above 1 (S. Holm, Scand. J. Statist. 6, 65 (1979)). NaN stays out of the count.
    """
    known = pd.Series(p, dtype=float).dropna().sort_values(kind="stable")
    factors = np.arange(len(known), 0, -1)
    corrected = pd.Series(np.minimum(1, np.maximum.accumulate(known * factors)), known.index)
    return corrected.reindex(pd.Series(p).index)


def without_offset(energy: np.ndarray, tests: np.ndarray) -> np.ndarray:
    """Take each model's mean error over the cells of a test set in a draw off its errors.

    Parameters
    ----------
    energy : ndarray, shape (..., n_cells), meV/atom
        Errors; NaN where there is none.
    tests : ndarray of str, shape (n_cells,)
        Test set of each cell.

    Returns
    -------
    ndarray, shape (..., n_cells), meV/atom
        Zero for the only cell of a test set.
    """
    result = energy.copy()
    for test in dict.fromkeys(tests):
        chosen = tests == test
        result[..., chosen] -= mean_of_finite(energy[..., chosen])[..., None]
    return result
