"""One look for every figure: colour is the training family, marker the family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

# Okabe-Ito colours, ordered from dark to light so that they stay apart in greyscale.
COLOURS = {
    "expert": "#0072B2",
    "entropy": "#D55E00",
    "random": "#E69F00",
    "literature": "#009E73",
}
MARKERS = {"expert": "s", "entropy": "o", "random": "^", "literature": "D"}
OTHER_COLOURS = ["#CC79A7", "#56B4E9", "#000000", "#999999"]
LINES = ["-", "--", "-.", ":"]
MODEL_MARKERS = {"linear": "v", "quadratic": "p", "network": "*", "pod": "D", "ace": "h"}
CLASS_MARKERS = MODEL_MARKERS | {"A": "*", "B": "X"}
FILLS = ["full", "none", "left", "right", "top", "bottom"]
ERRORS = {"energy": "energy RMSE (meV/atom)", "forces": "force RMSE (meV/Å)"}


@dataclass(frozen=True)
class Look:
    """Look of one data set; a second set of a family has open markers and another colour."""

    colour: str
    marker: str
    filled: bool
    line: str

    @property
    def points(self) -> dict[str, Any]:
        """Keywords of `Axes.scatter`."""
        face = self.colour if self.filled else "none"
        return {"marker": self.marker, "facecolors": face, "edgecolors": self.colour}

    @property
    def curve(self) -> dict[str, Any]:
        """Keywords of `Axes.plot` and `Axes.step`."""
        return {"color": self.colour, "linestyle": self.line, "linewidth": 1.4}

    @property
    def dot(self) -> dict[str, Any]:
        """Keywords of `Axes.errorbar` for one value."""
        face = self.colour if self.filled else "none"
        return {
            **{"fmt": self.marker, "color": self.colour, "markerfacecolor": face},
            **{"markersize": 5, "capsize": 2.5, "elinewidth": 1.1},
        }


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


def panel_grid(
    number: int,
    columns: int,
    panel: tuple[float, float],
    margin: tuple[float, float],
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels, in rows of at most `columns`.

    Parameters
    ----------
    panel, margin : tuple of float, inches
        Width and height of one panel, and of what stands about all of them.
    **options
        Of `matplotlib.pyplot.subplots`.
    """
    n_columns = min(columns, max(1, number))
    n_rows = -(-max(1, number) // n_columns)
    size = (margin[0] + panel[0] * n_columns, margin[1] + panel[1] * n_rows)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=size, squeeze=False, layout="constrained", **options
    )
    for axis in axes.flat[number:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:number])


def looks(families: dict[str, str]) -> dict[str, Look]:
    """Return the look of each data set, given its family."""
    others = iter(OTHER_COLOURS * len(families))
    seen: set[str] = set()
    chosen: dict[str, Look] = {}
    for index, (name, family) in enumerate(families.items()):
        colour = next(others) if family in seen else COLOURS[family]
        line = LINES[index % len(LINES)]
        chosen[name] = Look(colour, MARKERS[family], family not in seen, line)
        seen.add(family)
    return chosen


def colours(families: dict[str, str]) -> dict[str, str]:
    """Return the colour of each data set, given its family."""
    return {name: look.colour for name, look in looks(families).items()}


def model_marks(models: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the keywords of `Axes.plot` for the points of each model, given its family or class.

    Further models of a family have the same marker, filled in another way.
    """
    markers = MODEL_MARKERS | CLASS_MARKERS
    fills = {family: cycle(FILLS) for family in markers}
    return {
        name: {
            "marker": markers[family],
            "fillstyle": next(fills[family]),
            "markersize": 6 if markers[family] == "*" else 4.5,
            "markeredgewidth": 0.7,
        }
        for name, family in models.items()
    }


def plain_log(axes: Axes, which: str) -> None:
    """Make axes ("x", "y" or "xy") logarithmic, with a few plain numbers for what is drawn."""
    for letter in which:
        axes.set(**{f"{letter}scale": "log"})
        axis: Axis = getattr(axes, f"{letter}axis")
        axis.set_major_locator(FixedLocator(round_numbers(*axis.get_view_interval())))
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_locator(NullLocator())


def round_numbers(low: float, high: float) -> list[float]:
    """Return the roundest three numbers or more between two positive ones."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    inside: list[float] = []
    coarse = [[1.0], [1.0, 3.0], [1.0, 2.0, 5.0], [1.0, 2.0, 3.0, 5.0]]
    coarse += [[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], [1.0, 1.2, 1.5, 2.0, 2.5, *range(3, 10)]]
    for steps in (*coarse, np.arange(1, 10, 0.2), np.arange(1, 10, 0.05)):
        inside = [float(x) for x in np.outer(decades, np.array(steps)).flat if low <= x <= high]
        if len(inside) >= 3:
            break
    return inside


def write_numbers(
    axis: Axes, texts: list[list[str]], dark: list[list[bool]], size: float = 9
) -> None:
    """Write a text of a size (points) on every tile of a heat map, white where the tile is dark."""
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            colour = "w" if dark[row][column] else "k"
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
