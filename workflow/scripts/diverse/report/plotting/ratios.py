"""Errors of every training set over errors of the reference set, model by model."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diverse.report.plotting.style import Look, looks, plain_log, style

ROW = 0.075  # inches of every training set of a model
QUANTITIES = {"energy": "energies", "forces": "forces"}


def ratio_dots(ratios: pd.DataFrame, families: Mapping[str, str]) -> Figure:
    """Draw each ratio and its interval: a column for each test set, a row for each model.

    Parameters
    ----------
    ratios : DataFrame
        Of `diverse.errors.ratios.error_ratios`.
    families : mapping
        Family of each data set, in the order of the study.
    """
    style()
    tests, models = ratios["test"].unique(), list(ratios["model"].unique())
    trains, reference = list(ratios["train"].unique()), ratios["reference"].iloc[0]
    size = (1.0 + 1.25 * len(tests), 1.2 + 2 * (0.5 + ROW * (len(trains) + 1) * len(models)))
    figure, axes = plt.subplots(
        len(QUANTITIES), len(tests), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for row, (quantity, name) in zip(axes, QUANTITIES.items(), strict=True):
        row[0].set_ylabel(f"RMSE of {name}")
        for axis, test in zip(row, tests, strict=True):
            chosen = (ratios["quantity"] == quantity) & (ratios["test"] == test)
            _panel(axis, ratios[chosen], models, {t: looks(dict(families))[t] for t in trains})
    for axis, test in zip(axes[0], tests, strict=True):
        axis.set_title(f"on {test}")
    figure.supxlabel(f"over that of the same model trained on {reference}", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(trains))
    return figure


def _panel(axis: Axes, part: pd.DataFrame, models: list[str], drawn: Mapping[str, Look]) -> None:
    """Draw one test set: the training sets of a model one above the other."""
    axis.axvline(1, color="0.5", linewidth=0.8, zorder=0)
    for number, (train, look) in enumerate(drawn.items()):
        rows = part[part["train"] == train]
        shift = (number - (len(drawn) - 1) / 2) / (len(drawn) + 1)
        places = [models.index(model) + shift for model in rows["model"]]
        axis.hlines(places, rows["ci_low"], rows["ci_high"], color=look.colour, linewidth=1.1)
        dots = {**look.dot, "markersize": 3.5}
        axis.errorbar(rows["ratio"], places, label=f"trained on {train}", **dots)
    axis.set_yticks(range(len(models)), models)
    axis.set_ylim(len(models) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", labelsize=7)
    plain_log(axis, "x")
