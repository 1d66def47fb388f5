"""Figure of ramps: how many runs go on, and the novelty of their cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diverse.dynamics.ramps import TENTHS
from diverse.report.plotting.style import Look, looks, panel_grid, style

SHIFT = 0.012  # between curves of training sets that would hide each other


def ramp_panels(rows: pd.DataFrame, families: dict[str, str]) -> Figure:
    """Draw the runs that still go on, and below the novelty of each, along the ramps.

    Parameters
    ----------
    rows : DataFrame
        Of `diverse.dynamics.ramps.ramp_rows`, with ``train``; a column of panels for each ramp, a
        line above for each training set over all its models and velocity seeds, below for each run.
    families : dict
        Family of each data set.
    """
    style()
    ramps, look = list(dict.fromkeys(rows["ramp"])), looks(families)
    size = {"sharex": True, "sharey": "row"}
    figure, axes = panel_grid(2 * len(ramps), len(ramps), (1.6, 1.7), (0.9, 0.5), **size)
    for place, ramp in enumerate(ramps):
        block = rows[rows["ramp"] == ramp]
        above, below = axes[place], axes[place + len(ramps)]
        above.set_title(f"{_wrapped(ramp)}\n{block['course'].iloc[0]}", fontsize=7)
        for number, (train, runs) in enumerate(block.groupby("train", sort=False)):
            _survival(above, runs, look[str(train)], str(train), SHIFT * number)
            _novelty(below, runs, look[str(train)])
        below.axhline(1, color="k", linewidth=0.8, linestyle=":")
        above.set(xlim=(0, 1.03), ylim=(-0.05, 1.05))
        for axis in (above, below):
            axis.tick_params(labelsize=7)
    axes[-1].set_ylim(bottom=0)
    axes[0].set_ylabel("part of the runs\nthat go on", fontsize=8)
    axes[len(ramps)].set_ylabel("novelty over its\nthreshold", fontsize=8)
    figure.supxlabel("part of the ramp", fontsize=8)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="trained on", loc="outside right upper")
    return figure


def _survival(axis: Axes, runs: pd.DataFrame, look: Look, label: str, shift: float) -> None:
    """Draw the part of the runs that go on, lowered by a little that keeps curves apart."""
    ends = np.sort(runs.loc[runs["reason"] != "", "reached"])
    left = 1 - np.arange(len(ends) + 1) / len(runs) - shift
    places, parts = [0.0, *ends, 1.0], [*left, left[-1]]
    axis.step(places, parts, where="post", label=label, **look.curve)


def _novelty(axis: Axes, runs: pd.DataFrame, look: Look) -> None:
    """Draw the novelty of each run over its threshold, and a cross where a run failed."""
    tenths = np.linspace(0, 1, len(TENTHS))
    for run in runs.to_dict("records"):
        values = np.array([*(run[name] for name in TENTHS), run["novelty_end"]]) / run["threshold"]
        places = np.append(tenths, run["reached"])
        seen = np.isfinite(values)
        places, values = places[seen], values[seen]
        axis.plot(places, values, color=look.colour, linewidth=0.5, alpha=0.5)
        if run["reason"]:
            axis.plot(places[-1], values[-1], "x", color=look.colour, markersize=5)


def _wrapped(ramp: str) -> str:
    """Return the name of a ramp in lines that fit a panel: all of equal number."""
    return ramp.replace(" at ", "\nat ") if " at " in ramp else f"\n{ramp}"
