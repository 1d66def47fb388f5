"""Predicted against actual errors of the models that predict their own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from diverse.errors.calibration import OTHERS
from diverse.report.plotting.style import looks, panel_grid, style

COLUMNS = 4
KINDS = {"own test set": ("-", True), OTHERS: ("--", False)}  # line, whether markers are filled


def calibration_curves(
    table: pd.DataFrame, families: dict[str, str], models: Collection[str]
) -> Figure:
    """Draw actual against predicted errors, bin by bin, one panel a model and quantity.

    Parameters
    ----------
    table : DataFrame
        ``calibration.csv``: the columns of `diverse.errors.calibration.calibration_table` with
        ``train`` and ``model``.
    families : dict
        Family of each training set.
    models : collection of str
        The models that are drawn; those that predict no errors are left out.
    """
    style()
    table = table[table["model"].isin(models)]
    panels = list(table.groupby(["quantity", "unit", "model"], sort=True))
    handles = _legend(families, list(table["train"].unique()))
    columns = min(3, max(1, len(panels)))  # of the legend, which is no wider than the panels
    height = 0.5 + 0.2 * -(-len(handles) // columns)
    figure, axes = panel_grid(len(panels), COLUMNS, (1.8, 1.9), (0.3, height))
    for axis, ((quantity, unit, model), part) in zip(axes, panels, strict=True):
        for train, rows in part.groupby("train", sort=False):
            for test, (line, filled) in zip((train, OTHERS), KINDS.values(), strict=True):
                look, points = looks(families)[train], _points(rows[rows["test"] == test])
                face = look.colour if filled else "white"
                style_of: dict[str, Any] = {"color": look.colour, "linestyle": line, "linewidth": 1}
                style_of |= {"marker": look.marker, "markerfacecolor": face, "markersize": 4}
                axis.plot(points["predicted"], points["actual"], **style_of)
        axis.set_title(f"{model}: {quantity}\n({unit})")
        _as_predicted(axis)
    figure.supxlabel("predicted standard deviation", fontsize=9)
    figure.supylabel("actual error (root mean square)", fontsize=9)
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)
    return figure


def _points(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the bins of a group, or the whole group where it is too small for bins."""
    bins = rows[rows["bin"] > 0]
    return bins if len(bins) else rows


def _as_predicted(axis: Axes) -> None:
    """Draw the diagonal with a factor of two about it, both axes logarithmic and alike."""
    axis.set(xscale="log", yscale="log")
    low = min(axis.get_xlim()[0], axis.get_ylim()[0])
    high = max(axis.get_xlim()[1], axis.get_ylim()[1])
    axis.fill_between([low, high], [low / 2, high / 2], [2 * low, 2 * high], color="0.92", zorder=0)
    axis.plot([low, high], [low, high], color="0.4", linestyle=":", linewidth=1, zorder=1)
    axis.set(xlim=(low, high), ylim=(low, high), aspect="equal")


def _legend(families: dict[str, str], trains: list[str]) -> list[Line2D]:
    """Return a handle for each training set and each kind of test set, and the diagonal."""
    handles = [
        Line2D(
            [], [], color=look.colour, marker=look.marker, markersize=4, label=f"trained on {train}"
        )
        for train, look in looks(families).items()
        if train in trains
    ]
    for kind, (line, filled) in KINDS.items():
        look: dict[str, Any] = {"linestyle": line, "marker": "o", "markersize": 4}
        look["markerfacecolor"] = "0.4" if filled else "white"
        handles.append(Line2D([], [], color="0.4", label=kind, **look))
    return [*handles, Line2D([], [], color="0.4", linestyle=":", label="as predicted")]
