"""Figures of the cells and environments of the data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from diverse.diversity import EnvironmentSample
from diverse.labels.facts import LabelFacts
from diverse.report.plotting.style import Look, looks, style

POINTS = 2000  # environments of a set that a map shows at most
LABELS = 5000  # labels of a set that a figure shows at most, evenly over the set


def map_of_environments(
    samples: Mapping[str, EnvironmentSample], families: dict[str, str]
) -> Figure:
    """Draw each set's environments on two principal components, over those of all sets in grey."""
    style()
    palette = looks({name: families[name] for name in samples})
    mean, axes, shares = principal_axes([sample.descriptors for sample in samples.values()])
    maps = {
        name: (sample.descriptors[:: -(-len(sample) // POINTS)] - mean) @ axes
        for name, sample in samples.items()
    }
    everything = np.concatenate(list(maps.values()))
    n_columns = min(len(maps), 4)
    n_rows = -(-len(maps) // n_columns)
    size = (7.2, 0.5 + 1.9 * n_rows)
    figure, grid = plt.subplots(
        n_rows, n_columns, figsize=size, sharex=True, sharey=True, squeeze=False
    )
    for axis in grid.flat[len(maps) :]:
        axis.set_visible(False)
    for axis, (name, points) in zip(grid.flat, maps.items(), strict=False):
        axis.scatter(*everything.T, s=3, color="0.85", linewidths=0)
        mark = 12 if len(points) < 200 else 4
        axis.scatter(*points.T, s=mark, alpha=0.8, linewidths=0.6, **palette[name].points)
        axis.set_title(f"{name} ({len(points):,})")
    figure.supxlabel(f"principal component 1 ({100 * shares[0]:.0f} %)", fontsize=9)
    figure.supylabel(f"principal component 2 ({100 * shares[1]:.0f} %)", fontsize=9)
    figure.set_layout_engine("constrained")
    return figure


def principal_axes(sets: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, first two axes and their shares of variance, every set weighing the same.

    Parameters
    ----------
    sets : sequence of ndarray, shape (n_i, D)

    Returns
    -------
    mean : ndarray, shape (D,)
    axes : ndarray, shape (D, 2)
        Principal axes of the descriptors scaled to unit variance, each divided by that scale.
    shares : ndarray, shape (2,)
        Parts of the variance of the scaled descriptors.
    """
    mean = np.mean([points.mean(axis=0) for points in sets], axis=0)
    covariance = np.mean([(x - mean).T @ (x - mean) / len(x) for x in sets], axis=0)
    scale = np.sqrt(np.diag(covariance)).clip(min=1e-12)
    variance, axes = np.linalg.eigh(covariance / np.outer(scale, scale))
    return mean, axes[:, [-1, -2]] / scale[:, None], variance[[-1, -2]] / variance.sum()


def geometry_curves(samples: Mapping[str, EnvironmentSample], families: dict[str, str]) -> Figure:
    """Draw cumulative curves of shortest distance, volume per atom and coordination."""
    style()
    palette = looks({name: families[name] for name in samples})
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.7), sharey=True, layout="constrained")
    labels = {
        "d_min": "shortest distance of the cell (Å)",
        "volume": "volume per atom (Å$^3$)",
        "coordination": "neighbours of the atom",
    }
    for axis, (quantity, label) in zip(axes, labels.items(), strict=True):
        for name, sample in samples.items():
            values = np.sort(getattr(sample, quantity))
            share = np.arange(1, len(values) + 1) / len(values)
            start = ([values[0], *values], [0, *share])
            axis.step(*start, where="post", **palette[name].curve)
        axis.set_xlabel(label)
    axes[1].set_xscale("log")
    axes[1].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[1].xaxis.set_major_formatter("{x:.0f}")
    axes[1].xaxis.set_minor_locator(NullLocator())
    axes[2].xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[0].set_ylabel("cumulative fraction")
    _legend(axes[0], palette, marks=False)
    return figure


def energy_landscape(
    labels: Mapping[str, Sequence[LabelFacts]], families: Mapping[str, str]
) -> Figure:
    """Draw free energy against volume per atom and against the shortest distance."""
    style()
    palette = looks({name: families[name] for name in labels})
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3), sharey=True, layout="constrained")
    for name, members in labels.items():
        shown = members[:: -(-len(members) // LABELS)]
        energy = [label.energy for label in shown]
        volume = [label.volume for label in shown]
        d_min = [label.info["d_min"] for label in shown]
        for axis, values in zip(axes, (volume, d_min), strict=True):
            axis.scatter(values, energy, s=12, alpha=0.8, linewidths=0.7, **palette[name].points)
    axes[0].set(xlabel="volume per atom (Å$^3$)", ylabel="free energy (eV/atom)")
    axes[1].set_xlabel("shortest distance of the cell (Å)")
    _legend(axes[0], palette, marks=True)
    return figure


def _legend(axis: Axes, palette: Mapping[str, Look], *, marks: bool) -> None:
    """Write the legend in the order of the study, whatever was drawn first."""
    handles = []
    for name, look in palette.items():
        face = look.colour if look.filled else "none"
        handle = Line2D([], [], color=look.colour, label=name, markerfacecolor=face)
        handle.set_marker(look.marker if marks else "")
        handle.set(linestyle="" if marks else look.line)
        handles.append(handle)
    axis.legend(handles=handles)
