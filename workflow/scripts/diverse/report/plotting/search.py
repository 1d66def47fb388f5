"""Criteria of every candidate of the search of loss weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from diverse.report.plotting.style import Look, looks, panel_grid, style

COLUMNS = 4  # panels in a row
APART = 1.08  # factor between the training sets along the axis, so that none hides another


def search_curves(
    searches: dict[tuple[str, str], pd.DataFrame], families: dict[str, str]
) -> Figure:
    """Draw every candidate's criterion relative to the first candidate's, one panel a model.

    Parameters
    ----------
    searches : dict
        Table of `search_weights` of every (train, model).
    families : dict
        Family of each training set that is drawn.
    """
    style()
    searches = {names: table for names, table in searches.items() if names[0] in families}
    models = list(dict.fromkeys(model for _, model in searches))
    figure, axes = panel_grid(len(models), COLUMNS, (1.5, 2.1), (1.2, 0.6), sharey=True)
    look, trains = looks(families), list(dict.fromkeys(train for train, _ in searches))
    for axis, model in zip(axes, models, strict=True):
        for (train, name), table in searches.items():
            if name == model:
                shift = APART ** (trains.index(train) - (len(trains) - 1) / 2)
                _curve(axis, table, look[train], shift, label=train)
        axis.axhline(1, color="0.6", linewidth=0.8, linestyle=":")
        axis.set(title=model, xscale="log", yscale="log", xlabel="energy weight")
        tables = [table for (_, name), table in searches.items() if name == model]
        axis.set_xticks(sorted(set(pd.concat(tables)["energy_weight"])))
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter(StrMethodFormatter("{x:g}"))
            side.set_minor_formatter(NullFormatter())
    for axis in axes[::COLUMNS]:
        axis.set_ylabel("RMSE(E) × RMSE(F) left out,\nover that of the first candidate")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="trained on", loc="outside right upper")
    return figure


def _curve(axis: Axes, table: pd.DataFrame, look: Look, shift: float, *, label: str) -> None:
    """Draw candidates with the first energy scale as a curve, the others as crosses."""
    relative = table["criterion"] / table["criterion"].iloc[0]
    factor = np.exp(table["standard_error"])
    bars = [relative - relative / factor, relative * factor - relative]
    scale, weights = table["energy_scale"].fillna(np.inf), shift * table["energy_weight"]
    first = scale == scale.iloc[0]
    order = weights[first].sort_values().index
    axis.plot(weights[order], relative[order], label=label, **look.curve)
    axis.errorbar(weights, relative, bars, fmt="none", ecolor=look.colour, elinewidth=0.8)
    axis.scatter(weights[~first], relative[~first], marker="x", s=20, color=look.colour)
    chosen = table["chosen"]
    axis.scatter(weights[chosen], relative[chosen], s=45, zorder=3, **look.points)
