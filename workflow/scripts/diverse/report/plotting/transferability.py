"""Heat map of the transferability table."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from diverse.errors.untrained import NOT_TRAINED
from diverse.report.numbers import digits
from diverse.report.plotting.style import style, write_numbers

ROW, COLUMN = 0.17, 0.31  # inches
NAMES = 2.0  # inches, of the models beside the rows
TEXT = 6.5  # points


def transferability_heatmap(table: pd.DataFrame, trains: Sequence[str], noise: str) -> Figure:
    """Draw RMSE of energies and forces: rows model and training set, columns test set.

    Rows stand in the order of the study: model by model, and the training sets of each together;
    reference models, which were not trained here, come last.

    Parameters
    ----------
    table : DataFrame
        ``transferability.csv``.
    trains : sequence of str
        Training sets that are shown.
    noise : str
        Lines about the noise of the labels, for the foot of the figure.
    """
    style()
    panels = {"energy": "Energy RMSE (meV/atom)", "forces": "Force RMSE (meV/Å)"}
    shown = [*trains, NOT_TRAINED]
    rmse = table[(table["metric"] == "rmse") & table["train"].isin(shown)]
    models = list(rmse["model"].unique())
    places = {"model": models.index, "train": shown.index}
    rmse = rmse.sort_values(
        ["model", "train"], key=lambda names: names.map(places[str(names.name)])
    )
    tests = [c for c in rmse.columns[5:] if not c.endswith(("_low", "_high"))]
    width = max(7.2, NAMES + COLUMN * len(tests) * len(panels))
    size = (width, 1.2 + ROW * len(rmse) / len(panels))
    figure, axes = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained")
    for axis, (quantity, title) in zip(axes, panels.items(), strict=True):
        part = rmse[rmse["quantity"] == quantity]
        _heatmap(axis, part, tests)
        axis.set_title(title)
        axis.set_xlabel("tested on")
    axes[0].set_ylabel("model, trained on")
    figure.supxlabel(noise, fontsize=7, color="0.3")
    return figure


def _heatmap(axis: Axes, part: pd.DataFrame, tests: Sequence[str]) -> None:
    """Draw one quantity, the models divided by lines; reference models are one block."""
    values = part[list(tests)].to_numpy()
    some = values[values > 0] if (values > 0).any() else np.ones(1)
    norm = LogNorm(some.min(), max(some.max(), 1.001 * some.min()))
    shades = np.maximum(values, some.min())  # errors that symmetry makes zero have no logarithm
    axis.imshow(shades, norm=norm, cmap="cividis", aspect="auto")
    texts = [[digits(value) for value in row] for row in values]
    write_numbers(axis, texts, dark=norm(shades) < 0.5, size=TEXT)
    axis.set_xticks(range(len(tests)), tests, rotation=30, ha="right")
    rows = [f"{model}, {train}" for train, model in zip(part["train"], part["model"], strict=True)]
    axis.set_yticks(range(len(rows)), rows, fontsize=TEXT)
    blocks = part["model"].where(part["train"] != NOT_TRAINED, NOT_TRAINED).tolist()
    for place in range(1, len(blocks)):
        if blocks[place] != blocks[place - 1]:
            axis.axhline(place - 0.5, color="white", linewidth=2)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
