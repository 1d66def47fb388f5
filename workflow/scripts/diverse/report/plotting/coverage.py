"""Heat maps of how well each data set is covered by each other one."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from diverse.diversity.measures import DUPLICATE
from diverse.report.numbers import digits
from diverse.report.plotting.style import style, write_numbers

TEXT = 6.5  # points


def coverage_heatmaps(table: pd.DataFrame) -> Figure:
    """Draw QUESTS overlap for each bandwidth, and the nearest-neighbour distance.

    Covering sets are thinned to equal numbers of environments, where the table holds these;
    otherwise the whole samples are compared.
    """
    style()
    pairs = table[table["other"] != ""]
    shown = "equal" if (pairs["environments"] == "equal").any() else "all"
    pairs = pairs[pairs["environments"] == shown]
    panels = list(pairs.groupby(["measure", "setting"], sort=False))
    panels.sort(key=lambda panel: panel[0][0] != "quests_overlap")
    rows = pairs["dataset"].nunique()
    size = (7.2, 1.5 + 0.3 * rows)
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, layout="constrained")
    for axis, ((measure, setting), block) in zip(np.atleast_1d(axes), panels, strict=True):
        _matrix(axis, block, overlap=measure == "quests_overlap")
        what = "QUESTS overlap" if measure == "quests_overlap" else "nearest distance"
        axis.set_title(f"{what}\n({setting.split(', dH')[0]})")
        axis.set_xlabel("covered by")
    np.atleast_1d(axes)[0].set_ylabel("environments of")
    return figure


def _matrix(axis: Axes, block: pd.DataFrame, *, overlap: bool) -> None:
    """Draw one matrix; darker is better covered."""
    values = block.pivot(index="dataset", columns="other", values="value")
    values = values.loc[block["dataset"].unique(), block["other"].unique()]
    tiles = values.to_numpy()
    shades = tiles if overlap else np.maximum(tiles, DUPLICATE)  # a set may hold copies of another
    norm = Normalize(0, 1) if overlap else _logarithmic(shades[np.isfinite(shades)])
    axis.imshow(shades, norm=norm, cmap="cividis_r" if overlap else "cividis", aspect="auto")
    dark = norm(shades) > 0.5 if overlap else norm(shades) < 0.5
    texts = [[_share(x) if overlap else digits(x, 2) for x in row] for row in tiles]
    write_numbers(axis, texts, dark=dark, size=TEXT)
    sizes = block.groupby("dataset")["n"].first()
    axis.set_xticks(range(len(values.columns)), values.columns, rotation=45, ha="right")
    axis.tick_params(length=0)
    axis.set_yticks(range(len(values)), [f"{name} ({sizes[name]})" for name in values.index])
    axis.spines[:].set_visible(False)


def _share(value: float) -> str:
    """Write a share of 1 in two decimals without its leading zero; 0 and 1 as such."""
    return f"{value:.0f}" if value in (0, 1) else f"{value:.2f}".lstrip("0")


def _logarithmic(distances: np.ndarray) -> LogNorm:
    """Return colours over at least a factor of two."""
    low, high = (distances.min(), distances.max()) if distances.size else (1.0, 1.0)
    return LogNorm(low, max(high, 2 * low))
