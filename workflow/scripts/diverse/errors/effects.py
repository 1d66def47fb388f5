"""Effects: how much better one training set is than another, on every ground.

`measure_effects` writes one row a ground, quantity and metric for each pair of training sets
(`diverse.errors.theta`), and the same for every form of model by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.ground import CLOSEST, NEUTRAL, NO_SKILL
from diverse.errors.material import Ground, Material
from diverse.errors.theta import DECISIVE, METRICS, Estimate, Logs, estimate, mean_of_finite, theta

POOLED = "neutral"  # the test set of rows that hold the neutral ground of the whole study
POOLED_MODERN = "neutral, modern forms too"  # the same, by forms that the paper had not as well
PAIR = ["test", "relation", "quantity", "metric", "train", "reference"]
EFFECT = ["theta", "effect", "ci_low", "ci_high", "sigma_set", "sigma_test", "p"]
GROUPS_DRAWN = ["ci_groups_low", "ci_groups_high"]  # ends of the interval if groups were drawn, too
COUNTS = ["draws", "groups", "forms", "n_cells", "dropped"]
RATIO = ["model", "class", "ratio", "ci_low", "ci_high", "draws", "n_cells"]


@dataclass(frozen=True)
class Row:
    """Groups that one row rests on, by number, and the names of those that it leaves out."""

    test: str
    relation: str
    groups: list[int]
    dropped: list[str]

    @property
    def modern(self) -> bool:
        """Truth of modern forms being in the mean."""
        return self.test == POOLED_MODERN


def reference_set(trains: Sequence[str], families: Mapping[str, str]) -> str:
    """Return the set that others are compared with: the first of family entropy, or the first."""
    return next((train for train in trains if families.get(train) == "entropy"), trains[0])


def measure_effects(
    material: Material, trains: Sequence[str], reference: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare training sets with the reference set on every ground.

    Parameters
    ----------
    material : Material
    trains : sequence of str
        Training sets; those without errors, and the reference itself, are passed over.
    reference : str

    Returns
    -------
    effects : DataFrame
        Columns `PAIR`, `EFFECT`, `GROUPS_DRAWN`, `COUNTS`. ``effect`` is exp(theta), a ratio of
        errors, above 1 where the reference set is better, ``ci_low`` and ``ci_high`` the ends of
        its 95 % interval on these groups of cells, NaN where there is none: a single draw, or no
        group of two trajectories; the columns `GROUPS_DRAWN` of `groups_drawn`. Rows of test set
        ``neutral`` hold all groups of skill that are neutral to every training set; ``dropped``
        names those without skill. Forms are those of the paper's classes; rows of test set
        `POOLED_MODERN` hold the others, too, where there are any.
    ratios : DataFrame
        Columns `PAIR`, `RATIO`: each form by itself, for the metrics that decide.
    """
    effects, ratios = [], []
    others = [train for train in trains if train in material.errors and train != reference]
    for quantity, metrics in METRICS.items() if reference in material.errors else ():
        ground = Ground.of(material, quantity)
        for metric in metrics:
            of_reference = ground.logs(material, reference, metric)
            for train in others:
                delta = ground.logs(material, train, metric) - of_reference
                for row in rows_of_pair(ground, train, reference, modern=material.has_modern):
                    names = [row.test, row.relation, quantity, metric, train, reference]
                    fixed = dict(zip(PAIR, names, strict=True))
                    effects.append(fixed | _effect(material, ground, delta, row, fixed))
                    if metric == DECISIVE[quantity] and not row.modern:
                        ratios += _ratios(material, ground, delta, row, fixed)
    return (
        pd.DataFrame(effects, columns=[*PAIR, *EFFECT, *GROUPS_DRAWN, *COUNTS]),
        pd.DataFrame(ratios, columns=[*PAIR, *RATIO]),
    )


def rows_of_pair(ground: Ground, train: str, reference: str, *, modern: bool) -> Iterator[Row]:
    """Yield what rows there are for two training sets.

    One row for each test set and relation, the closer of the relations to both training sets;
    groups without skill have rows of their own. The neutral ground comes last, once more where
    there are `modern` forms.
    """
    relations = [
        min(pair, key=CLOSEST.index) if able else NO_SKILL
        for *pair, able in zip(
            ground.relations[train], ground.relations[reference], ground.skill, strict=True
        )
    ]
    numbers = range(len(ground.groups))
    for test in dict.fromkeys(group.test for group in ground.groups):
        own = [n for n in numbers if ground.groups[n].test == test]
        for relation in [*CLOSEST, NO_SKILL]:
            chosen = [n for n in own if ground.filled[n] and relations[n] == relation]
            if chosen:
                yield Row(test, relation, chosen, [])
    if ground.able:
        useless = [ground.groups[n] for n in ground.neutral if not ground.skill[n]]
        names = [f"{group.test}/{group.name}" for group in useless if len(group.cells)]
        for pooled in (POOLED, POOLED_MODERN) if modern else (POOLED,):
            yield Row(pooled, NEUTRAL, ground.able, names)


