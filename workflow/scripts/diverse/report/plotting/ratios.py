"""Errors with every training set over errors with the reference set, on every ground."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from diverse.errors.effects import POOLED, POOLED_MODERN
from diverse.errors.ground import CLOSEST, NO_SKILL
from diverse.errors.theta import DECISIVE
from diverse.errors.untrained import NOT_TRAINED
from diverse.report.plotting.style import CLASS_MARKERS, looks, plain_log, style

WIDTH, ROW = 7.2, 0.21  # inches
UNTRAINED_COLOUR = "0.3"
TITLES = {"energy": "MAE of energies", "forces": "RMSE of forces"}
CLASS_NAMES = {"A": "network, type A", "B": "network, type B", "pod": "POD", "ace": "ACE"}
POOLED_NAMES = {POOLED: "neutral ground", POOLED_MODERN: "the same, modern forms too"}
Key = tuple[str, str, str]  # training set, test set, relation; a title has only the first


def ratio_dots(effects: pd.DataFrame, ratios: pd.DataFrame, families: Mapping[str, str]) -> Figure:
    """Draw forms as dots and theta as a bar: a block of rows for each training set.

    Parameters
    ----------
    effects, ratios : DataFrame
        Of `diverse.errors.effects.measure_effects`; after the effects of training sets those of
        reference models (`diverse.errors.untrained.neighbours_of_ratios`), if there are any.
    families : mapping
        Family of each data set, in the order of the study.
    """
    style()
    effects = effects[effects["metric"] == effects["quantity"].map(DECISIVE)]
    rows = _rows(effects)
    size = (WIDTH, 1.3 + ROW * len(rows))
    figure, axes = plt.subplots(1, len(TITLES), figsize=size, sharey=True, layout="constrained")
    colours = {name: look.colour for name, look in looks(dict(families)).items()}
    colours[NOT_TRAINED] = UNTRAINED_COLOUR
    for axis, (quantity, title) in zip(axes, TITLES.items(), strict=True):
        means, dots = (table[table["quantity"] == quantity] for table in (effects, ratios))
        _panel(axis, rows, means, dots, colours)
        axis.set_title(title)
    axes[0].set_yticks(range(len(rows)), [_label(key, effects) for key in rows])
    for text, (_, test, relation) in zip(axes[0].get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if test in ("", *POOLED_NAMES) else "normal")
        text.set_color("0.5" if relation == NO_SKILL else "k")
    figure.supxlabel(_axis_title(effects), fontsize=9)
    handles = [
        Line2D([], [], color="0.3", linestyle="", marker=CLASS_MARKERS[kind], markersize=4.5)
        for kind in ratios["class"].unique()
    ]
    handles.append(Line2D([], [], color="0.3", linewidth=5, alpha=0.35))
    names = [CLASS_NAMES.get(kind, kind) for kind in ratios["class"].unique()]
    figure.legend(handles, [*names, "mean over forms, 95 %"], loc="outside upper center", ncols=5)
    return figure


def _rows(effects: pd.DataFrame) -> list[Key]:
    """Return the rows from top to bottom: each training set's title, then home to no skill."""
    order = [*CLOSEST, NO_SKILL]
    keys: list[Key] = []
    for train, part in effects.groupby("train", sort=False):
        found = list(dict.fromkeys(zip(part["test"], part["relation"], strict=True)))
        found.sort(key=lambda key: (order.index(key[1]), key[0] in POOLED_NAMES))
        keys += [(str(train), "", ""), *((str(train), test, kind) for test, kind in found)]
    return keys


def _axis_title(effects: pd.DataFrame) -> str:
    """Return what the ratios are over."""
    if effects.empty:
        return "no two training sets have errors on the same test cells"
    reference = effects["reference"].iloc[0]
    return f"over that of models trained on {reference} (above 1: {reference} is better)"


def _label(key: Key, effects: pd.DataFrame) -> str:
    """Return the text beside a row."""
    train, test, relation = key
    if not test:
        return f"{train} / {effects['reference'].iloc[0]}"
    return POOLED_NAMES.get(test, f"{test} ({relation})")


def _panel(
    axis: Axes,
    rows: list[Key],
    means: pd.DataFrame,
    dots: pd.DataFrame,
    colours: Mapping[str, str],
) -> None:
    """Draw one quantity: forms below each other within a row, by class."""
    axis.axvline(1, color="0.5", linewidth=0.8, zorder=0)
    kinds = list(dots["class"].unique())
    for row in means.itertuples():
        place = rows.index((row.train, row.test, row.relation))
        colour = "0.5" if row.relation == NO_SKILL else colours[row.train]
        axis.plot([row.effect] * 2, [place - 0.42, place + 0.42], color=colour, linewidth=1.3)
        axis.hlines(place, row.ci_low, row.ci_high, color=colour, linewidth=8, alpha=0.3)
    for number, kind in enumerate(kinds):
        part = dots[dots["class"] == kind]
        shift = 0.6 * ((number + 0.5) / len(kinds) - 0.5)
        places = [
            rows.index(key) + shift
            for key in zip(part["train"], part["test"], part["relation"], strict=True)
        ]
        axis.scatter(
            part["ratio"],
            places,
            c=[colours[train] for train in part["train"]],
            marker=CLASS_MARKERS[kind],
            s=28 if CLASS_MARKERS[kind] == "*" else 15,
            edgecolors="w",
            linewidths=0.4,
            zorder=3,
        )
    axis.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    plain_log(axis, "x")
