"""Training and test parts of a data set, without leaks between them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms


class MixedLabelsError(ValueError):
    """Labels of one data set are not of one protocol."""


class Outline(NamedTuple):
    """Facts that decide where a cell goes: all that is kept of each cell of a set of any size."""

    group: str
    trajectory: str
    environments: int
    protocol: str | None

    @classmethod
    def of(cls, cell: Atoms) -> Outline:
        """Return the group, trajectory, number of atoms and label protocol of a cell."""
        return cls.of_info(cell.info, len(cell))

    @classmethod
    def of_info(cls, info: Mapping[str, Any], n_atoms: int) -> Outline:
        """Return the outline of a cell of which the `info` and the number of atoms are known."""
        group, trajectory = (intern(info[name]) for name in ("config_type", "trajectory"))
        protocol = info.get("protocol")
        return cls(group, trajectory, n_atoms, protocol and intern(protocol))


def check_labels(cells: Sequence[Outline], dataset: str) -> None:
    """Refuse cells whose labels come from more than one protocol.

    Raises
    ------
    MixedLabelsError
        Energies of two protocols have different zeros, so that no model fits both.
    """
    counts = Counter(cell.protocol for cell in cells)
    if len(counts) > 1:
        parts = ", ".join(f"{protocol} ({count} cells)" for protocol, count in counts.items())
        raise MixedLabelsError(
            f"data set {dataset} mixes labels of {len(counts)} protocols, whose energies are not "
            f"comparable: {parts}; remove the chunks of labels/{dataset}/ that are not of its "
            "labeller and run the same command again, or set split.mixed_labels: true"
        )


def split_cells(
    cells: Sequence[Outline],
    test_fraction: float,
    train_environments: int | None,
    rng: np.random.Generator,
    clusters: Sequence[int] | None = None,
) -> tuple[set[int], set[int]]:
    """Hold out whole trajectories, evenly over the groups, and cut the training part to size.

    Parameters
    ----------
    cells : sequence of Outline
    test_fraction : float
        Part of the trajectories that goes to the test part; 1 sends everything there.
    train_environments : int or None
        The training part is thinned to at most this many environments, in whole cells.
    clusters : sequence of int, optional
        Label of each cell: whole clusters are held out instead, whatever their group.

    Returns
    -------
    train, test : set of int
        Positions in `cells`.
    """
    names = [(cell.group, cell.trajectory) for cell in cells]
    if clusters is not None:
        names = [("", str(label)) for label in clusters]
    units: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        units[name].append(position)
    keys = sorted(units)
    shuffled = [keys[i] for i in rng.permutation(len(keys))]
    ordered = sorted(shuffled, key=lambda key: key[0])  # groups in line, random inside
    mark = (np.arange(len(ordered)) + rng.uniform()) * test_fraction
    held_out = np.floor(mark + test_fraction) > np.floor(mark)
    test = {i for key, out in zip(ordered, held_out, strict=True) if out for i in units[key]}
    train = [i for key, out in zip(ordered, held_out, strict=True) if not out for i in units[key]]
    if train_environments is not None:
        train = _thin(train, cells, train_environments, rng)
    return set(train), test


def dealt(cells: Iterable[Atoms], n_folds: int) -> Iterator[tuple[int, Atoms]]:
    """Deal whole trajectories to folds in the order in which they appear.

    Yields
    ------
    int, Atoms
        Number of the fold, from 0, and the cell: folds share no trajectory.
    """
    fold_of: dict[tuple[str, str], int] = {}
    for cell in cells:
        trajectory = (cell.info["config_type"], cell.info["trajectory"])
        yield fold_of.setdefault(trajectory, len(fold_of) % n_folds), cell


def cluster_cells(
    cells: Sequence[Outline], means: np.ndarray, n_clusters: int, seed: int
) -> list[int]:
    """Return the cluster of each cell: k-means on whitened cell means of the descriptor.

    Cells of one trajectory share the cluster of their mean, so that no trajectory is split.

    Parameters
    ----------
    cells : sequence of Outline
    means : ndarray, shape (n_cells, D)
        `selection.cell_means` of the same cells.
    n_clusters, seed : int
    """
    from sklearn.cluster import KMeans

    names = [f"{cell.group} {cell.trajectory}" for cell in cells]
    trajectories, member = np.unique(names, return_inverse=True)
    sums = np.zeros((len(trajectories), means.shape[1]))
    np.add.at(sums, member, means)
    points = sums / np.bincount(member)[:, None]
    kmeans = KMeans(min(n_clusters, len(points)), n_init=4, random_state=seed)
    return [int(label) for label in kmeans.fit_predict(points)[member]]


def _thin(
    positions: list[int], cells: Sequence[Outline], environments: int, rng: np.random.Generator
) -> list[int]:
    """Keep whole cells, drawn at random, as long as they fit into `environments`."""
    kept, room = [], environments
    for index in rng.permutation(len(positions)):
        if cells[positions[index]].environments <= room:
            kept.append(positions[index])
            room -= cells[positions[index]].environments
    return kept
