"""Gallery of the curated data sets: one cell of each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from diverse.report.plotting.style import style

COLUMNS = 6
HALF = 6.5  # Å: half the width and height of each picture
DEPTH = 8.0  # Å, behind the frontmost atom of the cell
RADIUS = 1.0  # Å, of the discs


def gallery(cells: Iterable[Atoms]) -> Figure:
    """Draw the first cell of each group of each data set, with the number of cells it has."""
    style()
    first: dict[tuple[str, str], Atoms] = {}
    count: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        key = cell.info["dataset"], cell.info["config_type"]
        first.setdefault(key, cell)
        count[key] += 1
    n_rows = -(-len(first) // COLUMNS)
    figure, grid = plt.subplots(
        n_rows, COLUMNS, figsize=(7.2, 1.55 * n_rows), squeeze=False, layout="constrained"
    )
    for axis in grid.flat:
        axis.set_axis_off()
    for axis, ((dataset, group), cell) in zip(grid.flat, first.items(), strict=False):
        _draw(axis, cell)
        axis.set_title(f"{dataset} ({count[dataset, group]:,})\n{group}", fontsize=5.5)
    return figure


def window(cell: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Return the atoms seen around the middle of a cell's atoms, looking along the second axis.

    Returns
    -------
    positions : ndarray, shape (n, 3), Å
        Relative to the middle of the cell's atoms, in depth to its frontmost; with periodic copies,
        frontmost last.
    own : ndarray of bool, shape (n,)
        Whether an atom is of the cell itself.
    """
    reach = np.sqrt(2 * HALF**2 + DEPTH**2) + np.linalg.norm(np.ptp(cell.positions, axis=0))
    copies = np.ceil(reach * np.linalg.norm(cell.cell.reciprocal(), axis=1)).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 1) for n in copies))))
    centred = cell.positions - cell.positions.mean(axis=0)
    centred[:, 1] -= centred[:, 1].min()
    positions = (shifts @ cell.cell.array)[:, None] + centred
    own = np.broadcast_to((shifts == 0).all(axis=1)[:, None], positions.shape[:2]).ravel()
    positions = positions.reshape(-1, 3)
    inside = (np.abs(positions[:, [0, 2]]) <= HALF).all(axis=1)
    inside &= (positions[:, 1] > -1e-3) & (positions[:, 1] < DEPTH)
    order = np.argsort(-positions[inside, 1], kind="stable")
    return positions[inside][order], own[inside][order]


def _draw(axis: Axes, cell: Atoms) -> None:
    positions, own = window(cell)
    for (x, depth, height), of_cell in zip(positions, own, strict=True):
        colour = np.array(to_rgb("#0072B2" if of_cell else "0.45"))
        haze = 0.8 * depth / DEPTH  # farther atoms are paler
        disc = Circle((x, height), RADIUS, facecolor=colour + haze * (1 - colour), edgecolor="w")
        axis.add_patch(disc)
    axis.set(xlim=(-HALF, HALF), ylim=(-HALF, HALF), aspect="equal")
