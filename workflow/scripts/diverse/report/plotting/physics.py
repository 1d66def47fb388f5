"""Deviations of physical properties from their references."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from diverse.report.plotting.style import looks, style

WIDTH, ROW = 7.2, 0.28  # inches
LIMIT = 1.0  # deviations beyond it are drawn at the edge, as triangles
OTHERS = ["1", "2", "3", "4", "+", "x"]  # markers of potentials that were not trained here


def deviations(table: pd.DataFrame, families: Mapping[str, str]) -> Figure:
    """Draw the relative deviation of every potential from the reference, a row a property.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.physics.table.collect_properties`.
    families : mapping
        Family of each data set, in the order of the study.
    """
    style()
    rows = table[(table["potential"] != table["against"]) & table["difference"].notna()]
    rows = rows[rows["reference"] != 0]
    names = list(dict.fromkeys(rows["property"]))
    figure, axes = plt.subplots(figsize=(WIDTH, 1.4 + ROW * len(names)), layout="constrained")
    shown = looks(dict(families))
    others = iter(OTHERS * len(table))
    for (train, potential), part in _series(rows):
        relative = (part["difference"] / part["reference"].abs()).clip(-LIMIT, LIMIT)
        heights = [names.index(name) for name in part["property"]]
        if train:
            axes.scatter(relative, heights, s=22, label=train, **shown[train].points)
        else:
            axes.scatter(relative, heights, s=40, c="0.3", marker=next(others), label=potential)
    axes.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    axes.set_xlabel("deviation from the reference, over it (beyond ±1: at the edge)")
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if unique:
        figure.legend(unique.values(), unique.keys(), loc="outside upper center", ncols=4)
    return figure


def _series(rows: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return training set and name of each potential with its rows, in the order of the table."""
    rows = rows.fillna({"train": ""})
    groups = rows.groupby(["train", "potential"], sort=False)
    return [((str(train), str(potential)), part) for (train, potential), part in groups]
