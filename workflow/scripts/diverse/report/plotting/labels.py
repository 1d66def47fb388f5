"""Figures of the labels: their convergence, their forces, and the effort they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from diverse.labels.convergence import MEASURES, SIZES, size_class, summarise_errors
from diverse.labels.facts import LabelFacts
from diverse.report.plotting.datasets import LABELS
from diverse.report.plotting.style import Look, looks, style

FLOORS = {"energy": 0.1, "force": 0.1, "stress_corrected": 0.001}
ZERO = 1e-3  # of a floor: smaller differences are none, as symmetry makes them
MARKERS = dict(zip(SIZES, "^osD", strict=True))
WEAKEST = 0.01  # eV/Å, below which a force is drawn as that large
BINS = 16  # of the histogram of forces


def convergence_strips(errors: pd.DataFrame) -> Figure:
    """Draw the differences of every variant, one point a cell.

    Points below an axis are open and lie on it; differences that symmetry makes zero are left out.
    """
    style()
    variants = list(errors["variant"].unique())
    figure, axes = plt.subplots(len(FLOORS), 1, figsize=(7.2, 6), sharex=True, layout="constrained")
    for axis, (measure, floor) in zip(axes, FLOORS.items(), strict=True):
        for column, (name, marker) in enumerate(MARKERS.items()):
            part = errors[size_class(errors["atoms"]) == name]
            place = part["variant"].map(variants.index) + 0.18 * (column - 1.5)
            values = part[measure].abs()
            inside, below = values >= floor, (values < floor) & (values > ZERO * floor)
            look = {"linestyle": "", "marker": marker, "color": f"C{column}", "markersize": 4}
            axis.plot(place[inside], values[inside], label=name, **look)
            axis.plot(place[below], [floor] * below.sum(), markerfacecolor="white", **look)
        overall = summarise_errors(errors)[measure].clip(lower=floor)
        axis.plot(range(len(variants)), overall, "_", color="k", ms=22, label="root mean square")
        axis.set(yscale="log", ylabel=MEASURES[measure].replace(", Pulay", ",\nPulay"))
        if errors[measure].isna().all():  # stress is optional
            axis.text(
                0.5, 0.5, "these labels have no stress", transform=axis.transAxes, ha="center"
            )
            axis.set_ylim(floor, 10 * floor)
    axes[0].legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes[-1].set_xticks(range(len(variants)), variants, rotation=30, ha="right")
    return figure


def label_panels(labels: Mapping[str, Sequence[LabelFacts]], families: Mapping[str, str]) -> Figure:
    """Draw the sizes of forces, and the iterations and core time that the labels took.

    Parameters
    ----------
    labels : dict of str to list of LabelFacts
        Labels of each data set.
    families : dict of str to str
        Family of each data set.
    """
    style()
    palette = looks({name: families[name] for name in labels})
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.9), layout="constrained")
    _force_histogram(axes[0], labels, palette)
    timed = {
        name: [label for label in members if label.info.get("seconds")]
        for name, members in labels.items()
    }
    for name, computed in timed.items():
        shown = computed[:: -(-len(computed) // LABELS) or 1]
        atoms = [label.n_atoms for label in shown]
        iterations = [label.info.get("iterations", 0) for label in shown]
        seconds = [label.info["seconds"] / label.n_atoms for label in shown]
        for axis, values in zip(axes[1:], (iterations, seconds), strict=True):
            axis.scatter(atoms, values, s=14, alpha=0.8, linewidths=0.7, **palette[name].points)
    for axis in axes[1:]:
        axis.set_xlabel("atoms in the cell")
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[1].set_ylabel("self-consistency iterations")
    axes[1].yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[2].set(ylabel="core seconds per atom", yscale="log" if any(timed.values()) else "linear")
    marks = [Line2D([], [], label=name, **_mark(look)) for name, look in palette.items()]
    figure.legend(handles=marks, loc="outside upper center", ncols=6)
    return figure


def _force_histogram(
    axis: Axes, labels: Mapping[str, Sequence[LabelFacts]], palette: Mapping[str, Look]
) -> None:
    """Draw the share of each set's atoms by the size of the force on them."""
    sizes = {
        name: np.linalg.norm(np.concatenate([label.forces for label in members]), axis=1)
        for name, members in labels.items()
    }
    largest = max(values.max() for values in sizes.values())
    edges = np.geomspace(WEAKEST, max(largest, 10 * WEAKEST) * 1.001, BINS + 1)
    for name, values in sizes.items():
        counts, _ = np.histogram(values.clip(min=WEAKEST), edges)
        axis.stairs(counts / len(values), edges, ls=palette[name].line, color=palette[name].colour)
    axis.set(xscale="log", xlabel="size of the force (eV/Å)", ylabel="share of atoms")


def _mark(look: Look) -> dict[str, Any]:
    """Return the keywords of `Line2D` for a set's line and marker."""
    face = look.colour if look.filled else "none"
    return {**look.curve, "marker": look.marker, "markerfacecolor": face}
