"""Loss curves of the networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diverse.report.plotting.style import colours, panel_grid, plain_log, style

COLUMNS = 3  # panels in a row
WINDOW = 0.02  # of the training, over which a loss is smoothed by its median
UNLIKE = 5  # ratio of the most to the fewest epochs from which on their axis is logarithmic


def training_curves(
    histories: Mapping[tuple[str, str, str], pd.DataFrame], families: dict[str, str]
) -> Figure:
    """Draw the validation loss of every network against the epoch, one panel a model.

    A line is the median over the seeds of a training set, the band about it reaches from the lowest
    to the highest of them, the dotted line is the training loss; all are smoothed by a running
    median. Networks trained on subsets, which have no family, are left out. The axis of epochs is
    logarithmic where sets of very different size were trained for as many steps.

    Parameters
    ----------
    histories : mapping
        History of every (train, model, seed).
    families : dict
        Family of each training set, in the order of the study.
    """
    style()
    palette = colours(families)
    models = list(dict.fromkeys(model for train, model, _ in histories if train in families))
    ends = [h["epoch"].iloc[-1] for (train, _, _), h in histories.items() if train in families]
    figure, axes = panel_grid(len(models), COLUMNS, (2, 1.9), (1.2, 0.6), sharey=True)
    for axis, model in zip(axes, models, strict=True):
        for train, colour in palette.items():
            members = [h for (t, m, _), h in histories.items() if (t, m) == (train, model)]
            if members:
                _curve(axis, members, colour, train)
        axis.set(title=model, yscale="log")
        if max(ends) > UNLIKE * min(ends):
            plain_log(axis, "x")
        axis.tick_params(labelsize=7)
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("loss (dotted: training)", fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="trained on", loc="outside right upper")
    return figure


def _curve(axis: Axes, members: Sequence[pd.DataFrame], colour: str, label: str) -> None:
    """Draw the seeds of one model on one training set."""
    validation, training = (
        np.array([_smooth(history[f"{part}_loss"]) for history in members])
        for part in ("validation", "training")
    )
    x = members[0]["epoch"]
    axis.fill_between(x, validation.min(axis=0), validation.max(axis=0), color=colour, alpha=0.25)
    axis.plot(x, np.median(validation, axis=0), color=colour, linewidth=1.1, label=label)
    axis.plot(x, np.median(training, axis=0), color=colour, linewidth=0.9, linestyle=":")


def _smooth(loss: pd.Series) -> np.ndarray:
    """Return the running median of a loss over the training."""
    window = max(1, round(WINDOW * len(loss)))
    return loss.rolling(window, center=True, min_periods=1).median().to_numpy()
