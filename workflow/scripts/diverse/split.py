"""Training and test parts of a data set, without leaks between them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings
from diverse.selection import cell_means


class MixedLabelsError(ValueError):
    """Labels of one data set are not of one protocol."""


def check_labels(cells: Sequence[Atoms], dataset: str) -> None:
    """Refuse cells whose labels come from more than one protocol.

    Raises
    ------
    MixedLabelsError
        Energies of two protocols have different zeros, so that no model fits both.
    """
    counts = Counter(str(cell.info["protocol"]) for cell in cells)
    if len(counts) > 1:
        parts = ", ".join(f"{protocol} ({count} cells)" for protocol, count in counts.items())
        raise MixedLabelsError(
            f"data set {dataset} mixes labels of {len(counts)} protocols, whose energies are not "
            f"comparable: {parts}; remove the chunks of labels/{dataset}/ that are not of its "
            "labeller and run the same command again, or set split.mixed_labels: true"
        )


def split_cells(
    cells: Sequence[Atoms],
    test_fraction: float,
    train_environments: int | None,
    rng: np.random.Generator,
    clusters: Sequence[int] | None = None,
) -> tuple[list[Atoms], list[Atoms]]:
    """Hold out whole trajectories, evenly over the groups, and cut the training part to size.

    Parameters
    ----------
    cells : sequence of Atoms
        Tagged with ``config_type`` and ``trajectory``.
    test_fraction : float
        Part of the trajectories that goes to the test part; 1 sends everything there.
    train_environments : int or None
        The training part is thinned to at most this many environments, in whole cells.
    clusters : sequence of int, optional
        Label of each cell: whole clusters are held out instead, whatever their group.

    Returns
    -------
    train, test : list of Atoms
    """
    names = [(cell.info["config_type"], cell.info["trajectory"]) for cell in cells]
    if clusters is not None:
        names = [("", str(label)) for label in clusters]
    units: dict[tuple[str, str], list[Atoms]] = defaultdict(list)
    for name, cell in zip(names, cells, strict=True):
        units[name].append(cell)
    keys = sorted(units)
    shuffled = [keys[i] for i in rng.permutation(len(keys))]
    ordered = sorted(shuffled, key=lambda key: key[0])  # groups in line, random inside
    position = (np.arange(len(ordered)) + rng.uniform()) * test_fraction
    held_out = np.floor(position + test_fraction) > np.floor(position)
    test = [c for key, out in zip(ordered, held_out, strict=True) if out for c in units[key]]
    train = [c for key, out in zip(ordered, held_out, strict=True) if not out for c in units[key]]
    if train_environments is not None:
        train = _thin(train, train_environments, rng)
    return train, test


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
    cells: Sequence[Atoms], descriptor: BispectrumSettings, n_clusters: int, seed: int
) -> list[int]:
    """Return the cluster of each cell: k-means on whitened cell means of the descriptor.

    Cells of one trajectory share the cluster of their mean, so that no trajectory is split.
    """
    from sklearn.cluster import KMeans

    names = [f"{cell.info['config_type']} {cell.info['trajectory']}" for cell in cells]
    trajectories, member = np.unique(names, return_inverse=True)
    sums = np.zeros((len(trajectories), descriptor.n_components))
    np.add.at(sums, member, cell_means(cells, descriptor))
    points = sums / np.bincount(member)[:, None]
    kmeans = KMeans(min(n_clusters, len(points)), n_init=4, random_state=seed)
    return [int(label) for label in kmeans.fit_predict(points)[member]]


def _thin(cells: list[Atoms], environments: int, rng: np.random.Generator) -> list[Atoms]:
    """Keep whole cells, drawn at random, as long as they fit into `environments`."""
    kept, room = set(), environments
    for index in rng.permutation(len(cells)):
        if len(cells[index]) <= room:
            kept.add(int(index))
            room -= len(cells[index])
    return [cell for index, cell in enumerate(cells) if index in kept]
