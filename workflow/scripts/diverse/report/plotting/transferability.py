"""Heat map of the transferability table."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from diverse.report.numbers import digits
from diverse.report.plotting.style import style, write_numbers


def transferability_heatmap(table: pd.DataFrame, trains: Sequence[str], noise: str) -> Figure:
    """Draw RMSE of energies and forces: rows training set and model, columns test set.

    Only models trained on `trains` are shown; `noise`, lines about the noise of the labels,
    stands at the foot.
    """
    style()
    panels = {"energy": "Energy RMSE (meV/atom)", "forces": "Force RMSE (meV/Å)"}
    rmse = table[(table["metric"] == "rmse") & table["train"].isin(trains)]
    n_rows = len(rmse) // len(panels)
    figure, axes = plt.subplots(
        1, 2, figsize=(7.5, 1.5 + 0.32 * n_rows), sharey=True, layout="constrained"
    )
    for axis, (quantity, title) in zip(axes, panels.items(), strict=True):
        part = rmse[rmse["quantity"] == quantity].sort_values("model", kind="stable")
        tests = [c for c in part.columns[5:] if not c.endswith(("_low", "_high"))]
        _heatmap(axis, part, tests)
        axis.set_title(title)
        axis.set_xlabel("tested on")
    axes[0].set_ylabel("trained on: model")
    figure.supxlabel(noise, fontsize=7, color="0.3")
    return figure


def _heatmap(axis: Axes, part: pd.DataFrame, tests: Sequence[str]) -> None:
    values = part[list(tests)].to_numpy()
    norm = LogNorm(values.min(), values.max())
    axis.imshow(values, norm=norm, cmap="cividis", aspect="auto")
    texts = [[digits(value) for value in row] for row in values]
    write_numbers(axis, texts, dark=norm(values) < 0.5)
    axis.set_xticks(range(len(tests)), tests, rotation=30, ha="right")
    rows = [f"{train}: {model}" for train, model in zip(part["train"], part["model"], strict=True)]
    axis.set_yticks(range(len(rows)), rows)
    axis.spines[:].set_visible(False)
