"""Claim C4: what the runs at constant energy of a study say, as numbers and sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from diverse.dynamics.slopes import order_of_conservation
from diverse.errors.runs import origin_sentences

NOT_RUN = "No data: run `snakemake dynamics`."


def conservation_effect(
    dynamics: pd.DataFrame | None, train: str
) -> tuple[dict[str, float] | None, str]:
    """Return the order of energy conservation with models of one training set.

    Parameters
    ----------
    dynamics : DataFrame or None
        ``tables/dynamics.csv``; None where no runs are known.
    train : str
        Training set of family entropy.

    Returns
    -------
    numbers : dict or None
        ``effect``, the mean slope, with ``ci_low`` and ``ci_high``; None where there is no slope.
    remarks : str
        Sentences: where potentials depart, which failed, and whose runs they are.
    """
    if dynamics is None:
        return None, NOT_RUN
    own = dynamics[dynamics["train"] == train]
    if own.empty:
        return None, f"No potential trained on {train} was run: see dynamics.models in the study."
    numbers = order_of_conservation(own)
    if not np.isfinite(numbers["effect"]):
        return None, f"Every run with models trained on {train} failed: {own['reason'].iloc[0]}."
    if own["slope"].isna().any():  # a potential that no run lasted with is no evidence for an order
        numbers |= {"ci_low": np.nan, "ci_high": np.nan}
    origin = origin_sentences(own, "dynamics")
    return numbers, " ".join([_departures(own), *_failures(own), *origin])


def _departures(own: pd.DataFrame) -> str:
    """Return where potentials leave the line, which the paper says happens above 10 fs."""
    departed = own[own["departure"].notna()]
    if departed.empty:
        return f"No model departs from its line up to {own['largest'].max():g} fs."
    first, n = departed["departure"].min(), len(departed)
    return f"{n} of {len(own)} models depart from their line, the first at {first:g} fs."


def _failures(own: pd.DataFrame) -> list[str]:
    """Return which potentials have no slope, or no interval over potentials."""
    lost = own[own["slope"].isna()]
    if len(lost):
        names = ", ".join(lost["model"])
        return [f"There is no interval: {names} failed ({lost['reason'].iloc[0]})."]
    return ["There is no interval: a single model was run."] if len(own) < 2 else []
