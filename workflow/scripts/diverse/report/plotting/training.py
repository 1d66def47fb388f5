"""Loss curves of the networks."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from diverse.report.plotting.style import colours, style


def training_curves(
    histories: dict[tuple[str, str, str], pd.DataFrame], families: dict[str, str]
) -> Figure:
    """Draw training (solid) and validation (dashed) loss of every (train, model, seed).

    Networks trained on subsets, which have no family, are left out.
    """
    style()
    figure, axis = plt.subplots(figsize=(5, 3.2), layout="constrained")
    palette = colours(families)
    histories = {key: history for key, history in histories.items() if key[0] in families}
    for (train, _, _), history in histories.items():
        line: dict[str, Any] = {"color": palette[train], "linewidth": 0.9}
        axis.plot(history["epoch"], history["training_loss"], **line)
        axis.plot(history["epoch"], history["validation_loss"], linestyle="--", **line)
    for train in dict.fromkeys(train for train, _, _ in histories):
        axis.plot([], [], color=palette[train], label=train)
    axis.set(xlabel="epoch", ylabel="loss (solid: training, dashed: validation)", yscale="log")
    axis.legend(title="trained on")
    return figure
