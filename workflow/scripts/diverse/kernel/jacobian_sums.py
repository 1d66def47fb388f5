"""Sums over pairs and environments that turn the Jacobian into rows of force fits."""

from typing import Any

import numpy as np

from diverse.kernel import library

Array = np.ndarray[Any, np.dtype[Any]]


def merged_jacobian(jacobian: Array, moved: Array, center: Array, n_entries: int) -> Array:
    """Return derivatives of descriptors by positions, where each entry collects many pairs.

    Parameters
    ----------
    jacobian : ndarray, shape (n_pairs, D, 3), 1/Å
        Derivatives that `Kernel.jacobian` returns.
    moved, center : ndarray of int, shape (n_pairs,)
        The entries that a pair is added to, as its neighbour moves, and taken from, as its center
        does.
    n_entries : int

    Returns
    -------
    ndarray, shape (n_entries, 3, D), 1/Å
    """
    n_pairs, n_components, _ = jacobian.shape
    merged = np.zeros((n_entries, 3, n_components))
    library.call(
        _function("merge_rows"),
        *(n_pairs, _ints(moved), _ints(center), n_components, jacobian, merged),
    )
    return merged


def quadratic_rows(first: Array, center: Array, gradient: Array, value: Array) -> Array:
    """Return derivatives of 1, x_k and x_k x_m, summed over environments, by positions.

    Parameters
    ----------
    first : ndarray of int, shape (n_atoms + 1,)
        The entries of atom a, one for each environment that it moves, are first[a] to
        first[a + 1] - 1.
    center : ndarray of int, shape (n_entries,)
        Environment of each entry.
    gradient : ndarray, shape (n_entries, 3, D)
        Derivatives of the components x of that environment.
    value : ndarray, shape (n_environments, D)
        Components x of all environments.

    Returns
    -------
    ndarray, shape (n_atoms, 3, 1 + D + D (D + 1) / 2)
        Products with k <= m, row by row.
    """
    n_atoms, n = len(first) - 1, value.shape[1]
    rows = np.empty((n_atoms, 3, 1 + n + n * (n + 1) // 2))
    threads = np.int32(library.n_threads(None))
    library.call(
        _function("quadratic_rows"),
        *(n_atoms, _ints(first), _ints(center), n, threads, gradient, value, rows),
    )
    return rows


def _ints(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.int64)


def _function(name: str) -> Any:
    return getattr(
        library.load(library.kernel_name(library.chosen_isa(), "float64")), f"diverse_{name}"
    )
