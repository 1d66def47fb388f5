"""Diversity of the data sets at equal numbers of environments."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from diverse.report.plotting.style import looks, style

TITLES = {
    "log_det": "log det",
    "effective_rank": "effective rank",
    "distinct": "distinct",
    "nn_entropy": "nearest-neighbour\nentropy",
    "quests_entropy": "QUESTS entropy",
    "quests_diversity": "QUESTS diversity",
}
COLUMNS = 4


def diversity_dots(table: pd.DataFrame, families: dict[str, str]) -> Figure:
    """Draw every measure of a set in a panel of its own: mean and two standard deviations.

    Without sets large enough for equal numbers, the whole samples are shown.
    """
    shown = "equal" if (table["environments"] == "equal").any() else "all"
    table = table[table["environments"] == shown]
    bars = 2 * table["spread"]
    return _measure_dots(
        table.assign(low=table["value"] - bars, high=table["value"] + bars), families
    )


def ablation_dots(summary: pd.DataFrame, families: dict[str, str]) -> Figure:
    """Draw every measure of every arm and other set: mean and interval over seeds."""
    return _measure_dots(summary.rename(columns={"ci_low": "low", "ci_high": "high"}), families)


def _measure_dots(table: pd.DataFrame, families: dict[str, str]) -> Figure:
    """Draw ``value`` between ``low`` and ``high``, a panel for each measure of one set."""
    style()
    single = table[(table["other"] == "") & table["measure"].isin(TITLES)]
    panels = list(single.groupby(["measure", "setting", "unit"], sort=False))
    names = list(single["dataset"].unique())
    n_rows = -(-len(panels) // COLUMNS)
    size = (7.2, n_rows * (1.1 + 0.27 * len(names)))
    figure, axes = plt.subplots(n_rows, COLUMNS, figsize=size, sharey=True, layout="constrained")
    grid = np.ravel(axes)
    for axis in grid[len(panels) :]:
        axis.set_visible(False)
    for axis, ((measure, setting, unit), block) in zip(grid, panels, strict=False):
        _dots(axis, block, names, families)
        bandwidth = f"\n{setting}" if measure.startswith("quests") else ""
        axis.set_title(TITLES[measure] + bandwidth)
        axis.set_xlabel({"1": "", "fraction": "fraction"}.get(unit, unit))
    return figure


def _dots(axis: Axes, block: pd.DataFrame, names: list[str], families: dict[str, str]) -> None:
    palette = looks({name: families[name] for name in names})
    for entry in block.to_dict("records"):
        row = names.index(entry["dataset"])
        low, high = entry["value"] - entry["low"], entry["high"] - entry["value"]
        bar = [[low], [high]] if np.isfinite([low, high]).all() else None
        axis.errorbar(entry["value"], row, xerr=bar, **palette[entry["dataset"]].dot)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", linewidth=0.4, alpha=0.5)
    axis.margins(x=0.12)
    axis.xaxis.set_major_locator(MaxNLocator(3))
    if (block["measure"] == "quests_entropy").any():
        axis.axvline(np.log(block["n"].max()), color="k", linestyle=":", linewidth=0.9)
