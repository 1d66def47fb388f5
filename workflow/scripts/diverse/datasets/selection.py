"""Subsets of a given data set: orders to take its cells in, whose beginnings are nested subsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.statistics import SetStatistics
from diverse.descriptors.whitening import Whitening
from diverse.diversity import quests_descriptors
from diverse.kernel import BispectrumSettings
from diverse.structures import batches

METHODS = ("random", "farthest_point", "quests")
BATCH = 4096  # environments whose descriptors are held together


def select_subset(
    cells: Callable[[], Iterable[Atoms]],
    sizes: np.ndarray,
    environments: int,
    *,
    method: str,
    descriptor: BispectrumSettings,
    bandwidth: float,
    quests_cutoff: float,
    rng: np.random.Generator,
) -> list[int]:
    """Take cells in the order of a method as long as they fit into `environments`.

    With the same stream, the subset for fewer environments is part of the subset for more.

    Parameters
    ----------
    cells : callable
        Gives the cells, the same at each call; a random subset asks for none.
    sizes : ndarray of int, shape (n_cells,)
        Atoms of each cell.
    environments : int
    method : {"random", "farthest_point", "quests"}
        ``farthest_point``: in whitened cell means of the descriptor, by scikit-matter; ``quests``:
        minimum set cover of the `quests` package, cells that are novel and diverse first.
    bandwidth : float, 1/Å
        Bandwidth of the QUESTS kernel.
    quests_cutoff : float, Å
        Cutoff of the QUESTS descriptors.

    Returns
    -------
    list of int
        Positions of the cells taken, in the order of the method.

    Raises
    ------
    ValueError
        If not even the first cell fits.
    """
    if not len(sizes):
        return []
    if method == "random":
        order = rng.permutation(len(sizes))
    elif method == "farthest_point":
        start = int(rng.integers(len(sizes)))
        order = farthest_points(cell_means(cells(), descriptor), start)
    else:
        most = np.searchsorted(np.cumsum(np.sort(sizes)), environments, "right")
        order = minimum_set_cover(list(cells()), bandwidth, quests_cutoff, max(1, int(most)))
    fitting = np.searchsorted(np.cumsum(sizes[order]), environments, "right")
    if not fitting:
        raise ValueError(
            f"a subset of {environments} environments would be empty: the first cell that {method} "
            f"takes has {sizes[order[0]]} atoms; raise environments to at least that"
        )
    return [int(position) for position in order[:fitting]]


def farthest_points(points: np.ndarray, start: int) -> np.ndarray:
    """Return the order in which each next point is the farthest from all before it.

    Parameters
    ----------
    points : ndarray, shape (n, D)
    start : int
        Index of the first point.
    """
    from skmatter.sample_selection import FPS

    if len(points) == 1:
        return np.array([0])
    selector = FPS(n_to_select=len(points), initialize=start, score_threshold=None)
    return np.asarray(selector.fit(points).selected_idx_)


def minimum_set_cover(
    cells: Sequence[Atoms], bandwidth: float, cutoff: float, n_cells: int
) -> np.ndarray:
    """Return the first `n_cells` cells in the order of QUESTS' minimum set cover.

    D. Schwalbe-Koda et al., Nat. Commun. 16, 4014 (2025). Its cost grows with the square of the
    number of cells: for a few thousand at most.

    Parameters
    ----------
    cells : sequence of Atoms
    bandwidth : float, 1/Å
    cutoff : float, Å
        Cutoff of the descriptors.
    n_cells : int
    """
    from quests.compression.fps import msc
    from quests.entropy import entropy

    descriptors = [quests_descriptors([cell], cutoff) for cell in cells]
    entropies = np.array([entropy(own, h=bandwidth) for own in descriptors])
    with np.errstate(divide="ignore"):  # an environment no kernel reaches is infinitely novel
        return np.array(msc(descriptors, entropies, n_cells, h=bandwidth))


def cell_means(cells: Iterable[Atoms], descriptor: BispectrumSettings) -> np.ndarray:
    """Return the mean of each cell's whitened descriptors, shape (n_cells, D)."""
    means, statistics = [], SetStatistics.empty(descriptor.n_components)
    for batch in batches(cells, BATCH):
        descriptors = environment_descriptors(batch, descriptor)
        statistics = statistics.merged(SetStatistics.of(descriptors))
        sizes = np.array([len(cell) for cell in batch])
        first = np.cumsum(sizes) - sizes
        means.append(np.add.reduceat(descriptors, first) / sizes[:, None])
    return Whitening.of_statistics(statistics)(np.concatenate(means))
