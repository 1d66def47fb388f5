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
AT_ZERO = 1e-10  # of the same distance: what ASE takes for 0
SAME_SHIFT = 1e-3  # of the vectors of a plane: a shift that stacks the layers as in the crystal


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
        name = f"surface_{digits(facet)}"
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
    are 0.9 of the nearest-neighbour distance apart. Shifts count from the upright cell, which is
    the crystal without a fault only where the number of layers is a multiple of those that restack.

    Parameters
    ----------
    layers : int
        Atomic layers between a fault and its image.
    repeat : sequence of 2 int
        Repeats of the primitive cell of the plane.
    shifts : sequence of 2 int
        Points of the grid along its vectors. The point that gives the crystal without a fault is
        left out; where none does, the first, which is the upright cell.
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
        del atoms[int(np.argmax(atoms.positions @ normal(atoms)))]
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
    """Yield, for each plane and each shift that makes a fault, group, cell's name and crystal."""
    contact = FAULT_CONTACT * context.lattice.nearest_neighbour
    for plane in planes:
        name = f"{group}_{digits(plane)}"
        upright = primitive_slab(context.lattice, plane, layers, periodic=True)
        stacking = _stacking(context.lattice, plane, layers)
        for steps in _fault_steps(shifts, stacking):
            atoms = upright.copy()
            atoms.cell[2] += np.array(steps) / shifts @ atoms.cell.array[:2]
            _open_fault(atoms, contact)
            yield name, f"{name}_{steps[0]}_{steps[1]}", atoms.repeat((*repeat, 1))


def _fault_steps(shifts: Sequence[int], stacking: np.ndarray) -> list[tuple[int, ...]]:
    """Return the points of a grid of shifts but the one that stacks layers as in the crystal.

    Parameters
    ----------
    shifts : sequence of 2 int
        Points along the vectors of the plane.
    stacking : ndarray, shape (2,)
        Shift of the crystal, in fractions of these vectors. Where it is no point of the grid, the
        first point is left out.
    """
    grid = list(product(*map(range, shifts)))
    apart = np.array(grid) / shifts - stacking
    distances = np.abs(apart - np.rint(apart)).max(axis=1)
    left_out = int(np.argmax(distances < SAME_SHIFT))  # the first if there is none
    return grid[:left_out] + grid[left_out + 1 :]


def _stacking(lattice: ReferenceLattice, plane: Sequence[int], layers: int) -> np.ndarray:
    """Return the shift along a plane from a slab to the next one that continues the crystal.

    Returns
    -------
    ndarray, shape (2,)
        In fractions of the vectors of the plane, up to whole numbers; without a shift slabs stand
        upright on each other.
    """
    n_atoms = len(primitive_slab(lattice, plane, layers))
    taller = primitive_slab(lattice, plane, layers + n_atoms)  # by one unit or more
    vector = taller.positions[n_atoms] - taller.positions[0]
    fractions: np.ndarray = np.linalg.solve(taller.cell.array[:2, :2].T, vector[:2])
    return fractions


def _open_fault(atoms: Atoms, distance: float) -> None:
    """Lengthen the cell across the plane until no two atoms are nearer than `distance` (Å)."""
    while shortest_distance(atoms) < distance:
        atoms.cell[2] += OPENING * normal(atoms)


def normal(atoms: Atoms) -> np.ndarray:
    """Return the unit vector across the first two vectors of a cell, shape (3,)."""
    across = np.cross(*atoms.cell.array[:2])
    unit: np.ndarray = across / np.linalg.norm(across)
    return unit


def digits(indices: Sequence[int]) -> str:
    """Return the indices of a plane as they stand in the names of cells."""
    return "".join(str(index) for index in indices)


def primitive_slab(
    lattice: ReferenceLattice, facet: Sequence[int], layers: int, *, periodic: bool = False
) -> Atoms:
    """Return the slab with the smallest in-plane cell: one atom a layer for bcc and fcc.

    Where what repeats across the plane holds several layers (two of hcp), their number is rounded
    up to a multiple of these, and the crystal is cut in the widest gap between two layers, else
    below its lowest atom.

    Parameters
    ----------
    facet : sequence of 3 or 4 int
        Miller indices of the conventional cell.
    layers : int
    periodic : bool
        By default there is no third cell vector. Otherwise it is upright and as long as the slab
        is thick, so that the slab and its image make the crystal, but for a shift along the plane.
    """
    primitive, indices = lattice.primitive(), _primitive_indices(lattice, facet)
    heights = _layers(primitive, indices)
    gaps = np.diff(heights, append=heights[0] + 1)
    across = np.linalg.inv(primitive.cell.array) @ indices  # normal over the distance, 1/Å
    if gaps.max() > gaps[-1] + SAME_LAYER:
        lowest = heights[int(np.argmax(gaps)) + 1]
        primitive.positions -= lowest * across / (across @ across)
    elif heights[0] < -AT_ZERO:  # the lowest layer lies on both sides of the edge
        primitive.positions -= heights[0] * across / (across @ across)
    units = -(-layers // len(heights))
    slab = surface(primitive, indices, units)
    if periodic:  # the cell alone: atoms that rounding puts below 0 ASE would wrap to the top
        slab.set_cell(surface(primitive, indices, units, periodic=True).cell)
        slab.pbc = True
    return slab


def _layers(primitive: Atoms, indices: Sequence[int]) -> np.ndarray:
    """Return the heights of the layers along a plane's normal, in units of what repeats."""
    heights = np.sort((primitive.get_scaled_positions() @ indices + SAME_LAYER) % 1) - SAME_LAYER
    return heights[np.diff(heights, prepend=-np.inf) > SAME_LAYER]


def _primitive_indices(lattice: ReferenceLattice, facet: Sequence[int]) -> tuple[int, ...]:
    """Convert Miller indices of the conventional cell to those of the primitive cell."""
    three = np.asarray(facet)[[0, 1, -1]]  # Miller-Bravais indices have a redundant third
    primitive, shown = lattice.primitive().cell.array, lattice.miller_cell
    number = round(abs(np.linalg.det(shown) / np.linalg.det(primitive)))  # of primitive cells
    indices = np.rint(number * primitive @ np.linalg.inv(shown)).astype(int) @ three
    return tuple(int(index) for index in indices // np.gcd.reduce(indices))
