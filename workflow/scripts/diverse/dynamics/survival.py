"""Survival of potentials in ramps, and warnings by novelty before they fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

RAMP = ["train", "model", "ramp"]
NOVELTIES = ["novelty_0", "novelty_before", "novelty_end", "novelty_largest"]


def survival_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each ramp of each potential.

    Parameters
    ----------
    rows : DataFrame
        Of `diverse.dynamics.ramps.ramp_rows`, with ``train``, ``model`` and ``potential``.

    Returns
    -------
    DataFrame
        ``runs`` and how many of them ``failed``; ``reached``, the part of the ramp that the run
        which ended first went through, with ``temperature`` (K), ``pressure`` (GPa) and ``reason``
        there; ``threshold`` of novelty, and the medians `NOVELTIES` of the runs that failed, or of
        all where none did; ``warned``, the failed runs with novelty above the threshold before, and
        ``lead`` (fs), the median time from there to the last look before the failure; ``alarmed``,
        the runs with novelty above the threshold that did not fail.
    """
    blocks = rows.groupby(RAMP, sort=False)
    return pd.DataFrame([dict(zip(RAMP, names, strict=True)) | _ramp(b) for names, b in blocks])


def warnings_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return how often novelty crossed the threshold before failures and without any.

    Parameters
    ----------
    table : DataFrame
        Rows of `survival_table`.

    Returns
    -------
    DataFrame
        A row for each training set: ``train``, ``runs``, ``failed``, ``warned``, ``survived``,
        ``alarmed``.
    """
    counts = table.assign(survived=table["runs"] - table["failed"])
    names = ["runs", "failed", "warned", "survived", "alarmed"]
    return counts.groupby("train", sort=False)[names].sum().reset_index()


def warning_probability(table: pd.DataFrame) -> float:
    """Return the probability that novelty crossed before failures as often as it did by chance.

    Fisher's exact test, one-sided, over the ramps of potentials, as the velocity seeds of one ramp
    repeat each other: a ramp with failed runs counts as warned if all of these were, one without
    counts as a false alarm if any of its runs was.

    Parameters
    ----------
    table : DataFrame
        Rows of `survival_table`.

    Returns
    -------
    float
        NaN if no run failed, or every ramp of every potential had one that did.
    """
    from scipy.stats import fisher_exact  # slow to load, and pages need only the other functions

    failed = table["failed"] > 0
    if failed.all() or not failed.any():
        return np.nan
    crossed = np.where(failed, table["warned"] == table["failed"], table["alarmed"] > 0)
    counts = [[int((of & crossed).sum()), int((of & ~crossed).sum())] for of in (failed, ~failed)]
    return float(fisher_exact(counts, alternative="greater").pvalue)


def _ramp(runs: pd.DataFrame) -> dict[str, Any]:
    fallen = runs["reason"] != ""
    failed, survived = runs[fallen], runs[~fallen]
    warned = failed[failed["crossed"].notna()]
    told = runs if failed.empty else failed
    first = told.iloc[int(told["reached"].argmin())]
    return {
        **{name: runs[name].iloc[0] for name in ("course", "potential")},
        **{"runs": len(runs), "failed": len(failed)},
        **{name: first[name] for name in ("reached", "temperature", "pressure", "reason")},
        "threshold": runs["threshold"].iloc[0],
        **{name: told[name].median() for name in NOVELTIES},
        "warned": len(warned),
        "lead": ((warned["reached"] - warned["crossed"]) * warned["length"]).median(),
        "alarmed": int(survived["crossed"].notna().sum()),
    }
