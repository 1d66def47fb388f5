"""Certainty of the findings of a study, and its reasons: sentences written from its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from diverse.errors.theta import DECISIVE
from diverse.report.numbers import digits
from diverse.report.pages.labels import noise_sentence
from diverse.report.readings import WORDS

HOUR = 3600  # seconds


def certainty(
    theta: pd.DataFrame | None,
    datasets: pd.DataFrame,
    noise: pd.DataFrame,
    left_out: Mapping[str, str],
) -> list[str]:
    """Return what the findings rest on, one statement an entry, each of one or two sentences.

    Parameters
    ----------
    theta : DataFrame or None
        ``tables/theta.csv``; None in a study that compares no training sets.
    datasets, noise : DataFrame
        ``tables/datasets.csv`` and ``tables/noise.csv``.
    left_out : mapping of str to str
        Data sets that were not at hand when the study ran, with the reason.
    """
    found = [] if theta is None else _of_effects(theta[decisive(theta)])
    return [
        *found,
        _of_cells(datasets),
        *noise_sentence(noise).splitlines(),
        *(f"Data set {name} was left out: {reason}." for name, reason in left_out.items()),
    ]


def decisive(theta: pd.DataFrame) -> pd.Series:
    """Return which rows of effects have the metric that carries the verdicts on their quantity."""
    return theta["metric"] == theta["quantity"].map(DECISIVE)


def _of_effects(effects: pd.DataFrame) -> list[str]:
    return [] if effects.empty else [*_of_draws(effects), *_of_skill(effects)]


def _of_draws(effects: pd.DataFrame) -> list[str]:
    """Return how training sets were drawn, and the larger of the two sources of error."""
    draws = effects["draws"].max()
    if draws < 2:
        return ["Every training set was drawn once: there are no intervals, and no verdicts."]
    spreads = effects[["sigma_set", "sigma_test"]].dropna()
    drawn = (
        f"Every training set was drawn {digits(draws)} times from its pool of cells. Intervals "
        "hold the spread from drawing other training sets, measured on disjoint halves, and that "
        "from drawing other test cells of the same groups; were the groups drawn, too, they would "
        "be those of the columns ci_groups_low and ci_groups_high."
    )
    if spreads.empty:
        return [drawn]
    of_set, of_test = np.exp(spreads.median())  # of logarithms
    more = int((spreads["sigma_set"] > spreads["sigma_test"]).sum())
    return [
        drawn,
        f"Another training set moves an effect by a factor of {digits(of_set)}, other test cells "
        f"move it by {digits(of_test)} (one standard deviation, median over {len(spreads)} "
        f"effects). The training set is the larger source for {more} of them.",
    ]


def _of_skill(effects: pd.DataFrame) -> list[str]:
    """Return what counts for no verdict, as no model is of use there."""
    quantities: dict[tuple[str, str], list[str]] = {}
    for quantity, rows in effects.groupby("quantity", sort=False):
        useless = rows.loc[rows["relation"] == "no skill", "test"]
        groups = "; ".join(rows["dropped"].dropna()).split("; ")
        found = _listed(dict.fromkeys(useless)), _listed(filter(None, dict.fromkeys(groups)))
        quantities.setdefault(found, []).append(WORDS[quantity])
    sentences = []
    for (tests, left), names in quantities.items():
        of = _listed(names)
        if tests:
            sentences.append(
                f"For {of} no model has skill (R² above zero) in groups of {tests}: they stand "
                "outside every verdict."
            )
        if left:
            sentences.append(f"The neutral ground of {of} goes without {left}.")
    return sentences


def _of_cells(datasets: pd.DataFrame) -> str:
    """Return how many labelled cells there are, and what they cost."""
    cells, environments = datasets["cells"].sum(), datasets["environments"].sum()
    sizes = ", ".join(f"{row.dataset} {row.environments}" for row in datasets.itertuples())
    cost = f", {digits(datasets['seconds'].sum() / HOUR, 2)} core hours of labelling"
    return f"{cells} labelled cells hold {environments} environments ({sizes}){cost}."


def _listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them; nothing if there are none."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last
