"""Order of energy conservation in the time step, and where it ends, from rows of runs.

The deviation of the energy in velocity Verlet is proportional to the square of the time step, as
long as that is small: a straight line of slope 2 through logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit  # quantile of Student's t

DEPARTED = 2.0  # times the fitted deviation, from which a time step has left the line
LEAST = 3  # time steps that a line needs
PAIR = ["train", "model"]


def slopes_table(rows: pd.DataFrame, fitted: float) -> pd.DataFrame:
    """Return one row for each potential.

    Parameters
    ----------
    rows : DataFrame
        Of `conservation_rows`, with ``train``, ``model`` and ``potential`` (a digest).
    fitted : float, fs
        Largest time step of the fit.

    Returns
    -------
    DataFrame
        ``slope``, mean over velocity seeds of the slope of log energy_rms against log timestep up
        to `fitted`, with its 95 % interval (Student's t over seeds) ``ci_low``, ``ci_high``;
        ``deviation`` (meV/atom), the fitted one at 1 fs; ``departure`` (fs), the first time step
        whose deviation is over twice the one on the line of its seed (mean of logarithms over
        seeds), or at which a run failed, NaN if there is none; ``drift`` (meV/atom/ps) and
        ``drift_ratio``, the largest up to `fitted`; ``seeds``; ``largest``, the largest time step
        (fs); ``failed``, the number of runs that did, and ``reason`` of the first of them.
    """
    found = [
        dict(zip(PAIR, pair, strict=True)) | _potential(block, fitted)
        for pair, block in rows.groupby(PAIR, sort=False)
    ]
    return pd.DataFrame(found)


def order_of_conservation(table: pd.DataFrame) -> dict[str, float]:
    """Return the mean slope over potentials, with its 95 % interval (Student's t over them).

    Each potential counts once, with its mean over velocity seeds, whose spread is part of what the
    slopes of potentials differ by.

    Parameters
    ----------
    table : DataFrame
        Rows of `slopes_table`.

    Returns
    -------
    dict
        Keys ``effect``, ``ci_low`` and ``ci_high``; NaN where there are too few potentials.
    """
    values = mean_interval(table["slope"].to_numpy(dtype=float))
    return dict(zip(("effect", "ci_low", "ci_high"), values, strict=True))


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return mean and 95 % interval by Student's t, NaN where there are too few values."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan, np.nan
    mean = float(values.mean())
    if len(values) < 2:
        return mean, np.nan, np.nan
    reach = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - reach, mean + reach


def _potential(block: pd.DataFrame, fitted: float) -> dict[str, Any]:
    failed = block[block["energy_rms"].isna()]
    used = block[block["energy_rms"].notna() & (block["timestep"] <= fitted)]
    lines = {seed: _line(runs) for seed, runs in used.groupby("seed") if len(runs) >= LEAST}
    slope, low, high = mean_interval(np.array([line[0] for line in lines.values()]))
    intercept = np.mean([line[1] for line in lines.values()]) if lines else np.nan
    return {
        **{"potential": block["potential"].iloc[0], "seeds": block["seed"].nunique()},
        **{"slope": slope, "ci_low": low, "ci_high": high, "deviation": np.exp(intercept)},
        "departure": _departure(block, lines),
        "drift": used["drift"].abs().max(),
        "drift_ratio": used["drift_ratio"].max(),
        **{"largest": block["timestep"].max(), "failed": len(failed)},
        "reason": failed["reason"].iloc[0] if len(failed) else "",
    }


def _line(runs: pd.DataFrame) -> tuple[float, float]:
    """Return slope and intercept of the logarithms of one seed."""
    from scipy.stats import linregress  # slow to load, and every plan of a study loads this module

    line = linregress(np.log(runs["timestep"]), np.log(runs["energy_rms"]))
    return float(line.slope), float(line.intercept)


def _departure(block: pd.DataFrame, lines: Mapping[Any, tuple[float, float]]) -> float:
    """Return the first time step (fs) that left the lines, in the mean over seeds."""
    for step, runs in block.sort_values("timestep").groupby("timestep"):
        seeds = zip(runs["seed"], runs["energy_rms"], strict=True)
        above = []
        for seed, deviation in seeds:
            slope, intercept = lines.get(seed, (np.nan, np.nan))
            above.append(np.log(deviation) - intercept - slope * np.log(float(step)))
        if not np.mean(above) <= np.log(DEPARTED):  # NaN where a run failed
            return float(step)
    return np.nan
