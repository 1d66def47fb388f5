"""Errors of test cells against their novelty and their shortest distance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diverse.errors.novelty import SMALLEST_BIN
from diverse.report.plotting.grounds import (
    QUANTITIES,
    add_legend,
    banded,
    colours_of,
    ground_panels,
    no_data,
    nothing_to_draw,
)
from diverse.report.plotting.style import plain_log, style

NAMES = {"novelty": "novelty (whitened units)", "d_min": "shortest distance (Å)"}
LABELS = {"energy": "energy error (meV/atom)", "forces": "force error (meV/Å)"}
STEPS = 24  # of each density
FOOT = 0.22  # part of a panel's height that densities stand in


def novelty_panels(
    table: pd.DataFrame, novelty: pd.DataFrame, cells: pd.DataFrame, families: Mapping[str, str]
) -> Figure:
    """Draw binned medians of errors, one column a model; colour is the training set.

    The areas at the foot of each panel are densities: of the novelty of all test cells with
    respect to each training set, or of the shortest distance in the cells of each data set.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.novelty.binned_medians`.
    novelty : DataFrame
        ``train`` and ``novelty`` of every test cell.
    cells : DataFrame
        ``test`` and ``d_min`` (Å) of every cell.
    families : mapping
        Family of each data set, in the order of the study.
    """
    style()
    if table.empty:
        return nothing_to_draw(f"Too few test cells: no bin holds {SMALLEST_BIN} of them.")
    rows = [(axis, quantity) for axis in NAMES for quantity in QUANTITIES]
    models = list(table["model"].unique())
    labels = [LABELS[quantity] for _, quantity in rows]
    figure, panels = ground_panels(models, labels, sharex="row", sharey="row")
    colours = colours_of(families, set(table["train"]))
    densities = {
        "novelty": {name: novelty.loc[novelty["train"] == name, "novelty"] for name in colours},
        "d_min": {name: cells.loc[cells["test"] == name, "d_min"] for name in colours},
    }
    for model, axes in panels.items():
        for axis, (x, quantity) in zip(axes, rows, strict=True):
            chosen = table[(table["model"] == model) & (table["axis"] == x)]
            chosen = chosen[chosen["quantity"] == quantity]
            for train, curve in chosen.groupby("train", sort=False):
                banded(axis, curve, "value", "error", colours[str(train)], marker="o", markersize=2)
            if len(chosen):
                plain_log(axis, "y")
            else:
                no_data(axis)
            _densities(axis, densities[x], colours, log=x == "novelty")
            axis.set_xlabel(NAMES[x] if quantity == QUANTITIES[-1] else "", fontsize=7)
    add_legend(figure, {f"trained on {name}": c for name, c in colours.items()}, {})
    return figure


def _densities(
    axis: Axes, values: Mapping[str, pd.Series], colours: Mapping[str, str], *, log: bool
) -> None:
    """Draw the density of each set's values as an area at the foot of the panel."""
    positive = {name: own[own > 0] if log else own for name, own in values.items()}
    positive = {name: own.dropna() for name, own in positive.items()}
    every = pd.concat(list(positive.values()))
    if every.empty or every.min() == every.max():
        return
    space = np.geomspace if log else np.linspace
    edges = space(every.min(), every.max(), STEPS + 1)
    shares = {
        name: np.histogram(own, edges)[0] / max(1, len(own)) for name, own in positive.items()
    }
    highest = max(share.max() for share in shares.values())
    foot = axis.get_xaxis_transform()
    for name, share in shares.items():
        axis.stairs(
            FOOT * share / highest, edges, transform=foot, fill=True, alpha=0.3, color=colours[name]
        )
    if log:
        plain_log(axis, "x")
