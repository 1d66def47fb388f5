"""Information entropy of whitened descriptors with its gradient.

Both estimators take the whitened descriptors of many cells of equal size, shape (g, n, D), and
return one value and the gradient with respect to the descriptors for each; the numbers of a cell
do not depend, to the last bit, on the other cells of the call.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.lapack import dposv

from diverse.descriptors.statistics import REGULARISATION, SetStatistics

SMALLEST_DISTANCE = 0.05  # whitened units; nearer descriptors count as hardly different


class CellEntropy:
    """First-neighbour entropy inside each cell, times its number of environments n.

    n S = D sum_i log sqrt(r_i^2 + s^2), r_i the distance of environment i to the nearest other
    one of its cell: the estimator of Kozachenko and Leonenko, Probl. Inf. Transm. 23, 95 (1987),
    as used by Karabin and Perez, J. Chem. Phys. 153, 094110 (2020), without the terms that no
    position changes. s regularises: equivalent atoms have r = 0.

    It needs at least 3 atoms: the two atoms of a 2-atom cell are equivalent by inversion.
    """

    def __call__(self, white: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the entropy n S, shape (g,), and its gradient by `white`, shape (g, n, D).

        Raises
        ------
        ValueError
            For cells of fewer than 3 atoms.
        """
        n_cells, n, n_components = white.shape
        if n < 3:
            raise ValueError(
                f"the first-neighbour entropy of a cell needs at least 3 atoms, got {n}: the atoms "
                "of smaller cells are equivalent; use estimator 'set' or larger cells"
            )
        centred = white - white.mean(axis=1, keepdims=True)
        overlap = centred @ centred.transpose(0, 2, 1)  # (g, n, n)
        norms = np.einsum("gii->gi", overlap)
        squared = norms[:, :, None] + norms[:, None, :] - 2 * overlap
        squared[:, range(n), range(n)] = np.inf
        nearest = squared.argmin(axis=2)  # (g, n)
        cell = np.arange(n_cells)[:, None]
        away = centred - centred[cell, nearest]  # (g, n, D), exact where `squared` is rounded
        distance = (away**2).sum(axis=2) + SMALLEST_DISTANCE**2
        gradient = n_components * away / distance[:, :, None]
        pushed = gradient.copy()
        np.subtract.at(pushed, (cell, nearest), gradient)
        return 0.5 * n_components * np.log(distance).sum(axis=1), pushed


class SetEntropy:
    """Entropy of everything accepted so far and one cell, times the number of environments.

    With N environments accepted, scatter S_0 and mean m_0, and the n of the cell as rows of Y,
    less m_0, the scatter of all is S_0 + Y^T P Y, P = 1 - 11^T / (N + n), and
    (N + n) S = (N + n) / 2 log det((S_0 + Y^T P Y) / (N + n) + eps I): the whole-set form of
    Subramanyam and Perez, npj Comput. Mater. 11, 218 (2025). In the eigenvectors of S_0 the
    matrix determinant lemma (Sylvester) leaves an n x n determinant for each cell, so nothing
    grows with N. Cells see the statistics, not each other.
    """

    def __init__(self, statistics: SetStatistics) -> None:
        self.count = statistics.count
        self.mean = statistics.mean
        variance, self.axes = np.linalg.eigh(statistics.scatter)
        self.variance = np.clip(variance, 0, None)

    def __call__(self, white: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the entropy (N + n) S, shape (g,), and its gradient by `white`, (g, n, D)."""
        _, n, n_components = white.shape
        total = self.count + n
        known = self.variance + total * REGULARISATION  # eigenvalues of S_0 + (N + n) eps I
        scaling = self.axes / np.sqrt(known)  # (D, D)
        scaled = white @ scaling - self.mean @ scaling  # (g, n, D)
        rooted = self._root(scaled)  # P^(1/2) Y
        lemma = np.eye(n) + rooted @ rooted.transpose(0, 2, 1)  # (g, n, n)
        log_det = np.empty(len(white))
        solved = np.empty_like(rooted)  # lemma^-1 P^(1/2) Y
        for cell in range(len(white)):
            factor, solved[cell], _ = dposv(lemma[cell], rooted[cell])
            log_det[cell] = 2 * np.log(np.diagonal(factor)).sum()
        log_det += np.log(known).sum() - n_components * math.log(total)
        gradient = self._root(solved) @ np.ascontiguousarray(total * scaling.T)
        return 0.5 * total * log_det, gradient

    def _root(self, rows: np.ndarray) -> np.ndarray:
        """Return P^(1/2) Y, shape (g, n, D): P shortens only what all rows have in common."""
        n = rows.shape[1]
        share = 1 - math.sqrt(self.count / (self.count + n))
        return rows - share * rows.mean(axis=1, keepdims=True)
