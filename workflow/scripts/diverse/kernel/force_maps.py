"""Forces of whole cells from slopes of their environments, and back: stored or computed.

The slope of an environment is the derivative of its energy by its descriptors, shape (D,). Forces
are linear in the slopes; training on forces needs this map and its adjoint.
"""

from typing import Any, Protocol

import numpy as np

from diverse.kernel import library
from diverse.kernel.kernel import DType, Kernel
from diverse.kernel.packed import PackedCells, PackedPairs
from diverse.kernel.pairs import NeighbourPairs, position_gradient
from diverse.kernel.settings import BispectrumSettings

Array = np.ndarray[Any, np.dtype[Any]]

ATOMS_AT_ONCE = 500  # of which Jacobians by pair are in memory while they are merged


class ForceMap(Protocol):
    """Linear map from slopes of environments to forces of cells, and its adjoint.

    Both methods take the numbers of some cells, shape (n_cells,), and rows for the atoms of these
    cells, in that order. Slopes are arrays, or on a card tensors.
    """

    def forces(self, cells: Array, slopes: Any) -> Array:
        """Return forces, shape (n, 3), eV/Å, for slopes, shape (n, D), eV."""
        ...

    def adjoint(self, cells: Array, cotangent: Array) -> Any:
        """Return the gradient of sum(cotangent * forces) by the slopes, shape (n, D)."""
        ...


class StoredJacobian:
    """The derivatives of all descriptors by all positions, periodic images merged, in memory.

    Parameters
    ----------
    cells : PackedCells
    settings : BispectrumSettings
    dtype : {"float64", "float32"}
        Type of what is stored; it is computed in float64.
    isa : str, optional
        Instruction set, as `Kernel` takes it: the order of sums depends on it.
    """

    def __init__(
        self,
        cells: PackedCells,
        settings: BispectrumSettings,
        dtype: DType,
        isa: str | None = None,
    ) -> None:
        self._dtype, self._first_atom = dtype, cells.first_atom
        pairs = cells.all_pairs()
        entry_of_pair, self._first, self._neighbour = _merge(pairs)
        self._n_components = settings.n_components
        self._rows = np.zeros((len(self._neighbour), 3, self._n_components), dtype=dtype)
        kernel = Kernel(settings, isa=isa)
        self._library = library.load(library.kernel_name(kernel.isa, dtype))
        for begin in range(0, len(pairs.first) - 1, ATOMS_AT_ONCE):
            end = min(begin + ATOMS_AT_ONCE, len(pairs.first) - 1)
            chunk = slice(pairs.first[begin], pairs.first[end])
            first = pairs.first[begin : end + 1] - pairs.first[begin]
            rows = kernel.jacobian(pairs.vector[chunk], first)
            library.call(
                self._function("merge_rows"),
                *(len(rows), entry_of_pair[chunk], None, self._n_components, rows, self._rows),
            )

    @staticmethod
    def largest_size(cells: PackedCells, settings: BispectrumSettings, dtype: DType) -> int:
        """Return the most bytes a map stores: it has a row for each pair, or for each two atoms."""
        sizes = np.diff(cells.first_atom)
        others = np.repeat(sizes - 1, sizes)
        n_entries = np.minimum(cells.n_neighbours, others).sum()
        return int(n_entries * 3 * settings.n_components * np.dtype(dtype).itemsize)

    def forces(self, cells: Array, slopes: Array) -> Array:
        """Return forces, shape (n, 3), eV/Å, for slopes, shape (n, D), eV."""
        return self._product("forces", cells, slopes, 3)

    def adjoint(self, cells: Array, cotangent: Array) -> Array:
        """Return the gradient of sum(cotangent * forces) by the slopes, shape (n, D)."""
        return self._product("slopes", cells, cotangent, self._n_components)

    def _product(self, name: str, cells: Array, given: Array, n_columns: int) -> Array:
        given = np.ascontiguousarray(given, dtype=self._dtype)
        cells = np.ascontiguousarray(cells, dtype=np.int64)
        sizes = self._first_atom[cells + 1] - self._first_atom[cells]
        place = np.concatenate([[0], np.cumsum(sizes)])
        result = np.empty((place[-1], n_columns), dtype=self._dtype)
        library.call(
            self._function(f"cell_{name}"),
            *(len(cells), cells, place, self._first_atom, self._first, self._neighbour),
            *(self._rows, self._n_components, np.int32(library.n_threads(None)), given, result),
        )
        return result

    def _function(self, name: str) -> Any:
        return getattr(self._library, f"diverse_{name}")


class ComputedJacobian:
    """Force map that stores nothing: the kernel's VJP and JVP compute it anew in each call.

    The pairs of the last cells are kept: a step of training asks for their forces, then for the
    adjoint.
    """

    def __init__(
        self,
        cells: PackedCells,
        settings: BispectrumSettings,
        dtype: DType,
        isa: str | None = None,
    ) -> None:
        self._cells, self._kernel = cells, Kernel(settings, dtype, isa=isa)
        self._numbers, self._found = np.empty(0, dtype=np.int64), cells.pairs_of(np.arange(0))

    def forces(self, cells: Array, slopes: Array) -> Array:
        """Return forces, shape (n, 3), eV/Å, for slopes, shape (n, D), eV."""
        pairs = self._pairs(cells)
        gradient = self._kernel.vjp(pairs.vector, pairs.first, slopes)
        return -position_gradient(pairs, gradient, len(slopes)).astype(self._kernel.dtype)

    def adjoint(self, cells: Array, cotangent: Array) -> Array:
        """Return the gradient of sum(cotangent * forces) by the slopes, shape (n, D)."""
        pairs = self._pairs(cells)
        tangent = cotangent[pairs.center] - cotangent[pairs.neighbour]
        return self._kernel.jvp(pairs.vector, pairs.first, tangent)

    def _pairs(self, cells: Array) -> NeighbourPairs:
        if not np.array_equal(cells, self._numbers):
            self._numbers, self._found = cells, self._cells.pairs_of(cells)
        return self._found


def _merge(pairs: PackedPairs) -> tuple[Array, Array, Array]:
    """Number the pairs of different atoms; those between the same two share their number.

    Returns
    -------
    entry_of_pair : ndarray of int64, shape (n_pairs,)
        -1 for an atom's own images.
    first : ndarray of int64, shape (n_atoms + 1,)
    neighbour : ndarray of int32, shape (n_entries,)
    """
    n_atoms = len(pairs.first) - 1
    center = np.repeat(np.arange(n_atoms), np.diff(pairs.first))
    sizes = np.diff(pairs.first_atom)
    own = np.arange(n_atoms) - np.repeat(pairs.first_atom[:-1], sizes)
    other = np.flatnonzero(pairs.neighbour != own[center])
    largest = int(sizes.max(initial=1))
    code = center[other] * largest + pairs.neighbour[other]
    entries, inverse = np.unique(code, return_inverse=True)
    entry_of_pair = np.full(len(pairs.neighbour), -1)
    entry_of_pair[other] = inverse
    first = np.searchsorted(entries // largest, np.arange(n_atoms + 1))
    return entry_of_pair, first, (entries % largest).astype(np.int32)
