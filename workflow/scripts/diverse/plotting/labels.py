"""How good the labels are: convergence."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from diverse.convergence import MEASURES, summarise_errors
from diverse.plotting.style import style

FLOORS = {"energy": 0.1, "force": 0.1, "stress_corrected": 0.001}
SIZES = [(1, 2, "^"), (3, 4, "o"), (5, 1000, "s")]


def convergence_strips(errors: pd.DataFrame) -> Figure:
    """Draw the differences of every variant, one point a cell; those below an axis lie on it."""
    style()
    variants = list(errors["variant"].unique())
    figure, axes = plt.subplots(len(FLOORS), 1, figsize=(7.2, 6), sharex=True, layout="constrained")
    for axis, (measure, floor) in zip(axes, FLOORS.items(), strict=True):
        for column, (low, high, marker) in enumerate(SIZES):
            part = errors[errors["atoms"].between(low, high)]
            place = part["variant"].map(variants.index) + 0.2 * (column - 1)
            name = f"{low}-{high} atoms" if high < 1000 else f"{low} atoms or more"
            values = part[measure].abs().clip(lower=floor)
            axis.plot(place, values, marker, color=f"C{column}", ms=4, label=name)
        overall = summarise_errors(errors)[measure].clip(lower=floor)
        axis.plot(range(len(variants)), overall, "_", color="k", ms=22, label="root mean square")
        axis.set(yscale="log", ylabel=MEASURES[measure])
    axes[0].legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes[-1].set_xticks(range(len(variants)), variants)
    return figure
