"""Entropy, diversity and overlap of data sets by the `quests` package.

D. Schwalbe-Koda et al., Nat. Commun. 16, 4014 (2025): a Gaussian kernel of bandwidth h on 63
descriptors (distances of an atom to its 32 nearest neighbours within a cutoff, and among these).
The cutoff is the package's 5 Å, or 1.8 nearest-neighbour distances of the reference lattice where
these are longer: within 5 Å an atom of caesium has no neighbour. All measures follow from the
kernel sums k_i = sum_j K_h(x_i, x_j).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

CUTOFF = 5.0  # Å, the default of the package
REACH = 1.8  # of the nearest-neighbour distance: the cutoff at least
OVERLAP_TOLERANCE = 1e-5  # dH below this counts as covered: the default of `quests overlap`


def quests_threads(wanted: int) -> int:
    """Let the package use so many threads, or as many as this process may run on; return how many.

    A scheduler may bind a job to fewer cores than it was asked for, and numba, which counts those
    it is bound to when it starts, refuses more.

    Parameters
    ----------
    wanted : int
    """
    import numba

    allowed = min(wanted, int(numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    numba.set_num_threads(allowed)
    return allowed


def quests_bandwidths(choices: Sequence[float | str], volume: float) -> tuple[float, ...]:
    """Return bandwidths (1/Å); the word ``volume`` stands for the package's own rule.

    Parameters
    ----------
    choices : sequence of float or str
    volume : float, Å^3
        Volume per atom of the reference lattice, which the rule is applied to.
    """
    from quests.entropy import get_bandwidth

    return tuple(
        float(get_bandwidth(volume)) if choice == "volume" else float(choice) for choice in choices
    )


def quests_cutoff(nearest_neighbour: float) -> float:
    """Return the cutoff (Å) of the descriptors: 5 Å, or 1.8 nearest-neighbour distances if longer.

    Parameters
    ----------
    nearest_neighbour : float, Å
        Distance of nearest neighbours in the reference lattice.
    """
    return max(CUTOFF, REACH * nearest_neighbour)


def quests_descriptors(cells: Sequence[Atoms], cutoff: float) -> np.ndarray:
    """Return the descriptors of every environment, shape (n_atoms, 63), 1/Å.

    Parameters
    ----------
    cells : sequence of Atoms
    cutoff : float, Å
        Neighbours beyond it do not count; see `quests_cutoff`.

    Notes
    -----
    quests 2026.2.22 sees no periodic images in a left-handed cell; such cells are described by
    the reversed cell vectors, which span the same lattice.
    """
    from quests.descriptor import get_descriptors

    periodic = []
    for cell in cells:
        vectors = cell.cell.array * np.sign(np.linalg.det(cell.cell.array))
        periodic.append(Atoms(cell.symbols, cell.positions, cell=vectors, pbc=True))
    return np.asarray(get_descriptors(periodic, cutoff=cutoff))


def kernel_sums(
    points: np.ndarray, reference: np.ndarray, bandwidths: Sequence[float]
) -> np.ndarray:
    """Return sum_j exp(-|x_i - y_j|^2 / 2 h^2) for each point and bandwidth, shape (n, n_h)."""
    from quests.entropy import kernel_sum_multi_bandwidth

    return np.asarray(kernel_sum_multi_bandwidth(points, reference, h=np.array(bandwidths)))


def quests_entropy(sums: np.ndarray) -> np.ndarray:
    """Return H = -<log(k_i / n)> (nats) from a set's sums over itself, shape (n, n_h)."""
    return -np.log(sums / len(sums)).mean(axis=0)


def quests_diversity(sums: np.ndarray) -> np.ndarray:
    """Return D = log sum_i 1 / k_i (nats) from a set's sums over itself, shape (n, n_h).

    D is the logarithm of the number of unique environments.
    """
    return np.log((1 / sums).sum(axis=0))


def quests_overlap(sums: np.ndarray) -> np.ndarray:
    """Return the fraction of points with dH = -log k_i < 1e-5.

    `sums`, shape (n, n_h), are the kernel sums of the points over a reference set.

    An environment is covered when the kernel over the reference adds up to one: one identical
    environment there, or several similar ones.
    """
    return (sums > np.exp(-OVERLAP_TOLERANCE)).mean(axis=0)
