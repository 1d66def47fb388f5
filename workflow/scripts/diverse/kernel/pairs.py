"""Periodic neighbours of batches of cells, and sums over pairs back to atoms and cells."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from diverse.kernel import library
from diverse.kernel.kernel import MIN_DISTANCE

Array = np.ndarray[Any, np.dtype[Any]]

MAX_NEIGHBOURS = 20_000  # of one atom; more is a mistake in the cutoff or in the cell
FLAT = 1e-10  # volume of a cell over the product of its three lengths
FAR = 1e6  # Å from the origin; beyond, image numbers and rounding get out of hand


class GeometryError(ValueError):
    """A cell that no descriptor can be computed for; `cell` is its number in the batch."""

    def __init__(self, message: str, cell: int) -> None:
        super().__init__(message)
        self.cell = cell


@dataclass(frozen=True)
class NeighbourPairs:
    """All pairs of atoms closer than a cutoff, each from both of its ends.

    Attributes
    ----------
    center, neighbour : ndarray of int64, shape (n_pairs,)
        Numbers of the atoms in the batch; sorted by center.
    first : ndarray of int64, shape (n_atoms + 1,)
        The pairs of atom i are first[i] to first[i + 1] - 1.
    vector : ndarray, shape (n_pairs, 3), Å
        positions[neighbour] + shift @ cell - positions[center], positions as they were given.
    shift : ndarray of int32, shape (n_pairs, 3)
        The periodic image of the neighbour.
    """

    center: Array
    neighbour: Array
    first: Array
    vector: Array
    shift: Array


@dataclass(frozen=True)
class CellBatch:
    """Checked and contiguous arrays of a batch of cells; see `neighbour_pairs`."""

    positions: Array
    cells: Array
    first_atom: Array
    pbc: Array
    numbers: Array  # of the cells, for messages


def neighbour_pairs(
    positions: Array,
    cells: Array,
    first_atom: Array,
    *,
    cutoff: float,
    pbc: bool | Array = True,
    threads: int | None = None,
) -> NeighbourPairs:
    """Find all pairs closer than a cutoff, images included, in a time linear in the atoms.

    Parameters
    ----------
    positions : ndarray, shape (n_atoms, 3), Å
        Of all cells, one after the other; they need not lie inside their cell.
    cells : ndarray, shape (n_cells, 3, 3), Å
        Rows are lattice vectors. Any shape: triclinic, thin, very skewed.
    first_atom : ndarray of int, shape (n_cells + 1,)
        The atoms of cell c are first_atom[c] to first_atom[c + 1] - 1.
    cutoff : float, Å
    pbc : bool or ndarray of bool, shape (n_cells, 3)
        Directions along which the cells repeat.
    threads : int, optional
        OpenMP threads, by default all; the pairs and their order do not depend on it.

    Returns
    -------
    NeighbourPairs

    Raises
    ------
    GeometryError
        When a cell has no volume or is over 1e6 Å long, a number is not finite, two atoms overlap
        (closer than
        1e-3 Å), or an atom would get more than 20,000 neighbours.
    ValueError
        When arrays do not fit together.
    """
    batch = check_batch(positions, cells, first_atom, pbc)
    return search(batch, cutoff=cutoff, threads=threads)


def check_batch(
    positions: Array, cells: Array, first_atom: Array, pbc: bool | Array, numbers: Any = None
) -> CellBatch:
    """Return the arrays of `neighbour_pairs` in the form the compiled search wants."""
    positions = np.ascontiguousarray(positions, dtype=float)
    cells = np.ascontiguousarray(cells, dtype=float)
    first_atom = np.ascontiguousarray(first_atom, dtype=np.int64)
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise ValueError(f"positions has the shape {positions.shape}; it must be (n_atoms, 3).")
    if cells.ndim != 3 or cells.shape[1:] != (3, 3):
        raise ValueError(f"cells has the shape {cells.shape}; it must be (n_cells, 3, 3).")
    bounds_fit = first_atom.shape == (len(cells) + 1,) and not (np.diff(first_atom) < 0).any()
    if not bounds_fit or first_atom[0] != 0 or first_atom[-1] != len(positions):
        raise ValueError(
            f"first_atom must be {len(cells) + 1} numbers that never decrease, from 0 to the "
            f"number of atoms, {len(positions)}."
        )
    pbc = np.ascontiguousarray(np.broadcast_to(pbc, (len(cells), 3)), dtype=np.uint8)
    numbers = np.arange(len(cells)) if numbers is None else numbers
    batch = CellBatch(positions, cells, first_atom, pbc, numbers)
    _check_geometry(batch)
    return batch


def search(batch: CellBatch, *, cutoff: float, threads: int | None) -> NeighbourPairs:
    """Find all pairs closer than `cutoff` (Å) in a batch that `check_batch` has checked."""
    if not 0 < cutoff < float("inf"):
        raise ValueError(f"cutoff is {cutoff} Å; it must be positive and finite.")
    pairs = library.load("pairs")
    problem = np.zeros(4, dtype=np.int64)
    handle = library.call_for_pointer(
        pairs.diverse_pairs_search,
        *(len(batch.cells), batch.first_atom, batch.cells, batch.pbc, batch.positions),
        *(float(cutoff), MIN_DISTANCE, MAX_NEIGHBOURS, np.int32(library.n_threads(threads))),
        problem,
    )
    try:
        _raise_problem(batch, problem, cutoff)
        found = empty_pairs(len(batch.positions), library.call(pairs.diverse_pairs_size, handle))
        library.call(
            pairs.diverse_pairs_copy,
            *(handle, found.center, found.neighbour, found.first, found.vector, found.shift),
        )
    finally:
        library.call(pairs.diverse_pairs_free, handle)
    return found


def empty_pairs(n_atoms: int, n_pairs: int) -> NeighbourPairs:
    """Return arrays for so many atoms and pairs, their contents undefined."""
    return NeighbourPairs(
        center=np.empty(n_pairs, dtype=np.int64),
        neighbour=np.empty(n_pairs, dtype=np.int64),
        first=np.empty(n_atoms + 1, dtype=np.int64),
        vector=np.empty((n_pairs, 3)),
        shift=np.empty((n_pairs, 3), dtype=np.int32),
    )


def _check_geometry(batch: CellBatch) -> None:
    inside = (np.abs(batch.positions) < FAR).all() and (np.abs(batch.cells) < FAR).all()
    if not (inside and (_volumes(batch.cells) > FLAT * _longest_volumes(batch.cells)).all()):
        raise _geometry_error(batch)


def _volumes(cells: Array) -> Array:
    return np.asarray(np.abs(np.linalg.det(cells)))


def _longest_volumes(cells: Array) -> Array:
    """Return the volumes that the lengths of the lattice vectors would have at right angles."""
    return np.asarray(np.linalg.norm(cells, axis=2).prod(axis=1))


def _geometry_error(batch: CellBatch) -> GeometryError:
    """Return the error for the first atom or cell of a batch that is not as it must be."""
    bad = ~(np.abs(batch.positions) < FAR).all(axis=1)
    if bad.any():
        atom = int(np.argmax(bad))
        where = f"is at {batch.positions[atom].tolist()} Å"
        return _atom_error(batch, atom, f"{where}: not finite, or over {FAR:.0e} Å from the origin")
    finite = np.isfinite(batch.cells).all(axis=(1, 2))
    far = (np.abs(batch.cells) >= FAR).any(axis=(1, 2)) & finite
    if far.any():
        cell = int(np.argmax(far))
        return GeometryError(
            f"Cell {batch.numbers[cell]} has a lattice vector over {FAR:.0e} Å long: "
            f"{batch.cells[cell].tolist()} Å.",
            int(batch.numbers[cell]),
        )
    cells = np.where(np.isfinite(batch.cells), batch.cells, 0.0)
    flat = ~(finite & (_volumes(cells) > FLAT * _longest_volumes(cells)))
    cell = int(np.argmax(flat))
    return GeometryError(
        f"Cell {batch.numbers[cell]} has no volume, or a lattice vector that is not finite: "
        f"{batch.cells[cell].tolist()} Å. Give three independent lattice vectors, also along "
        "directions that do not repeat.",
        int(batch.numbers[cell]),
    )


def _place(batch: CellBatch, atom: int) -> tuple[int, int]:
    """Return the number of the atom's cell in the batch, and of the atom in its cell."""
    cell = int(np.searchsorted(batch.first_atom, atom, side="right")) - 1
    return cell, atom - int(batch.first_atom[cell])