def summary(delta: Logs, classes: Sequence[str], shrink: float) -> Estimate:
    """Return theta of some models and groups, with its deviations."""
    if not classes:
        return Estimate(np.nan, np.nan, np.nan, 0)
    whole, half_a, half_b = (
        theta(part, classes)[0] for part in (delta.whole, delta.half_a, delta.half_b)
    )
    resampled = mean_of_finite(theta(delta.resampled, classes))
    return estimate(whole, half_a, half_b, resampled, shrink)


def groups_drawn(delta: Logs, classes: Sequence[str], found: Estimate) -> Estimate:
    """Return an estimate of theta with the deviation that it had, were groups drawn anew as well.

    The kinds of test cells that stand for a ground are a choice. Had they been drawn from many such
    kinds, the variance of their mean would be s² / n, with s² the variance of theta over the n
    groups, each averaged over forms, classes and draws; what the trajectories within a group add is
    part of it.

    Parameters
    ----------
    delta : Logs
        Logarithms of ratios of errors of the models and groups that `found` is the mean of.
    classes : sequence of str
        Class of each model.
    found : Estimate
        Of `summary`.

    Returns
    -------
    Estimate
        ``sigma_test`` is never smaller than that of `found`, and NaN for a single group.
    """
    groups = range(delta.whole.shape[-1])
    by_group = np.array([mean_of_finite(theta(delta.whole[..., [n]], classes)[0]) for n in groups])
    by_group = by_group[np.isfinite(by_group)]
    if len(by_group) < 2:
        return replace(found, sigma_test=np.nan)
    sigma = float(np.std(by_group, ddof=1) / np.sqrt(len(by_group)))
    wider = np.fmax(sigma, found.sigma_test)
    return replace(found, sigma_test=float(wider), draws=min(found.draws, len(by_group)))


def _effect(
    material: Material, ground: Ground, delta: Logs, row: Row, fixed: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a row of effects holds beside its names."""
    pair = fixed["train"], fixed["reference"]
    forms = material.complete(*pair, modern=row.modern)
    names = list(material.classes.values())
    chosen = delta.take(forms, row.groups)
    classes = [names[n] for n in forms]
    found = summary(chosen, classes, _pair_shrink(material, pair))
    wider = np.exp(groups_drawn(chosen, classes, found).interval)
    ends = dict(zip(GROUPS_DRAWN, wider, strict=True))
    counts = {"groups": len(row.groups), "forms": len(forms), "n_cells": _count(ground, row)}
    return {**effect_of(found), **ends, **counts, "dropped": "; ".join(row.dropped)}


def effect_of(found: Estimate) -> dict[str, Any]:
    """Return an estimate of theta as the columns `EFFECT` and ``draws``."""
    deviations = {"sigma_set": found.sigma_set, "sigma_test": found.sigma_test, "p": found.p}
    effect = {"theta": found.value, "effect": np.exp(found.value)}
    return {**effect, **_ends(found), **deviations, "draws": found.draws}


def _ratios(
    material: Material, ground: Ground, delta: Logs, row: Row, fixed: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the rows of ratios: a model by itself, if both sets have trained it."""
    rows, shrink = [], _pair_shrink(material, (fixed["train"], fixed["reference"]))
    for number, (model, kind) in enumerate(material.classes.items()):
        found = summary(delta.take([number], row.groups), [kind], shrink)
        if found.draws:
            ratio = {"model": model, "class": kind, "ratio": np.exp(found.value), **_ends(found)}
            counts = {"draws": found.draws, "n_cells": _count(ground, row)}
            rows.append({**fixed, **ratio, **counts})
    return rows


def _ends(found: Estimate) -> dict[str, float]:
    return dict(zip(("ci_low", "ci_high"), np.exp(found.interval), strict=True))


def _pair_shrink(material: Material, pair: tuple[str, str]) -> float:
    return max(material.shrink[name] for name in pair)


def _count(ground: Ground, row: Row) -> int:
    return sum(len(ground.groups[n].cells) for n in row.groups)
