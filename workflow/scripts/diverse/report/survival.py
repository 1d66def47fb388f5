"""Ramps in plain words: how many runs failed, and whether novelty warned, from their table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diverse.dynamics.survival import warning_probability, warnings_of
from diverse.errors.claims import SIGNIFICANT
from diverse.errors.runs import origin_sentences
from diverse.report.numbers import digits


def ramp_sentences(table: pd.DataFrame) -> list[str]:
    """Return what the ramps of a study say, and of which potentials they are.

    Novelty is said to warn where it crossed its threshold more often before failures than in runs
    that survived, by `warning_probability` below 0.05.

    Parameters
    ----------
    table : DataFrame
        ``tables/ramps.csv``.
    """
    potentials = table.drop_duplicates(["train", "model"])
    named = potentials.assign(model=potentials["train"] + " " + potentials["model"])
    return [*_survival(table), *_warning(table), *origin_sentences(named, "ramps")]


def _survival(table: pd.DataFrame) -> list[str]:
    counts = warnings_of(table)
    of = "; ".join(
        f"trained on {row.train} {row.failed} of {row.runs}" for row in counts.itertuples()
    )
    return [
        f"{counts['failed'].sum()} of {counts['runs'].sum()} runs in ramps of temperature and "
        f"pressure failed before the end: {of}."
    ]


def _warning(table: pd.DataFrame) -> list[str]:
    """Return whether novelty warns before a failure, with the numbers that say so."""
    if table["threshold"].isna().all():
        return ["No cells were left out of the training sets: there is no threshold of novelty."]
    total = warnings_of(table).drop(columns="train").sum()
    alarms = f"in {total['alarmed']} of {total['survived']} that did not fail"
    if not total["failed"]:
        return [
            "Whether novelty warns before a failure is not decided, as no run failed; it crossed "
            f"its threshold {alarms}."
        ]
    lead = table["lead"].median()
    early = "" if np.isnan(lead) else f", {digits(lead)} fs before it in the median"
    return [
        f"Novelty crossed its threshold before the failure in {total['warned']} of "
        f"{total['failed']} runs that failed{early}, and {alarms}: {_verdict(table)}."
    ]


def _verdict(table: pd.DataFrame) -> str:
    p = warning_probability(table)
    if np.isnan(p):
        return "without ramps that no run failed in, it cannot be said whether that is a warning"
    shown = "it warns" if p < SIGNIFICANT else "that it warns is not shown"
    return f"{shown} (p = {digits(p, 2)}, Fisher's exact test over ramps of potentials)"
