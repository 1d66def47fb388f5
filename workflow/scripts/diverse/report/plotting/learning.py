"""Learning curves: errors against the number of training environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from diverse.report.plotting.style import ERRORS, LINES, looks, model_marks, plain_log, style

COLUMNS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 3, 6: 3}  # of so many test sets; 4 of more


def learning_curve_panels(curves: pd.DataFrame, families: Mapping[str, str]) -> Figure:
    """Draw energy (above) and force RMSE (below), one column a test set.

    Colour is the training set, marker the model, line the way cells were chosen; bars are bootstrap
    intervals over the test cells.

    Parameters
    ----------
    curves : DataFrame
        Of `diverse.errors.views.learning_curves`.
    families : mapping
        Families of the data sets, in the order of the study.
    """
    style()
    tests = [name for name in families if (curves["test"] == name).any()]
    n_columns = COLUMNS.get(len(tests), 4)
    n_blocks = -(-len(tests) // n_columns)
    size = (1 + 6.2 * n_columns / max(n_columns, 3), 1.2 + 3.2 * n_blocks)
    shape = (2 * n_blocks, n_columns)
    figure, axes = plt.subplots(*shape, figsize=size, squeeze=False, layout="constrained")
    looked = {name: look.colour for name, look in looks(dict(families)).items()}
    for number in range(n_blocks * n_columns):
        block, column = divmod(number, n_columns)
        for row, (quantity, label) in zip((2 * block, 2 * block + 1), ERRORS.items(), strict=True):
            axis = axes[row, column]
            if number >= len(tests):
                axis.set_visible(False)
                continue
            chosen = (curves["test"] == tests[number]) & (curves["quantity"] == quantity)
            _panel(axis, curves[chosen], looked, _marks(curves), _lines(curves))
            axis.set_ylabel("" if column else label)
            if quantity == "energy":
                axis.set_title(f"on {tests[number]}")
    figure.supxlabel("training environments", fontsize=9)
    handles = _legend(curves, looked)
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 5))
    return figure


def _panel(
    axis: Axes,
    curves: pd.DataFrame,
    colours: Mapping[str, str],
    marks: Mapping[str, dict[str, Any]],
    lines: Mapping[str, Any],
) -> None:
    for (of, method, model), curve in curves.groupby(["of", "method", "model"], sort=False):
        value = curve["value"].to_numpy()
        spread = np.array([value - curve["ci_low"], curve["ci_high"] - value]).clip(min=0)
        axis.errorbar(
            curve["train_environments"],
            value,
            yerr=spread if np.isfinite(spread).all() else None,
            elinewidth=0.7,
            color=colours[str(of)],
            linestyle=lines[str(method)],
            linewidth=1.1,
            **marks[str(model)],
        )
    axis.tick_params(labelsize=7)
    plain_log(axis, "y")
    axis.set(xscale="log", xticks=_apart(sorted(set(curves["train_environments"]))))
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.xaxis.set_minor_locator(NullLocator())


def _apart(sizes: Sequence[float]) -> list[float]:
    """Return the sizes that are a fifth larger than the one before, to three digits."""
    kept: list[float] = []
    for size in sizes:
        if not kept or size > 1.2 * kept[-1]:
            kept.append(float(f"{size:.2g}"))
    return kept


def _marks(curves: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return model_marks(dict(zip(curves["model"], curves["family"], strict=True)))


def _lines(curves: pd.DataFrame) -> dict[str, Any]:
    """Return the line style of each way of choosing cells; random is solid."""
    methods = sorted(set(curves["method"]), key=lambda method: (method != "random", method))
    return dict(zip(methods, LINES, strict=False))


def _legend(curves: pd.DataFrame, colours: Mapping[str, str]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=colour, linewidth=3, label=of)
        for of, colour in colours.items()
        if (curves["of"] == of).any()
    ]
    for model, mark in _marks(curves).items():
        handles.append(Line2D([], [], color="0.3", linestyle="", label=model, **mark))
    for method, line in _lines(curves).items():
        label = f"{method.replace('_', ' ')} subsets"
        handles.append(Line2D([], [], color="0.3", linestyle=line, label=label))
    return handles
