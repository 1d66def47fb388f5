"""Samples of the environments of a data set, described for every measure and figure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.diversity.quests_kernel import quests_descriptors
from diverse.kernel import BispectrumSettings
from diverse.neighbours import find_pairs, shortest_distance


@dataclass(frozen=True)
class EnvironmentSample:
    """Whole cells drawn from a data set, and what is known of their environments.

    Attributes
    ----------
    descriptors : ndarray, shape (n, D)
        Bispectrum components.
    quests : ndarray, shape (n, 63), 1/Å
        Descriptors of the `quests` package.
    coordination : ndarray of int, shape (n,)
        Neighbours nearer than the given distance.
    cell : ndarray of int, shape (n,)
        Index of the drawn cell each environment belongs to.
    d_min : ndarray, shape (n_cells,), Å
        Shortest interatomic distance of each cell.
    volume : ndarray, shape (n_cells,), Å^3
        Volume per atom of each cell.
    total_cells, total_environments : ndarray of int, shape ()
        Size of the whole data set.
    """

    descriptors: np.ndarray
    quests: np.ndarray
    coordination: np.ndarray
    cell: np.ndarray
    d_min: np.ndarray
    volume: np.ndarray
    total_cells: np.ndarray
    total_environments: np.ndarray

    def __len__(self) -> int:
        return len(self.descriptors)

    def save(self, path: str | Path) -> None:
        """Write all arrays of the sample to an .npz."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> EnvironmentSample:
        """Read the sample from the .npz that `save` wrote."""
        return cls(**np.load(path))


def sample_environments(
    cells: Iterable[Atoms],
    environments: int,
    settings: BispectrumSettings,
    *,
    coordination_radius: float,
    quests_cutoff: float,
    rng: np.random.Generator,
) -> EnvironmentSample:
    """Draw whole cells with at most `environments` environments and describe them.

    Parameters
    ----------
    cells : iterable of Atoms
        Read once, so a generator over many files will do; labels and tags are not needed.
    environments : int
        Upper limit; a smaller set is taken whole.
    settings : BispectrumSettings
    coordination_radius : float, Å
        Neighbours within it are counted as coordination.
    quests_cutoff : float, Å
        Cutoff of the QUESTS descriptors.
    rng : numpy Generator

    Raises
    ------
    ValueError
        If there is no cell, or one that is not periodic in three directions.
    """
    drawn, total_cells, total_environments = sample_cells(cells, environments, rng)
    pairs = find_pairs(drawn, coordination_radius)
    return EnvironmentSample(
        descriptors=environment_descriptors(drawn, settings),
        quests=quests_descriptors(drawn, quests_cutoff),
        coordination=np.diff(pairs.first),
        cell=pairs.cell_of_atom,
        d_min=np.array([shortest_distance(cell) for cell in drawn]),
        volume=np.array([cell.get_volume() / len(cell) for cell in drawn]),
        total_cells=np.array(total_cells),
        total_environments=np.array(total_environments),
    )


def sample_cells(
    cells: Iterable[Atoms], environments: int, rng: np.random.Generator
) -> tuple[Sequence[Atoms], int, int]:
    """Draw whole cells at random with at most `environments` atoms in all, reading them once.

    Every cell gets a random key and the cells of lowest keys stay, so memory holds no more than
    the sample.

    Returns
    -------
    drawn : list of Atoms
        In the order they came; at least one.
    total_cells, total_environments : int
        Number of cells and atoms read.
    """
    kept: list[tuple[float, int, Atoms]] = []
    total_cells = total_environments = size = 0
    for index, cell in enumerate(cells):
        if not cell.pbc.all():
            raise ValueError(
                f"cell {index} is not periodic in all three directions; "
                "give it vacuum and set pbc to true"
            )
        total_cells, total_environments = index + 1, total_environments + len(cell)
        heapq.heappush(kept, (-rng.uniform(), index, cell))
        size += len(cell)
        while size > environments and len(kept) > 1:
            size -= len(heapq.heappop(kept)[2])
    if not kept:
        raise ValueError("the data set holds no cells, so there is nothing to compare")
    drawn = [cell for _, _, cell in sorted(kept, key=lambda entry: entry[1])]
    return drawn, total_cells, total_environments


def draw_environments(cell: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw exactly `n` environments in whole cells, the last one cut; return their indices.

    Environments of one cell resemble each other. Drawn one by one, a large set would lose its
    close pairs and look more diverse than a small one of the same kind.

    Parameters
    ----------
    cell : ndarray of int, shape (n_environments,)
        The cell each environment belongs to.
    """
    place = rng.permutation(int(cell.max()) + 1)  # of each cell in the queue
    return np.sort(np.argsort(place[cell], kind="stable")[:n])
