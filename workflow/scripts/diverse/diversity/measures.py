"""Measures of a set of points in whitened descriptor space, shape (n, D)."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from scipy.special import digamma, gammaln

from diverse.descriptors.statistics import SetStatistics

DUPLICATE = 1e-3  # environments closer than this, in whitened units, are one


def log_det(white: np.ndarray) -> float:
    """Return log det (C + 1e-3 I) of the covariance C of `white`, shape (n, D).

    Twice the entropy of a Gaussian with this covariance, without its constant: the whole-set
    objective of Subramanyam and Perez, npj Comput. Mater. 11, 218 (2025). Copies of a whole set
    leave it as it is.
    """
    return SetStatistics.of(white).log_det()


def effective_rank(white: np.ndarray) -> float:
    """Return the exponential of the entropy of the normalised covariance spectrum.

    Between 1 (all variance along one direction) and D (equal variance in all): O. Roy and
    M. Vetterli, EUSIPCO 2007. Heavy tails along few directions lower it. Identical points have no
    direction and give 0.
    """
    variance = np.linalg.eigvalsh(np.cov(white, rowvar=False, bias=True)).clip(min=0)
    if not variance.any():
        return 0.0
    share = variance[variance > 0] / variance.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def distinct(white: np.ndarray) -> np.ndarray:
    """Return the indices, in order, of one environment of each group of duplicates.

    Two environments belong to one group when a chain of steps shorter than `DUPLICATE` joins them.
    """
    _, kept = np.unique(white.round(9), axis=0, return_index=True)  # exact copies, cheaply
    kept.sort()
    pairs = cKDTree(white[kept]).query_pairs(DUPLICATE, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(kept), len(kept)))
    _, group = connected_components(links, directed=False)
    return kept[np.sort(np.unique(group, return_index=True)[1])]


def nearest_neighbour_entropy(white: np.ndarray) -> float:
    """Return the Kozachenko-Leonenko estimate of the differential entropy (nats).

    H = D <log r_1> + log V_D + psi(n) - psi(1), with r_1 the distance to the nearest neighbour and
    V_D the volume of the unit ball: L. F. Kozachenko, N. N. Leonenko, Probl. Inf. Transm. 23, 95
    (1987), as used by Karabin and Perez, J. Chem. Phys. 153, 094110 (2020). Log r_1 of a duplicate
    diverges, so the entropy is that of the `distinct` environments: duplicates add nothing.

    Raises
    ------
    ValueError
        If fewer than two environments are distinct.
    """
    points = white[distinct(white)]
    n, dimension = points.shape
    if n < 2:
        raise ValueError(
            f"nearest-neighbour entropy needs at least 2 distinct environments, got {n}"
        )
    log_ball = 0.5 * dimension * math.log(math.pi) - gammaln(0.5 * dimension + 1)
    mean_log = np.log(nearest_distances(points)).mean()
    return float(dimension * mean_log + log_ball + digamma(n) - digamma(1))


def nearest_distances(white: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Return each environment's distance to the nearest of `reference`, whitened units.

    Parameters
    ----------
    white : ndarray, shape (n, D)
    reference : ndarray, shape (m, D), optional
        Without it, the nearest other environment of `white` counts.

    Returns
    -------
    ndarray, shape (n,)
    """
    if reference is None:
        return np.asarray(cKDTree(white).query(white, k=2)[0][:, 1])
    return np.asarray(cKDTree(reference).query(white)[0])
