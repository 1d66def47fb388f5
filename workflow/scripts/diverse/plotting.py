"""One look for every figure: colour is the training family, marker the model family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

# Okabe-Ito colours, ordered from dark to light so that they stay apart in greyscale.
COLOURS = {"expert": "#0072B2", "random": "#E69F00", "entropy": "#D55E00", "literature": "#009E73"}
MARKERS = {"expert": "s", "random": "^", "entropy": "o", "literature": "D"}
OTHER_COLOURS = ["#CC79A7", "#56B4E9", "#999999"]


def style() -> None:
    """Set the style of all figures: readable at column width."""
    plt.rcParams.update(
        {
            "figure.dpi": 150,
            "savefig.dpi": 150,
            "font.size": 9,
            "axes.titlesize": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "legend.fontsize": 8,
        }
    )


def colours(families: dict[str, str]) -> dict[str, str]:
    """Return a colour for each data set: its family's, or a free one for a second of a family."""
    others = iter(OTHER_COLOURS * len(families))
    chosen: dict[str, str] = {}
    for name, family in families.items():
        taken = COLOURS.get(family) in chosen.values()
        chosen[name] = next(others) if taken else COLOURS[family]
    return chosen


def transferability_heatmap(table: pd.DataFrame) -> Figure:
    """Draw RMSE of energies and forces: rows training set and model, columns test set."""
    style()
    panels = {"energy": "Energy RMSE (meV/atom)", "forces": "Force RMSE (meV/Å)"}
    rmse = table[table["metric"] == "rmse"]
    n_rows = len(rmse) // len(panels)
    figure, axes = plt.subplots(
        1, 2, figsize=(7.5, 1.3 + 0.32 * n_rows), sharey=True, layout="constrained"
    )
    for axis, (quantity, title) in zip(axes, panels.items(), strict=True):
        part = rmse[rmse["quantity"] == quantity].sort_values("model", kind="stable")
        tests = [c for c in part.columns[5:] if not c.endswith(("_low", "_high"))]
        _heatmap(axis, part, tests)
        axis.set_title(title)
        axis.set_xlabel("tested on")
    axes[0].set_ylabel("trained on: model")
    return figure


def _heatmap(axis: Axes, part: pd.DataFrame, tests: Sequence[str]) -> None:
    values = part[list(tests)].to_numpy()
    norm = LogNorm(values.min(), values.max())
    axis.imshow(values, norm=norm, cmap="cividis", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        dark = norm(value) < 0.5
        axis.text(column, row, _number(value), ha="center", va="center", color="w" if dark else "k")
    axis.set_xticks(range(len(tests)), tests, rotation=30, ha="right")
    rows = [f"{train}: {model}" for train, model in zip(part["train"], part["model"], strict=True)]
    axis.set_yticks(range(len(rows)), rows)
    axis.spines[:].set_visible(False)


def _number(value: float) -> str:
    """Write three significant digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def dataset_comparison(
    cells: dict[str, list[Atoms]],
    families: dict[str, str],
    descriptors: dict[str, np.ndarray],
    summary: pd.DataFrame,
) -> Figure:
    """Draw a PCA map of environments, d_min, energy against volume, and diversity measures."""
    style()
    figure, axes = plt.subplots(2, 2, figsize=(7.5, 6), layout="constrained")
    pooled = np.concatenate(list(descriptors.values()))
    scale = pooled.std(axis=0)
    _, _, principal = np.linalg.svd((pooled - pooled.mean(axis=0)) / scale, full_matrices=False)
    palette = colours(families)
    for name, members in cells.items():
        look: dict[str, Any] = {"color": palette[name], "label": name}
        marker = MARKERS[families[name]]
        projected = (descriptors[name] - pooled.mean(axis=0)) / scale @ principal[:2].T
        axes[0, 0].scatter(*projected.T, s=9, alpha=0.7, marker=marker, **look)
        d_min = np.sort([c.info["d_min"] for c in members])
        axes[0, 1].step(d_min, np.arange(1, len(d_min) + 1) / len(d_min), where="post", **look)
        volume = [c.get_volume() / len(c) for c in members]
        energy = [c.get_potential_energy(force_consistent=True) / len(c) for c in members]
        axes[1, 0].scatter(volume, energy, s=14, alpha=0.8, marker=marker, **look)
        row = summary[summary["dataset"] == name].iloc[0]
        bar = {"color": look["color"], "edgecolor": "k", "linewidth": 0.6}
        axes[1, 1].bar(name, row["log_det"], **bar)
    axes[0, 0].set(xlabel="principal component 1", ylabel="principal component 2")
    axes[0, 0].set_title("environments (standardised descriptors)")
    axes[0, 0].legend()
    axes[0, 1].set(xlabel="shortest distance in the cell (Å)", ylabel="fraction of cells")
    axes[1, 0].set(xlabel="volume per atom (Å$^3$)", ylabel="free energy (eV/atom)")
    axes[1, 1].set_ylabel("log det of whitened covariance")
    axes[1, 1].tick_params(axis="x", rotation=20)
    return figure


def training_curves(
    histories: dict[tuple[str, str, str], pd.DataFrame], families: dict[str, str]
) -> Figure:
    """Draw training (solid) and validation (dashed) loss of every (train, model, seed)."""
    style()
    figure, axis = plt.subplots(figsize=(5, 3.2), layout="constrained")
    palette = colours(families)
    for (train, _, _), history in histories.items():
        line: dict[str, Any] = {"color": palette[train], "linewidth": 0.9}
        axis.plot(history["epoch"], history["training_loss"], **line)
        axis.plot(history["epoch"], history["validation_loss"], linestyle="--", **line)
    for train in dict.fromkeys(train for train, _, _ in histories):
        axis.plot([], [], color=palette[train], label=train)
    axis.set(xlabel="epoch", ylabel="loss (solid: training, dashed: validation)", yscale="log")
    axis.legend(title="trained on")
    return figure
