"""Panels by ground of test cells and by quantity, and curves with a band of the draws."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from diverse.report.plotting.style import colours, plain_log

WIDTH = 7.2  # inches
ROW = 1.55  # inches
COLUMNS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 3, 6: 3}  # of so many grounds; 4 of more
QUANTITIES = ("energy", "forces")
MANY = 12  # entries of a legend from which on its columns are few and wide
FAR = 1e3  # ratio of the largest to the smallest place from which on marks are few

NO_GROUND = "No test set of this study is home or neutral ground."


def ground_panels(
    grounds: Sequence[str], labels: Sequence[str], **options: Any
) -> tuple[Figure, dict[str, list[Axes]]]:
    """Return a figure with a column of panels for each ground, in blocks where there are many.

    Parameters
    ----------
    grounds : sequence of str
        Titles of the columns.
    labels : sequence of str
        Labels of the vertical axes of a column, from above.
    **options
        Of `matplotlib.pyplot.subplots`.
    """
    n_columns, height = COLUMNS.get(len(grounds), 4), len(labels)
    n_blocks = -(-len(grounds) // n_columns)
    size = (
        WIDTH * max(n_columns, 2.5) / 4 if n_columns < 4 else WIDTH,
        1 + ROW * height * n_blocks,
    )
    figure, axes = plt.subplots(
        height * n_blocks, n_columns, figsize=size, squeeze=False, layout="constrained", **options
    )
    found: dict[str, list[Axes]] = {}
    for number in range(n_blocks * n_columns):
        block, column = divmod(number, n_columns)
        panels = list(axes[block * height : (block + 1) * height, column])
        if number >= len(grounds):
            for axis in panels:
                axis.set_axis_off()
            continue
        found[grounds[number]] = panels
        panels[0].set_title(grounds[number])
        for axis, label in zip(panels, labels, strict=True):
            axis.tick_params(labelsize=7)
            axis.set_ylabel("" if column else label, fontsize=8)
    return figure, found


def nothing_to_draw(sentence: str) -> Figure:
    """Return a figure that holds a sentence: the study has nothing of this kind."""
    figure = plt.figure(figsize=(WIDTH, 0.6))
    figure.text(0.5, 0.5, sentence, ha="center", va="center")
    return figure


def banded(axis: Axes, curve: pd.DataFrame, x: str, y: str, colour: str, **look: Any) -> None:
    """Draw a curve and the band, of one point the line, between columns ``low`` and ``high``."""
    axis.plot(curve[x], curve[y], color=colour, **{"linewidth": 1.1, **look})
    known = curve[curve["low"].notna()]
    if len(known) == 1:
        axis.vlines(known[x], known["low"], known["high"], color=colour, linewidth=0.8)
    axis.fill_between(known[x], known["low"], known["high"], color=colour, alpha=0.15, linewidth=0)


def no_data(axis: Axes) -> None:
    """Say that a panel has nothing to show: no labels, or no group that a model has skill on."""
    axis.tick_params(which="both", left=False, bottom=False, labelleft=False, labelbottom=False)
    axis.text(0.5, 0.5, "no data", transform=axis.transAxes, ha="center", va="center", color="0.5")


def log_places(axis: Axes, places: Sequence[float], digits: int = 2) -> None:
    """Make both axes logarithmic, with marks at places of the horizontal one that lie apart.

    Over more than three decades, where they would not find room, powers of ten are marked.
    """
    plain_log(axis, "y")
    if max(places) > FAR * min(places):
        axis.set_xscale("log")
        return
    axis.set(xscale="log", xticks=_apart(sorted(set(places)), digits))
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.xaxis.set_minor_locator(NullLocator())


def decades(axis: Axes) -> None:
    """Make both axes logarithmic, the horizontal one with a number at each power of ten."""
    plain_log(axis, "y")
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator())
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.xaxis.set_minor_formatter(NullFormatter())


def _apart(places: Sequence[float], digits: int) -> list[float]:
    """Return the places, to so many digits, that are half again as large as the one before."""
    kept: list[float] = []
    for place in places:
        if not kept or place > 1.5 * kept[-1]:
            kept.append(float(f"{place:.{digits}g}"))
    return kept


def colours_of(families: Mapping[str, str], chosen: Collection[str]) -> dict[str, str]:
    """Return the colours of chosen data sets, in the order of the study's `families`."""
    return {name: colour for name, colour in colours(dict(families)).items() if name in chosen}


def add_legend(
    figure: Figure, named: Mapping[str, str], marks: Mapping[str, Mapping[str, Any]]
) -> None:
    """Name the colour of each training set and the marker of each model above the panels."""
    handles = [Line2D([], [], color=c, linewidth=3, label=name) for name, c in named.items()]
    for name, mark in marks.items():
        handles.append(Line2D([], [], color="0.3", **{"linestyle": "", **mark}, label=name))
    columns = 7 if len(handles) < MANY else 5
    columns = min(len(handles), columns, int(figure.get_figwidth()))  # an inch each
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)
