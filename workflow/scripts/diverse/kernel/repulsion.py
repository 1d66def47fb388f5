"""A screened repulsion of atoms, summed over the pairs of cells in one pass."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from diverse.kernel import library
from diverse.kernel.pairs import NeighbourPairs

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Repulsion:
    """Screened Coulomb repulsion of two atoms, which is switched off between `inner` and `outer`.

    With phi(r) = sum_k a_k exp(-b_k r) and x = max(r - inner, 0), its energy is scale phi(r) / r +
    shift + x^3 (cubic / 3 + quartic x / 4), and 0 from `outer` on.

    Attributes
    ----------
    amplitude, rate : ndarray, shape (n_terms,)
        a_k, and b_k in 1/Å.
    scale : float, eV Å
    inner, outer : float, Å
    shift : float, eV
    cubic : float, eV/Å^3
    quartic : float, eV/Å^4
    """

    amplitude: Array
    rate: Array
    scale: float
    inner: float
    outer: float
    shift: float
    cubic: float
    quartic: float

    def add(
        self, pairs: NeighbourPairs, cell_of_atom: Array, n_cells: int, pair_gradient: Array
    ) -> Array:
        """Return the repulsion of each cell, and add its gradient by pair vectors to an array.

        The same bits on every processor.

        Parameters
        ----------
        pairs : NeighbourPairs
            Each pair from both of its ends, and so half of it each time.
        cell_of_atom : ndarray of int, shape (n_atoms,)
        n_cells : int
        pair_gradient : ndarray of float64, shape (n_pairs, 3), eV/Å
            Added to in place.

        Returns
        -------
        ndarray, shape (n_cells,), eV

        Raises
        ------
        ValueError
            If `pair_gradient` is no such array.
        """
        if pair_gradient.shape != pairs.vector.shape or pair_gradient.dtype != np.float64:
            raise ValueError(
                f"pair_gradient is {pair_gradient.dtype} of the shape {pair_gradient.shape}; "
                f"it must be float64 of the shape {pairs.vector.shape}."
            )
        cells = np.ascontiguousarray(cell_of_atom, dtype=np.int64)
        energies = np.zeros(n_cells)
        library.call(
            library.load("pairs").diverse_pairs_repulsion,
            *(len(cells), pairs.first, cells, pairs.vector, float(self.scale), len(self.rate)),
            *(self.amplitude, self.rate, float(self.inner), float(self.outer)),
            *(float(self.shift), float(self.cubic), float(self.quartic)),
            *(energies, pair_gradient),
        )
        return energies


def exponential_sums(x: Array, amplitude: Array, rate: Array) -> Array:
    """Return sum_k a_k exp(-b_k x) with its first and second derivative, shape (3, n).

    Each exponential is right to two units in the last place, the same bits on every processor: that
    of numpy is another one on processors with AVX-512.

    Parameters
    ----------
    x : ndarray, shape (n,)
    amplitude, rate : ndarray, shape (n_terms,)
        a_k and b_k; b_k x must be above -700, and counts as 700 where it is above that.
    """
    x = np.ascontiguousarray(x, dtype=float)
    sums = np.empty((3, len(x)))
    library.call(
        library.load("pairs").diverse_exponential_sums,
        *(len(x), x, len(rate), np.ascontiguousarray(amplitude), np.ascontiguousarray(rate), sums),
    )
    return sums