def _atom_error(batch: CellBatch, atom: int, what: str) -> GeometryError:
    cell, local = _place(batch, atom)
    number = int(batch.numbers[cell])
    return GeometryError(f"Atom {local} of cell {number} {what}.", number)


def overlap_error(batch: CellBatch, atom: int, other: int) -> GeometryError:
    """Return the error for two atoms, numbered in the batch, that are too close."""
    _, local = _place(batch, other)
    what = f"overlaps atom {local}, or one of its images: they are closer than {MIN_DISTANCE} Å"
    return _atom_error(batch, atom, what)


def _raise_problem(batch: CellBatch, problem: Array, cutoff: float) -> None:
    code, _, atom, other = (int(number) for number in problem)
    if code == 1:
        raise overlap_error(batch, atom, other)
    if code == 2:
        what = (
            f"would have more than {MAX_NEIGHBOURS} neighbours within {cutoff} Å; the cell is too "
            "thin or too dense for such a cutoff"
        )
        raise _atom_error(batch, atom, what)


def position_gradient(pairs: NeighbourPairs, pair_gradient: Array, n_atoms: int) -> Array:
    """Return the gradient by positions, shape (n_atoms, 3), given the one by pair vectors.

    A vector ends at its neighbour and starts at its center, so the gradient of each pair,
    shape (n_pairs, 3), is added to the former and subtracted from the latter.
    """
    gradient = np.ascontiguousarray(pair_gradient, dtype=float)
    out = np.zeros((n_atoms, 3))
    library.call(
        library.load("pairs").diverse_pairs_to_atoms,
        *(n_atoms, pairs.first, pairs.neighbour, gradient, out),
    )
    return out


def strain_gradient(
    pairs: NeighbourPairs, pair_gradient: Array, cell_of_atom: Array, n_cells: int
) -> Array:
    """Return the gradient with respect to the strain of each cell, shape (n_cells, 3, 3).

    Strain e takes every row vector r, atoms and lattice alike, to r (1 + e): the gradient is
    the sum over pairs of the outer product of vector and pair gradient. `cell_of_atom`: shape
    (n_atoms,). For an energy, minus volume times stress (symmetrise it).
    """
    gradient = np.ascontiguousarray(pair_gradient, dtype=float)
    cells = np.ascontiguousarray(cell_of_atom, dtype=np.int64)
    out = np.zeros((n_cells, 3, 3))
    library.call(
        library.load("pairs").diverse_pairs_to_cells,
        *(len(cells), pairs.first, cells, pairs.vector, gradient, out),
    )
    return out
