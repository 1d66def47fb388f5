"""Figure of dynamics: deviations of the energy against the time step."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diverse.report.plotting.grounds import nothing_to_draw
from diverse.report.plotting.style import looks, panel_grid, plain_log, style

COLUMNS = 3  # panels in a row


def conservation_panels(
    rows: pd.DataFrame, table: pd.DataFrame, families: dict[str, str]
) -> Figure:
    """Draw the deviation of the total energy against the time step, one panel a model.

    Parameters
    ----------
    rows : DataFrame
        Runs, as `diverse.dynamics.conservation` writes them.
    table : DataFrame
        Of `diverse.dynamics.slopes.slopes_table`.
    families : dict
        Family of each data set.
    """
    style()
    if rows["energy_rms"].isna().all():
        return nothing_to_draw("No run lasted to its end: tables/dynamics.csv says why.")
    models = list(dict.fromkeys(table["model"]))
    size = {"sharex": True, "sharey": True}
    figure, axes = panel_grid(len(models), COLUMNS, (1.9, 1.8), (1.3, 0.4), **size)
    look = looks(families)
    for axis, model in zip(axes, models, strict=True):
        axis.set_title(model)
        for train in dict.fromkeys(table["train"]):
            runs = rows[(rows["model"] == model) & (rows["train"] == train)]
            _curve(axis, runs, look[train].colour, look[train].marker, train)
        own = table[table["model"] == model]
        _second_order(axis, rows[rows["model"] == model], own["deviation"].mean())
        axis.tick_params(labelsize=7)
    for axis in axes:
        plain_log(axis, "xy")
    figure.supxlabel("time step (fs)", fontsize=9)
    figure.supylabel("rms deviation of the total energy\n(meV/atom)", fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="trained on", loc="outside right upper")
    return figure


def _curve(axis: Axes, runs: pd.DataFrame, colour: str, marker: str, label: str) -> None:
    """Draw every seed as a small mark, and the geometric mean as a line."""
    lasted = runs[runs["energy_rms"].notna()]
    axis.plot(lasted["timestep"], lasted["energy_rms"], marker, color=colour, ms=2, alpha=0.4)
    mean = np.exp(np.log(lasted["energy_rms"]).groupby(lasted["timestep"]).mean())
    axis.plot(mean.index, mean, color=colour, linewidth=1.2, label=label)


def _second_order(axis: Axes, runs: pd.DataFrame, deviation: float) -> None:
    """Draw a line of slope 2 through the deviation (meV/atom) at 1 fs."""
    ends = np.array([runs["timestep"].min(), runs["timestep"].max()])
    axis.plot(ends, deviation * ends**2, "k:", linewidth=0.8, label="slope 2", zorder=0)
