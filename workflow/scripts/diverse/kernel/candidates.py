"""A neighbour list that follows moving atoms and cells without a new search at every step."""

import itertools
from dataclasses import dataclass

import numpy as np

from diverse.kernel import library
from diverse.kernel.kernel import MIN_DISTANCE
from diverse.kernel.pairs import (
    Array,
    CellBatch,
    NeighbourPairs,
    check_batch,
    empty_pairs,
    overlap_error,
    search,
)

ROUNDING = 1e-9  # Å; the safe side of a comparison of distances


@dataclass(frozen=True)
class _Candidates:
    """Fields of `NeighbourPairs` that do not change while atoms move."""

    first: Array
    neighbour: Array
    shift: Array


class CandidatePairs:
    """Pairs within cutoff + skin, from which `update` takes those now within the cutoff.

    Parameters
    ----------
    positions, cells, first_atom, cutoff, pbc, threads
        Arguments of `neighbour_pairs`, with the same errors.
    skin : float, Å
        Width that is searched beyond the cutoff. A wide skin means rare searches, many candidates.

    Attributes
    ----------
    cell_of_atom : ndarray of int64, shape (n_atoms,)
    n_cell_searches : int
        Number of cells searched so far, the first search of every cell included.
    """

    def __init__(
        self,
        positions: Array,
        cells: Array,
        first_atom: Array,
        *,
        cutoff: float,
        skin: float,
        pbc: bool | Array = True,
        threads: int | None = None,
    ) -> None:
        if not skin >= 0:
            raise ValueError(f"skin is {skin} Å; it must not be negative.")
        batch = check_batch(positions, cells, first_atom, pbc)
        self.cutoff = float(cutoff)
        self.skin = float(skin)
        self.n_cell_searches = len(batch.cells)
        self.cell_of_atom = np.repeat(np.arange(len(batch.cells)), np.diff(batch.first_atom))
        self._n_threads = library.n_threads(threads)
        self._first_atom, self._pbc = batch.first_atom, batch.pbc
        self._positions, self._cells = batch.positions.copy(), batch.cells.copy()
        found = search(batch, cutoff=self.cutoff + self.skin, threads=self._n_threads)
        self._pairs = _Candidates(found.first, found.neighbour, found.shift)

    def update(self, positions: Array, cells: Array) -> NeighbourPairs:
        """Return the pairs within the cutoff at new positions and cells.

        They are always the pairs that `neighbour_pairs` finds, with the same vectors, in another
        order: cells that moved too far for their candidates are searched again.

        Parameters
        ----------
        positions : ndarray, shape (n_atoms, 3), Å
        cells : ndarray, shape (n_cells, 3, 3), Å

        Raises
        ------
        GeometryError, ValueError
            For the cells and arrays that `neighbour_pairs` refuses.
        """
        batch = check_batch(positions, cells, self._first_atom, self._pbc)
        if batch.positions.shape != self._positions.shape:
            raise ValueError("positions and cells must keep the shapes they had at the start.")
        stale = self._too_far(batch)
        if stale.any():
            self._search_again(batch, stale)
        return self._within_cutoff(batch)

    def _too_far(self, batch: CellBatch) -> Array:
        """Return a mask of the cells that may have pairs in the cutoff that are no candidates.

        With x = x0 F + d, F = inverse(h0) h, a pair at least cutoff + skin apart at the start is
        now at least s (cutoff + skin) - 2 max|d| apart, s the smallest singular value of F.
        """
        shrink = np.ones(len(batch.cells))
        moved = batch.positions - self._positions
        if not np.array_equal(batch.cells, self._cells):
            deformation = np.linalg.solve(self._cells, batch.cells)
            shrink = np.asarray(np.linalg.svd(deformation, compute_uv=False)[:, -1])
            affine = np.einsum("ix,ixy->iy", self._positions, deformation[self.cell_of_atom])
            moved = batch.positions - affine
        furthest = np.zeros(len(batch.cells))
        np.maximum.at(furthest, self.cell_of_atom, np.linalg.norm(moved, axis=1))
        nearest = shrink * (self.cutoff + self.skin) - 2 * furthest
        return np.asarray(nearest < self.cutoff + ROUNDING)

    def _search_again(self, batch: CellBatch, stale: Array) -> None:
        """Replace the candidates of the cells in the mask `stale` by those of a new search."""
        moved = stale[self.cell_of_atom]
        atoms = np.flatnonzero(moved)
        part = CellBatch(
            positions=batch.positions[atoms],
            cells=batch.cells[stale],
            first_atom=np.append(0, np.cumsum(np.diff(batch.first_atom)[stale])),
            pbc=batch.pbc[stale],
            numbers=np.flatnonzero(stale),
        )
        new = search(part, cutoff=self.cutoff + self.skin, threads=self._n_threads)
        old, counts = self._pairs, np.diff(self._pairs.first)
        counts[atoms] = np.diff(new.first)
        new_neighbour = atoms[new.neighbour]
        old_cells = old.first[batch.first_atom].tolist()
        new_cells = iter(itertools.pairwise(new.first[part.first_atom].tolist()))
        neighbour, shift = [], []
        for is_stale, (begin, end) in zip(stale, itertools.pairwise(old_cells), strict=True):
            if is_stale:
                begin, end = next(new_cells)
            neighbour.append((new_neighbour if is_stale else old.neighbour)[begin:end])
            shift.append((new.shift if is_stale else old.shift)[begin:end])
        self._pairs = _Candidates(
            first=np.append(0, np.cumsum(counts)),
            neighbour=np.concatenate(neighbour),
            shift=np.concatenate(shift),
        )
        self._positions[atoms] = batch.positions[atoms]
        self._cells[stale] = batch.cells[stale]
        self.n_cell_searches += int(stale.sum())

    def _within_cutoff(self, batch: CellBatch) -> NeighbourPairs:
        compiled, old, n_atoms = library.load("pairs"), self._pairs, len(batch.positions)
        threads, count = np.int32(self._n_threads), np.empty(n_atoms, dtype=np.int64)
        vector = np.empty((len(old.neighbour), 3))
        overlap = library.call(
            compiled.diverse_pairs_measure,
            *(n_atoms, old.first, old.neighbour, old.shift, self.cell_of_atom, batch.positions),
            *(batch.cells, self.cutoff, MIN_DISTANCE, threads, vector, count),
        )
        if overlap >= 0:
            atom = int(np.searchsorted(old.first, overlap, side="right")) - 1
            raise overlap_error(batch, atom, int(old.neighbour[overlap]))
        first = np.append(0, np.cumsum(count))
        found = empty_pairs(n_atoms, int(first[-1]))
        found.first[:] = first
        library.call(
            compiled.diverse_pairs_keep,
            *(n_atoms, old.first, old.neighbour, old.shift, vector, self.cutoff, threads),
            *(found.first, found.center, found.neighbour, found.shift, found.vector),
        )
        return found
