"""Slabs and generalised stacking faults (gamma surfaces)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from ase import Atoms
from ase.build import surface

from diverse.generate.expert.context import Context
from diverse.neighbours import shortest_distance
from diverse.structures import ReferenceLattice, tagged

FAULT_CONTACT = 0.9  # nearest-neighbour distances that a fault opens to
OPENING = 0.02  # Å, step of the opening
SAME_LAYER = 1e-3  # of the distance after which layers repeat: atoms of one layer


def surfaces(
    context: Context,
    *,
    facets: Sequence[Sequence[int]],
    layers: int,
    vacuum: float,
    repeats: int,
    displacement: float,
) -> list[Atoms]:
    """Slabs with low-index facets and `vacuum` Å between images, atoms displaced at random."""
    cells = []
    for facet in facets:
        name = f"surface_{_digits(facet)}"
        for repeat in range(repeats):
            atoms = primitive_slab(context.lattice, facet, layers)
            atoms.center(vacuum=vacuum / 2, axis=2)
            own = f"{name}_{repeat}"
            cells.append(tagged(context.displaced(atoms, displacement, own), name, own))
    return cells


def gamma_surface(
    context: Context,
    *,
    planes: Sequence[Sequence[int]],
    layers: int,
    repeat: Sequence[int],
    shifts: Sequence[int],
    displacement: float,
) -> list[Atoms]:
    """Crystals with one stacking fault on a plane, shifted over a grid of fault vectors.

    The crystal is periodic and has no surface: the cell vector across the plane is tilted by the
    fault vector (V. Vitek, Phil. Mag. 18, 773 (1968)), and the fault opened until atoms across it
    are 0.9 of the nearest-neighbour distance apart.

    Parameters
    ----------
    layers : int
        Atomic layers between a fault and its image.
    repeat : sequence of 2 int
        Repeats of the primitive cell of the plane.
    shifts : sequence of 2 int
        Points of the grid along its vectors; the unshifted crystal is left out.
    displacement : float, Å
        Standard deviation of random displacements.
    """
    return [
        tagged(context.displaced(atoms, displacement, own), name, own)
        for name, own, atoms in _faults("gamma_surface", context, planes, layers, repeat, shifts)
    ]


def gamma_surface_vacancy(
    context: Context,
    *,
    planes: Sequence[Sequence[int]],
    layers: int,
    repeat: Sequence[int],
    shifts: Sequence[int],
    displacement: float,
) -> list[Atoms]:
    """Stacking faults as `gamma_surface` makes them, with a vacancy in the layer at the fault."""
    cells, group = [], "gamma_surface_vacancy"
    for name, own, atoms in _faults(group, context, planes, layers, repeat, shifts):
        del atoms[int(np.argmax(atoms.positions @ _normal(atoms)))]
        cells.append(tagged(context.displaced(atoms, displacement, own), name, own))
    return cells


def _faults(
    group: str,
    context: Context,
    planes: Sequence[Sequence[int]],
    layers: int,
    repeat: Sequence[int],
    shifts: Sequence[int],
) -> Iterator[tuple[str, str, Atoms]]:
    """Yield, for each plane and each shift but none, the group, the cell's name and the crystal."""
    contact = FAULT_CONTACT * context.lattice.nearest_neighbour
    for plane in planes:
        name = f"{group}_{_digits(plane)}"
        perfect = primitive_slab(context.lattice, plane, layers, periodic=True)
        for steps in list(product(*map(range, shifts)))[1:]:
            atoms = perfect.copy()
            atoms.cell[2] += np.array(steps) / shifts @ atoms.cell.array[:2]
            _open_fault(atoms, contact)
            yield name, f"{name}_{steps[0]}_{steps[1]}", atoms.repeat((*repeat, 1))


def _open_fault(atoms: Atoms, distance: float) -> None:
    """Lengthen the cell across the plane until no two atoms are nearer than `distance` (Å)."""
    while shortest_distance(atoms) < distance:
        atoms.cell[2] += OPENING * _normal(atoms)


def _normal(atoms: Atoms) -> np.ndarray:
    normal = np.cross(*atoms.cell.array[:2])
    return normal / np.linalg.norm(normal)


def _digits(indices: Sequence[int]) -> str:
    return "".join(str(index) for index in indices)


def primitive_slab(
    lattice: ReferenceLattice, facet: Sequence[int], layers: int, *, periodic: bool = False
) -> Atoms:
    """Return the slab with the smallest in-plane cell: one atom a layer for bcc and fcc.

    Where what repeats across the plane holds several layers (two of hcp), their number is rounded
    up to a multiple of these, and the crystal is cut in the widest gap between two layers.
    """
    primitive, indices = lattice.primitive(), _primitive_indices(lattice, facet)
    heights = _layers(primitive, indices)
    gaps = np.diff(heights, append=heights[0] + 1)
    if gaps.max() > gaps[-1] + SAME_LAYER:
        across = np.linalg.inv(primitive.cell.array) @ indices  # normal over the distance, 1/Å
        lowest = heights[int(np.argmax(gaps)) + 1]
        primitive.positions -= lowest * across / (across @ across)
    return surface(primitive, indices, -(-layers // len(heights)), periodic=periodic)


def _layers(primitive: Atoms, indices: Sequence[int]) -> np.ndarray:
    """Return the heights of the layers along a plane's normal, in units of what repeats."""
    heights = np.sort((primitive.get_scaled_positions() @ indices + SAME_LAYER) % 1) - SAME_LAYER
    return heights[np.diff(heights, prepend=-np.inf) > SAME_LAYER]


def _primitive_indices(lattice: ReferenceLattice, facet: Sequence[int]) -> tuple[int, ...]:
    """Convert Miller indices of the conventional cell to those of the primitive cell."""
    three = np.asarray(facet)[[0, 1, -1]]  # Miller-Bravais indices have a redundant third
    to_primitive = lattice.primitive().cell.array @ np.linalg.inv(lattice.miller_cell)
    indices = np.rint(12 * to_primitive @ three).astype(int)
    return tuple(int(index) for index in indices // np.gcd.reduce(indices))
