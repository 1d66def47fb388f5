"""Grain boundaries: two grains that are mirror images of each other, in one periodic cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from ase import Atoms

from diverse.generate.expert.context import Context
from diverse.generate.expert.surfaces import digits, normal, primitive_slab
from diverse.structures import tagged


def boundaries(
    context: Context,
    *,
    planes: Sequence[Sequence[int]],
    layers: int,
    expansion: float,
    displacement: float,
    repeats: int,
) -> list[Atoms]:
    """Symmetric tilt boundaries and twins: the second grain is the first one's mirror image.

    The cell holds two boundaries. The second grain is shifted at random along the plane, and each
    boundary opened by a distance that is uniform from 0 to `expansion`; then atoms are displaced
    at random.

    Parameters
    ----------
    planes : sequence of sequence of int
        Miller indices of the boundaries; of bcc 112 is a twin's, 310 and 210 are of Σ5.
    layers : int
        Atomic layers of each grain.
    expansion : float, Å
        Largest opening of a boundary.
    displacement : float, Å
        Standard deviation of random displacements.
    repeats : int
        Cells of each plane.

    Raises
    ------
    ValueError
        If 200 draws of a cell all have atoms below the floor.
    """
    cells = []
    for plane in planes:
        grain, name = primitive_slab(context.lattice, plane, layers, periodic=True), digits(plane)
        draw = partial(_two_grains, grain, expansion, displacement)
        for repeat in range(repeats):
            own = f"boundary_{name}_{repeat}"
            cells.append(tagged(context.drawn(draw, own), f"boundary_{name}", own))
    return cells


def _two_grains(
    grain: Atoms, expansion: float, displacement: float, rng: np.random.Generator
) -> Atoms:
    """Draw the shift of the second grain, the openings and the displacements."""
    across, along = normal(grain), grain.cell.array[:2]
    heights = grain.positions @ across
    thickness = heights.max() - heights.min()
    spacing = grain.cell.array[2] @ across - thickness
    gaps = spacing + rng.uniform(0, expansion, 2)
    turn = 2 * heights.max() + gaps[0]  # height of an atom and of its image together
    mirrored = grain.positions + np.outer(turn - 2 * heights, across) + rng.uniform(size=2) @ along
    cell = [*along, (2 * thickness + gaps.sum()) * across]
    positions = np.concatenate([grain.positions, mirrored])
    positions += rng.normal(0, displacement, positions.shape)
    return Atoms([*grain.symbols, *grain.symbols], positions=positions, cell=cell, pbc=True)
