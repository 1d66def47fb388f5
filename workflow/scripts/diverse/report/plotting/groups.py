"""Errors of each group of the curated and published sets."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from diverse.errors.views import ZERO_FORCE_ERROR, pool_small_groups
from diverse.report.plotting.style import ERRORS, looks, model_marks, plain_log, style

ROW, MODEL = 0.06, 0.08  # inches of every row, and of every model in it
SMALLEST = 4  # cells of a group that has a row of its own


def group_dots(
    table: pd.DataFrame, families: Mapping[str, str], models: Mapping[str, str]
) -> Figure:
    """Draw the RMSE of each group: colour is the training set, marker the model family.

    Groups of fewer than 4 cells share a row: one or two cells say little of a group.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.views.group_errors`.
    families, models : mapping
        Families of the data sets (in the order of the study) and of the models that are drawn.
    """
    style()
    trains = [train for train in families if f"{train}/{next(iter(models))}" in table]
    table = pool_small_groups(table, SMALLEST)
    rows = _rows(table)
    size = (7.2, 1.2 + (ROW + MODEL * len(models)) * len(rows))
    figure, axes = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained")
    colours = {train: looks(dict(families))[train].colour for train in trains}
    for axis, (quantity, label) in zip(axes, ERRORS.items(), strict=True):
        part = table[table["quantity"] == quantity].set_index(["test", "group"])
        for place, (_, key) in enumerate(rows):
            if key:
                _row(axis, place, part.loc[key], colours, models)
        axis.set(xlabel=label, ylim=(len(rows) - 0.4, -0.6))
        plain_log(axis, "x")
        axis.grid(axis="x", linewidth=0.4, alpha=0.5)
        axis.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(rows)), [text for text, _ in rows])
    for text, (_, key) in zip(axes[0].get_yticklabels(), rows, strict=True):
        text.set_fontweight("normal" if key else "bold")
    handles = [Line2D([], [], color=c, linewidth=3, label=train) for train, c in colours.items()]
    for model, mark in model_marks(models).items():
        handles.append(Line2D([], [], color="0.3", linestyle="", label=model, **mark))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _rows(table: pd.DataFrame) -> list[tuple[str, tuple[str, str] | None]]:
    """Return text and key of each row: a test set's name (no key), then its groups."""
    rows: list[tuple[str, tuple[str, str] | None]] = []
    for test, part in table.groupby("test", sort=False):
        rows.append((f"on {test}", None))
        sizes = part.drop_duplicates("group").set_index("group")["n_cells"]
        rows += [(f"{group} ({n:,})", (str(test), str(group))) for group, n in sizes.items()]
    return rows


def _row(
    axis: Axes, place: int, errors: pd.Series, colours: Mapping[str, str], models: Mapping[str, str]
) -> None:
    """Draw one group: the models side by side, a line from the best to the worst of each.

    Errors of forces that symmetry makes zero, in labels as in predictions, are left out.
    """
    pitch = MODEL / (ROW + MODEL * len(models))
    for number, (model, mark) in enumerate(model_marks(models).items()):
        height = place + pitch * (number - (len(models) - 1) / 2)
        values = {train: errors[f"{train}/{model}"] for train in colours}
        values = {train: value for train, value in values.items() if value > ZERO_FORCE_ERROR}
        if values:
            ends = [min(values.values()), max(values.values())]
            axis.plot(ends, [height] * 2, color="0.8", linewidth=0.8, zorder=1)
        for train, value in values.items():
            axis.plot(value, height, color=colours[train], linestyle="", **mark)
