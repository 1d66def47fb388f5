"""Bispectrum components of batches of atoms, and their derivatives."""

import weakref
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from diverse.kernel import library
from diverse.kernel.settings import BispectrumSettings

Array = np.ndarray[Any, np.dtype[Any]]
DType = Literal["float64", "float32"]

MIN_DISTANCE = 1e-3  # Å; two atoms closer than this are an error, not a configuration


class Kernel:
    """The bispectrum B of every atom as a function of the vectors to its neighbours.

    Parameters
    ----------
    settings : BispectrumSettings
    dtype : {"float64", "float32"}
        Type of all computation and of all results.
    threads : int, optional
        OpenMP threads; by default as many as OpenMP would take (OMP_NUM_THREADS). Results do not
        depend on it, to the last bit, nor on which other atoms are in the same call.
    isa : str, optional
        Instruction set, one of `library.available_isas()`; by default `library.chosen_isa()`.

    Raises
    ------
    RuntimeError
        When the compiled kernel is missing, or DIVERSE_KERNEL_ISA names an instruction set that
        this CPU cannot run.

    Notes
    -----
    All methods take `vectors`, shape (n_pairs, 3), Å, from each atom to its neighbours, sorted
    by atom, and `first`, shape (n_atoms + 1,): the pairs of atom i are first[i] to
    first[i + 1] - 1, as in `NeighbourPairs`. Pairs beyond the cutoff contribute exact zeros. All
    raise ValueError for an array of the wrong shape, for numbers that are not finite, and for a
    vector shorter than 1e-3 Å or rmin0.

    Conventions are those of LAMMPS `compute sna/atom` with one element, switchflag 1: Bartok et
    al., Phys. Rev. B 87, 184115 (2013); Thompson et al., J. Comput. Phys. 285, 316 (2015).

    Results must not be asked for in a forked child process: OpenMP does not survive a fork.
    """

    def __init__(
        self,
        settings: BispectrumSettings,
        dtype: DType = "float64",
        threads: int | None = None,
        isa: str | None = None,
    ) -> None:
        if dtype not in ("float64", "float32"):
            raise ValueError(f"dtype is {dtype!r}; it must be 'float64' or 'float32'.")
        self.settings = settings
        self.dtype: DType = dtype
        self.isa = isa or library.chosen_isa()
        self.threads = threads
        self._n_components = settings.n_components
        self._n_threads = library.n_threads(threads)
        self._library = library.load(library.kernel_name(self.isa, dtype))
        self._handle = library.call_for_pointer(
            self._function("create"),
            np.int32(settings.twojmax),
            float(settings.cutoff),
            float(settings.rfac0),
            float(settings.rmin0),
            np.int32(settings.bzero),
        )
        weakref.finalize(self, library.call, self._function("free"), self._handle)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle settings, type and threads; the other process chooses its own library."""
        return Kernel, (self.settings, self.dtype, self.threads)

    def forward(self, vectors: Array, first: Array) -> Array:
        """Return the bispectrum components B of every atom, shape (n_atoms, D)."""
        vectors, first = self._checked_pairs(vectors, first)
        return self._forward(vectors, first, None)

    def vjp(self, vectors: Array, first: Array, cotangent: Array) -> Array:
        """Return the gradient of sum(cotangent * B) with respect to each vector.

        Parameters
        ----------
        cotangent : ndarray, shape (n_atoms, D)

        Returns
        -------
        ndarray, shape (n_pairs, 3), 1/Å
            `position_gradient` and `strain_gradient` (pairs.py) turn it into gradients with
            respect to positions and strain.
        """
        vectors, first = self._checked_pairs(vectors, first)
        return self._vjp(vectors, first, cotangent, None)

    def contracted_vjp(self, vectors: Array, first: Array, cotangent: Array) -> tuple[Array, Array]:
        """Return sum(cotangent * B) of every atom, shape (n_atoms,), and the result of `vjp`.

        The sums cost nothing: energies and forces of a linear model, without its descriptors.
        """
        vectors, first = self._checked_pairs(vectors, first)
        sums = np.empty(len(first) - 1, dtype=self.dtype)
        return sums, self._vjp(vectors, first, cotangent, None, sums)

    def forward_vjp(self, vectors: Array, first: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Return B, shape (n_atoms, D), and a function from a cotangent to the result of `vjp`.

        The neighbour sums U are kept for it: 2.5 kB per atom at twojmax 8 in float64.
        """
        vectors, first = self._checked_pairs(vectors, first)
        size = library.call(self._function("saved_size"), self._handle, len(first) - 1)
        saved = np.empty(size, dtype=self.dtype)
        components = self._forward(vectors, first, saved)
        return components, lambda cotangent: self._vjp(vectors, first, cotangent, saved)

    def jvp(self, vectors: Array, first: Array, tangent: Array) -> Array:
        """Return the change of B along a change of the vectors.

        Parameters
        ----------
        tangent : ndarray, shape (n_pairs, 3)

        Returns
        -------
        ndarray, shape (n_atoms, D)
        """
        vectors, first = self._checked_pairs(vectors, first)
        tangent = self._checked(tangent, "tangent", vectors.shape)
        change = np.empty((len(first) - 1, self._n_components), dtype=self.dtype)
        self._call("jvp", first, vectors, tangent, change)
        return change

    def jacobian(self, vectors: Array, first: Array) -> Array:
        """Return the derivative of B of each pair's center by its vector, (n_pairs, D, 3), 1/Å."""
        vectors, first = self._checked_pairs(vectors, first)
        rows = np.empty((len(vectors), self._n_components, 3), dtype=self.dtype)
        self._call("jacobian", first, vectors, rows)
        return rows

    def _forward(self, vectors: Array, first: Array, saved: Array | None) -> Array:
        components = np.empty((len(first) - 1, self._n_components), dtype=self.dtype)
        self._call("forward", first, vectors, components, saved)
        return components

    def _vjp(
        self,
        vectors: Array,
        first: Array,
        cotangent: Array,
        saved: Array | None,
        contraction: Array | None = None,
    ) -> Array:
        shape = (len(first) - 1, self._n_components)
        cotangent = self._checked(cotangent, "cotangent", shape)
        gradient = np.empty_like(vectors)
        self._call("vjp", first, vectors, cotangent, saved, gradient, contraction)
        return gradient

    def _function(self, name: str) -> Any:
        return getattr(self._library, f"diverse_{name}")

    def _call(self, name: str, first: Array, *arrays: Array | None) -> None:
        function, n_atoms, threads = self._function(name), len(first) - 1, np.int32(self._n_threads)
        library.call(function, self._handle, n_atoms, first, threads, *arrays)

    def _checked(self, array: Array, name: str, shape: tuple[int, ...]) -> Array:
        array = np.ascontiguousarray(array, dtype=self.dtype)
        if array.shape != shape:
            raise ValueError(f"{name} has the shape {array.shape}; it must be {shape}.")
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f"{name} holds a number that is not finite, at index {where}.")
        return array

    def _checked_pairs(self, vectors: Array, first: Array) -> tuple[Array, Array]:
        first = np.ascontiguousarray(first, dtype=np.int64)
        vectors = np.ascontiguousarray(vectors, dtype=self.dtype)
        if vectors.ndim != 2 or vectors.shape[1] != 3:
            raise ValueError(f"vectors has the shape {vectors.shape}; it must be (n_pairs, 3).")
        if first.ndim != 1 or len(first) == 0 or (np.diff(first) < 0).any():
            raise ValueError("first must be a list of n_atoms + 1 numbers that never decrease.")
        if first[0] != 0 or first[-1] != len(vectors):
            raise ValueError(
                f"first runs from {first[0]} to {first[-1]}; it must run from 0 to the number of "
                f"vectors, {len(vectors)}."
            )
        minimum = max(MIN_DISTANCE, float(self.settings.rmin0))
        bad = library.call(self._function("first_bad_vector"), len(vectors), vectors, minimum)
        if bad >= 0:
            atom = int(np.searchsorted(first, bad, side="right")) - 1
            raise ValueError(
                f"The vector of pair {bad}, of atom {atom}, is {vectors[bad].tolist()} Å: it must "
                f"be finite and longer than {minimum} Å."
            )
        return vectors, first
