"""Errors against what the training set cost, and against the size of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from diverse.errors.levels import NEUTRAL_GROUND
from diverse.report.plotting.grounds import (
    FAR,
    NO_GROUND,
    QUANTITIES,
    add_legend,
    banded,
    colours_of,
    decades,
    ground_panels,
    log_places,
    no_data,
    nothing_to_draw,
)
from diverse.report.plotting.style import model_marks, plain_log, style

LABELS = {"energy": "energy MAE (meV/atom)", "forces": "force RMSE (meV/Å)"}
COSTS = {"core_hours": "core-hours of labels", "environments": "environments"}
SIZES = {
    "n_parameters": "parameters",
    "nodes": "hidden nodes",
    "microseconds": "µs an atom and step",
}
NOTHING = {
    "n_parameters": "No model of this study has parameters.",
    "nodes": "No model of this study has hidden nodes.",
    "microseconds": "The speed of no model of this study was measured (tests/benchmarks/md.py).",
}
HOME = "own test cells"


def learning_curve_panels(
    curves: pd.DataFrame, families: Mapping[str, str], models: Mapping[str, str]
) -> Figure:
    """Draw errors on a family's own test cells and on neutral ground against the cost of labels.

    Colour is the data set, marker the model, bands one standard deviation over draws. Core-hours
    are left out where some labels took no time that was measured.

    Parameters
    ----------
    curves : DataFrame
        Of `diverse.errors.curves.learning_curves`.
    families, models : mapping
        Families of the data sets, classes of the models, in the order of the study.
    """
    style()
    if curves.empty:
        return nothing_to_draw("No model of this study was trained on sets of several sizes.")
    parts = {HOME: curves[curves["ground"] == curves["of"]]}
    parts[NEUTRAL_GROUND] = curves[curves["ground"] == NEUTRAL_GROUND]
    parts = {name: part for name, part in parts.items() if len(part)}
    costs = [x for x in COSTS if (curves[x] > 0).all()]
    shown = {f"{x} {name}": (name, x) for x in costs for name in parts}
    if not shown:
        return nothing_to_draw(NO_GROUND)
    figure, panels = ground_panels(list(shown), list(LABELS.values()))
    colours, drawn = colours_of(families, set(curves["of"])), set(curves["model"])
    marks = {name: mark for name, mark in model_marks(models).items() if name in drawn}
    for key, (name, x) in shown.items():
        panels[key][0].set_title(name)
        for axis, quantity in zip(panels[key], QUANTITIES, strict=True):
            chosen = parts[name][parts[name]["quantity"] == quantity]
            for (of, model), curve in chosen.groupby(["of", "model"], sort=False):
                banded(axis, curve, x, "error", colours[str(of)], **marks[str(model)])
            if len(chosen):
                log_places(axis, chosen[x].tolist())
            else:
                no_data(axis)
        panels[key][-1].set_xlabel(COSTS[x], fontsize=8)
    add_legend(figure, colours, marks)
    return figure


def size_panels(
    table: pd.DataFrame,
    families: Mapping[str, str],
    models: Mapping[str, str],
    x: str,
    untrained: pd.DataFrame | None = None,
) -> Figure:
    """Draw errors on every ground against the size of the model; a line joins models of a class.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.curves.model_sizes`.
    families, models : mapping
        Families of the data sets, classes of the models, in the order of the study.
    x : {"n_parameters", "nodes", "microseconds"}
        A model without nodes, or whose speed was not measured, is not drawn against them.
    untrained : DataFrame, optional
        Points of reference models, of `diverse.errors.untrained.errors_by_cost`.
    """
    style()
    table = table[table[x] > 0]
    if table.empty:
        return nothing_to_draw(NOTHING[x])
    grounds = {f"on {ground}": ground for ground in table["ground"].unique()}
    figure, panels = ground_panels(list(grounds), list(LABELS.values()))
    colours = colours_of(families, set(table["train"]))
    classes = [name for name in dict.fromkeys(models.values()) if name in set(table["class"])]
    marks = model_marks({name: name for name in classes})
    others = untrained[untrained[x] > 0] if untrained is not None else table.head(0)
    signs = _signs(others["model"].unique())
    for title, ground in grounds.items():
        for axis, quantity in zip(panels[title], QUANTITIES, strict=True):
            chosen = table[(table["ground"] == ground) & (table["quantity"] == quantity)]
            for (train, name), curve in chosen.groupby(["train", "class"], sort=False):
                banded(axis, curve, x, "error", colours[str(train)], **marks[str(name)])
            if len(chosen):
                beside = (others["ground"] == ground) & (others["quantity"] == quantity)
                _add_untrained(axis, others[beside], x, signs)
            if len(chosen) and x == "nodes":
                log_places(axis, chosen[x].tolist(), digits=4)
            elif len(chosen) and x == "microseconds":
                plain_log(axis, "xy")
                if np.divide(*axis.get_xlim()[::-1]) > FAR:
                    axis.xaxis.set_major_locator(LogLocator(base=100))
            elif len(chosen):
                decades(axis)
            else:
                no_data(axis)
    figure.supxlabel(SIZES[x], fontsize=9)
    add_legend(figure, colours, marks | signs)
    return figure


def _signs(models: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the keywords of `Axes.plot` for the point of each reference model: hollow signs."""
    signs = zip(models, cycle(["o", "s", "^", "<", ">", "h", "P", "d"]))
    look = {"fillstyle": "none", "markersize": 5, "markeredgewidth": 0.9}
    return {str(name): {"marker": sign, **look} for name, sign in signs}


def _add_untrained(
    axis: Axes, points: pd.DataFrame, x: str, signs: Mapping[str, Mapping[str, Any]]
) -> None:
    """Draw a sign for each reference model."""
    for name, point in points.groupby("model", sort=False):
        axis.plot(point[x], point["error"], color="0.2", linestyle="", **signs[str(name)])
