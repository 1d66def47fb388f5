"""Regularisation paths of the polynomial fits."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from diverse.report.plotting.style import looks, panel_grid, style

COLUMNS = 3  # panels in a row


def ridge_paths(paths: dict[tuple[str, str], pd.DataFrame], families: dict[str, str]) -> Figure:
    """Draw the error on folds left out against the ridge strength, one panel a model.

    Parameters
    ----------
    paths : dict
        ``Fit.path`` of every (train, model); those with a given ridge have no errors to draw.
    families : dict
        Family of each data set; fits to subsets, which have none, are left out.
    """
    style()
    searched = {name: path for name, path in paths.items() if "criterion" in path} or paths
    models = list(dict.fromkeys(model for _, model in searched))
    figure, axes = panel_grid(len(models), COLUMNS, (2, 1.8), (1.2, 0.5))
    look = looks(families)
    for axis, model in zip(axes, models, strict=True):
        for (train, name), path in paths.items():
            if name == model and train in families and "criterion" in path:
                chosen = path[path["chosen"]]
                axis.plot(path["ridge"], path["criterion"], label=train, **look[train].curve)
                axis.plot(chosen["ridge"], chosen["criterion"], **_point(look[train].dot))
        axis.set(title=model, xscale="log", yscale="log")
        axis.tick_params(labelsize=7)
    figure.supxlabel("ridge strength", fontsize=9)
    figure.supylabel("RMSE(E) × RMSE(F)\non folds left out (eV²/Å)", fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="trained on", loc="outside right upper")
    return figure


def _point(dot: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords of `Axes.plot` among those of `Axes.errorbar`."""
    return {
        "marker": dot["fmt"],
        "color": dot["color"],
        "markerfacecolor": dot["markerfacecolor"],
        "markersize": dot["markersize"],
    }
