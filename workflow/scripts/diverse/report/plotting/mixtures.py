"""Gains of a training set from cells that are added to it, or put in their place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from diverse.errors.levels import NEUTRAL_GROUND
from diverse.report.plotting.grounds import (
    NO_GROUND,
    QUANTITIES,
    add_legend,
    banded,
    colours_of,
    ground_panels,
    no_data,
    nothing_to_draw,
)
from diverse.report.plotting.style import style

ROWS = {  # of panels: growth and quantity, and what the vertical axis says
    ("growing", "energy"): "energies, added",
    ("growing", "forces"): "forces, added",
    ("constant", "energy"): "energies, replaced",
    ("constant", "forces"): "forces, replaced",
}
ROUND_RATIOS = (
    *(1, 0.5, 2, 0.2, 5, 0.1, 10, 0.3, 3, 0.7, 1.5, 1.2, 0.85, 1.1, 0.9),
    *(1.05, 0.95, 1.02, 0.98, 1.01, 0.99),
)
APART = 0.15  # part of the height of a panel
VERBS = {"growing": "added", "constant": "replaced"}


def mixture_panels(mixtures: pd.DataFrame, families: Mapping[str, str]) -> Figure:
    """Draw ratios of errors of mixtures to those of the base set alone, by ground.

    The upper rows add cells to the whole base set, the lower ones put them in the place of others
    at constant size. Lines average all models (bands: one standard deviation over draws), thin
    lines are single models.

    Parameters
    ----------
    mixtures : DataFrame
        Of `diverse.errors.mixtures.mixture_gains`; where it is empty, the figure says so.
    families : mapping
        Family of each data set, in the order of the study.
    """
    style()
    if mixtures.empty:
        return nothing_to_draw("This study has no mixtures of training sets.")
    base, added = mixtures["base"].iloc[0], set(mixtures["added"])
    order = [base, NEUTRAL_GROUND, *(name for name in families if name in added)]
    found = set(mixtures["ground"])
    titles = {f"on {g}{' (home)' * (g == base)}": g for g in order if g in found}
    if not titles:
        return nothing_to_draw(NO_GROUND)
    rows = {key: label for key, label in ROWS.items() if key[0] in set(mixtures["growth"])}
    figure, panels = ground_panels(list(titles), list(rows.values()), sharex="row")
    colours = colours_of(families, added)
    for title, ground in titles.items():
        part = mixtures[mixtures["ground"] == ground]
        for axis, (growth, quantity) in zip(panels[title], rows, strict=True):
            chosen = part[(part["growth"] == growth) & (part["quantity"] == quantity)]
            _panel(axis, chosen, colours)
            if quantity == QUANTITIES[-1]:
                axis.set_xlabel(f"environments {VERBS[growth]}", fontsize=7)
    figure.supylabel(f"error over that of {base} alone", fontsize=9)
    add_legend(figure, {f"with {name}": colour for name, colour in colours.items()}, {})
    return figure


def _panel(axis: Axes, chosen: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Draw every model thin and their average thick, all from the base set alone (1) on."""
    if chosen.empty:
        no_data(axis)
        return
    axis.axhline(1, color="0.5", linewidth=0.8, zorder=0)
    start = pd.DataFrame({"added_environments": [0.0], "ratio": [1.0], "low": [1.0], "high": [1.0]})
    for (added, model), curve in chosen.groupby(["added", "model"], sort=False):
        whole = pd.concat([start, curve[list(start)].sort_values("added_environments")])
        colour = colours[str(added)]
        if model == "all":
            banded(axis, whole, "added_environments", "ratio", colour, marker="o", markersize=3)
        else:
            axis.plot(
                whole["added_environments"], whole["ratio"], color=colour, linewidth=0.5, alpha=0.5
            )
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(FixedLocator(ratio_marks(*axis.yaxis.get_view_interval())))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())


def ratio_marks(low: float, high: float) -> list[float]:
    """Return round ratios between two that lie apart on a logarithmic axis, 1 before others."""
    marks: list[float] = []
    for ratio in ROUND_RATIOS:
        apart = all(abs(np.log(ratio / mark)) > APART * np.log(high / low) for mark in marks)
        if low <= ratio <= high and apart:
            marks.append(ratio)
    return sorted(marks)
