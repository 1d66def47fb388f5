"""Likeness of model forms: the spread of their errors, of two training sets.

The spread of a training set is the standard deviation over nonlinear forms (quadratic, networks)
of log e, averaged over the groups of the neutral ground, in the mean over draws; once more with
forms that the paper had not (POD, ACE). What seeds of
networks add to it is taken off: their variance in draw 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np
import pandas as pd

from diverse.errors.effects import COUNTS, EFFECT, PAIR, POOLED, POOLED_MODERN, effect_of
from diverse.errors.ground import NEUTRAL
from diverse.errors.material import Ground, Material
from diverse.errors.theta import DECISIVE, Estimate, Logs, estimate, mean_of_finite

METRIC = "spread"  # of rows of effects that compare spreads
MOST_OF_SEEDS = 0.9  # of a variance over forms; more is not taken off, so that something is left


def measure_spreads(material: Material, train: str, references: Iterable[str]) -> pd.DataFrame:
    """Compare the spread of one training set with those of others, as rows of effects.

    Returns
    -------
    DataFrame
        The columns of `diverse.errors.effects.measure_effects`; ``effect`` is the spread of
        `train` over that of the reference. No row where there is no ratio. Rows of test set
        `POOLED_MODERN` hold forms that the paper had not, too, where there are any.
    """
    rows = []
    pairs = [other for other in references if {train, other} <= set(material.errors)]
    tests = {POOLED: False, **({POOLED_MODERN: True} if material.has_modern else {})}
    for quantity in DECISIVE if pairs else ():
        ground = Ground.of(material, quantity)
        for reference, (test, modern) in product(pairs, tests.items()):
            forms = nonlinear_forms(material, train, reference, modern=modern)
            found = spread_ratio(material, ground, (train, reference), forms)
            if np.isfinite(found.value):
                names = [test, NEUTRAL, quantity, METRIC, train, reference]
                counts: dict[str, int | str] = {"groups": len(ground.able), "dropped": ""}
                counts["forms"] = len(forms)
                counts["n_cells"] = sum(len(ground.groups[n].cells) for n in ground.able)
                rows.append(dict(zip(PAIR, names, strict=True)) | effect_of(found) | counts)
    return pd.DataFrame(rows, columns=[*PAIR, *EFFECT, *COUNTS])


def nonlinear_forms(
    material: Material, train: str, reference: str, *, modern: bool = False
) -> list[int]:
    """Return the numbers of the nonlinear models that both sets have in every draw.

    Every class counts but linear SNAP; with `modern` also those that the paper had not.
    """
    kinds = list(material.classes.values())
    return [n for n in material.complete(train, reference, modern=modern) if kinds[n] != "linear"]


def spread_ratio(
    material: Material, ground: Ground, pair: tuple[str, str], forms: list[int]
) -> Estimate:
    """Return log(spread of the first training set / spread of the second) on neutral ground.

    Parameters
    ----------
    material : Material
    ground : Ground
    pair : tuple of str
        Training sets.
    forms : list of int
        Of `nonlinear_forms`.

    Returns
    -------
    Estimate
        Deviations from halvings and from resampled trajectories, as those of theta. Its value is
        NaN where there is no neutral ground, or fewer than two nonlinear forms.
    """
    if len(forms) < 2 or not ground.able:
        return Estimate(np.nan, np.nan, np.nan, 0)
    ours, theirs = (_log_spread(material, ground, name, forms) for name in pair)
    whole, half_a, half_b, resampled = (a - b for a, b in zip(ours, theirs, strict=True))
    shrink = max(material.shrink[name] for name in pair)
    return estimate(whole[0], half_a[0], half_b[0], mean_of_finite(resampled), shrink)


def _log_spread(
    material: Material, ground: Ground, train: str, forms: list[int]
) -> list[np.ndarray]:
    """Return log spreads, shape (n_weights, n_draws): of whole, halves, whole resampled."""
    metric = DECISIVE[ground.quantity]
    logs = ground.logs(material, train, metric).take(forms, ground.able)
    seeds = ground.seed_logs(material, train, metric)[0][:, forms][..., ground.able]
    noise = seed_variance(mean_of_finite(seeds))
    return [_log_deviation(part, noise) for part in _parts(logs)]


def seed_variance(logs: np.ndarray) -> float:
    """Return the variance over seeds, in the mean over forms; a form of one seed has none.

    Parameters
    ----------
    logs : ndarray, shape (n_seeds, n_forms)
        NaN where a form has no such seed.
    """
    off = logs - mean_of_finite(logs.T)
    freedom = np.isfinite(logs).sum(axis=0) - 1
    squares = np.where(np.isfinite(off), off**2, 0).sum(axis=0)
    return float((squares / np.maximum(freedom, 1)).mean())


def _log_deviation(logs: np.ndarray, noise: float) -> np.ndarray:
    """Return log SD over forms, less the noise, of logs (n_weights, n_draws, n_forms, n_groups)."""
    variance = mean_of_finite(logs).var(axis=-1, ddof=1)
    left = np.maximum(variance - noise, (1 - MOST_OF_SEEDS) * variance)
    result: np.ndarray = 0.5 * np.log(np.where(left > 0, left, np.nan))
    return result


def _parts(logs: Logs) -> list[np.ndarray]:
    return [logs.whole, logs.half_a, logs.half_b, logs.resampled]
