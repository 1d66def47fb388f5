"""Cells far from any crystal an expert would train on: small clusters and short contacts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from ase import Atoms

from diverse.generate.expert.context import Context
from diverse.generate.expert.crystals import crystal
from diverse.neighbours import find_pairs
from diverse.structures import tagged

LONGEST_BOND = 1.3  # nearest-neighbour distances


def clusters(context: Context, *, sizes: Sequence[int], vacuum: float, repeats: int) -> list[Atoms]:
    """Random compact clusters, `repeats` of each size from the first to the last of `sizes`.

    Atoms are added one by one, each at a distance between the floor and 1.3 nearest-neighbour
    distances of one that is there; `vacuum` Å lie between images.
    """
    cells = []
    for size in range(sizes[0], sizes[1] + 1):
        for repeat in range(repeats):
            name = f"cluster_{size}_{repeat}"
            atoms = _random_cluster(context, size, context.stream(name))
            atoms.center(vacuum=vacuum / 2)
            cells.append(tagged(atoms, "cluster", name))
    return cells


def contacts(
    context: Context,
    *,
    lattices: Sequence[str],
    supercell: Sequence[int],
    displacement: float,
    longest: float,
    repeats: int,
) -> list[Atoms]:
    """Disordered crystals in which two neighbours have been pushed together.

    Atoms are displaced at random (standard deviation in Å); then one pair of neighbours is brought
    to a distance that is uniform between the floor and `longest` (Å).
    """
    cells = []
    for structure in lattices:
        perfect = crystal(context.lattice, structure).repeat(tuple(supercell))
        draw = partial(_pair_together, context, perfect, displacement, longest)
        for repeat in range(repeats):
            name = f"contact_{structure}_{repeat}"
            cells.append(tagged(context.drawn(draw, name), "contact", name))
    return cells


def _random_cluster(context: Context, size: int, rng: np.random.Generator) -> Atoms:
    positions = np.zeros((1, 3))
    while len(positions) < size:
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        bond = rng.uniform(context.d_min, LONGEST_BOND * context.lattice.nearest_neighbour)
        new = positions[rng.integers(len(positions))] + bond * direction
        if np.linalg.norm(positions - new, axis=1).min() >= context.d_min:
            positions = np.vstack([positions, new])
    return Atoms([context.lattice.element] * size, positions=positions)


def _pair_together(
    context: Context,
    perfect: Atoms,
    displacement: float,
    longest: float,
    rng: np.random.Generator,
) -> Atoms:
    """Draw displacements, a pair of different atoms and the distance it is brought to."""
    atoms = perfect.copy()
    atoms.positions += rng.normal(0, displacement, (len(atoms), 3))
    pairs = find_pairs([atoms], LONGEST_BOND * context.lattice.nearest_neighbour)
    chosen = rng.choice(np.flatnonzero(pairs.center < pairs.neighbour))
    vector, distance = pairs.vector[chosen], pairs.distance[chosen]
    shift = 0.5 * (1 - rng.uniform(context.d_min, longest) / distance) * vector
    atoms.positions[pairs.center[chosen]] += shift
    atoms.positions[pairs.neighbour[chosen]] -= shift
    return atoms
