"""Ablation of the entropy term: random, cell and set at equal environments, again for each seed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from scipy.special import stdtrit  # quantile of Student's t

from diverse.descriptors.whitening import Whitening
from diverse.diversity.points import (
    Points,
    measures_of_pair,
    measures_of_set,
)
from diverse.diversity.sample import sample_cells, sample_environments
from diverse.progress import tracked
from diverse.structures import iterate_cells, random_stream
from diverse.study.chunks import sampled_chunk
from diverse.study.settings import coordination_radius, descriptor_settings, kernel_cutoff

Config = dict[str, Any]

ARMS: dict[str, Config] = {
    "random": {"family": "random"},
    "cell": {"family": "entropy", "estimator": "cell"},
    "set": {"family": "entropy", "estimator": "set"},
}
MISSING_CELL = (
    "Without the set cell: sampler.atoms begins below 3, and the atoms of smaller cells are "
    "equivalent, so that their own entropy cannot be raised."
)
FEWEST_ATOMS = 3  # of a cell whose own entropy can be raised: those of fewer are equivalent
CONFIDENCE = 0.95
SPARE = 1.2  # cells drawn beyond what the mean size asks for, so that environments suffice

logger = logging.getLogger(__name__)


def ablate(
    study: Config,
    others: Mapping[str, Sequence[str | Path]],
    whitening: Whitening,
    bandwidths: Sequence[float],
) -> pd.DataFrame:
    """Measure fresh sets of every arm, and draws of other data sets, at equal environments.

    Parameters
    ----------
    study : dict
        Its ``ablation`` block says how many environments and how many seeds.
    others : mapping
        Name of each data set to compare with to its files; sets with too few environments are
        left out.
    whitening : Whitening
        The space everything is measured in.
    bandwidths : sequence of float, 1/Å
        Of the QUESTS kernel.

    Returns
    -------
    pandas.DataFrame
        ``seed``, ``dataset``, ``other`` (the set that covers it, for measures of a pair),
        ``measure``, ``setting``, ``unit``, ``value``, ``n`` (environments of each set).

    Raises
    ------
    ValueError
        If the cells of an arm hold fewer environments than the ablation asks for.
    """
    if len(arms_of(study)) < len(ARMS):
        logger.warning(MISSING_CELL)
    seeds = study["ablation"]["seeds"]
    rows = [
        {
            **{"seed": seed, "dataset": name, "other": other},
            **{"measure": measure, "setting": setting, "unit": unit, "value": value},
            "n": study["ablation"]["environments"],
        }
        for seed in tracked(range(seeds), seeds, "seeds")
        for name, other, values in _measures(
            _points_of_seed(study, others, whitening, seed), bandwidths
        )
        for (measure, setting, unit), value in values.items()
    ]
    return pd.DataFrame(rows)


def arms_of(study: Config) -> dict[str, Config]:
    """Return the data set entries of the arms that a study's sampler can make.

    The atoms of a cell with one or two are equivalent: without a smallest size of 3 atoms the arm
    ``cell`` is left out.
    """
    arms = dict(ARMS)
    if study["sampler"]["atoms"][0] < FEWEST_ATOMS:
        del arms["cell"]
    return arms


def missing_arms(summary: pd.DataFrame) -> list[str]:
    """Return a sentence for each arm that an ablation was made without."""
    return [] if (summary["dataset"] == "cell").any() else [MISSING_CELL]


def summarise_ablation(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval (Student's t over seeds) of every measure.

    Returns
    -------
    pandas.DataFrame
        The columns of `rows` without ``seed``; ``value`` is the mean, ``ci_low`` and ``ci_high``
        bound the interval (nan for one seed), ``seeds`` counts.
    """
    keys = ["dataset", "other", "measure", "setting", "unit", "n"]
    grouped = rows.groupby(keys, sort=False)["value"]
    summary = grouped.agg(value="mean", spread="std", seeds="count").reset_index()
    half = stdtrit(summary["seeds"] - 1, 0.5 + CONFIDENCE / 2) * summary["spread"]
    half /= np.sqrt(summary["seeds"])
    return summary.assign(ci_low=summary["value"] - half, ci_high=summary["value"] + half).drop(
        columns="spread"
    )


def _points_of_seed(
    study: Config, others: Mapping[str, Sequence[str | Path]], whitening: Whitening, seed: int
) -> dict[str, Points]:
    """Return the environments of every arm and of every other set that is large enough."""
    n = study["ablation"]["environments"]
    points = {
        arm: _exactly(n, _arm_cells(study, arm, seed, whitening), study, whitening, f"{arm}/{seed}")
        for arm in arms_of(study)
    }
    for name, files in others.items():
        rng = random_stream(study["seed"], f"{name}/ablation", seed)
        cells, _, total = sample_cells(iterate_cells(files), int(SPARE * n) + 200, rng)
        if total >= n:
            points[name] = _exactly(n, cells, study, whitening, f"{name}/{seed}")
    return points


def _arm_cells(study: Config, arm: str, seed: int, whitening: Whitening) -> Sequence[Atoms]:
    mean = np.mean(study["sampler"]["atoms"])
    n_cells = int(np.ceil(SPARE * study["ablation"]["environments"] / mean)) + 1
    dataset = {**ARMS[arm], "cells": n_cells, "chunks": 1}
    return sampled_chunk(
        study, name=f"ablation/{arm}/{seed}", dataset=dataset, chunk=0, whitening=whitening
    ).cells


def _exactly(
    n: int, cells: Sequence[Atoms], study: Config, whitening: Whitening, stream: str
) -> Points:
    """Return `n` environments of these cells, drawn in whole cells but for the last."""
    rng = random_stream(study["seed"], f"{stream}/ablation draw", 0)
    everything = sum(map(len, cells))
    if everything < n:
        raise ValueError(
            f"{stream}: {len(cells)} cells hold {everything} environments, fewer than the {n} of "
            "the ablation: lower ablation.environments, or narrow sampler.atoms"
        )
    sample = sample_environments(
        cells,
        everything,
        descriptor_settings(study),
        coordination_radius=coordination_radius(study),
        quests_cutoff=kernel_cutoff(study),
        rng=rng,
    )
    return Points.of(sample, whitening).draw(n, rng)


def _measures(
    points: Mapping[str, Points], bandwidths: Sequence[float]
) -> Iterator[tuple[str, str, dict[tuple[str, str, str], float]]]:
    """Yield the measures of every set, then of every pair of different sets."""
    for name, whole in points.items():
        yield name, "", measures_of_set(whole, bandwidths)
    for name, whole in points.items():
        for other, reference in points.items():
            if other != name:
                yield name, other, measures_of_pair(whole, reference, bandwidths, itself=False)
