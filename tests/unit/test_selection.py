"""Subsets of a data set: nested, deterministic, better than chance at what they are made for."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from diverse.datasets import selection
from diverse.datasets.selection import cell_means, farthest_points, minimum_set_cover, select_subset
from diverse.datasets.split import Outline, cluster_cells, split_cells
from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.whitening import Whitening
from diverse.kernel import BispectrumSettings

# numba says so, once, when it compiles the quests package
pytestmark = pytest.mark.filterwarnings("ignore:.*unsafe cast from uint64")

DESCRIPTOR = BispectrumSettings(4, 4.734)


def subset(cells, environments, method, seed=0):
    chosen = select_subset(
        lambda: iter(cells),
        np.array([len(cell) for cell in cells]),
        environments,
        method=method,
        descriptor=DESCRIPTOR,
        bandwidth=0.05,
        quests_cutoff=5.0,
        rng=np.random.default_rng(seed),
    )
    assert sum(len(cells[position]) for position in chosen) <= environments
    return chosen


@pytest.mark.parametrize("method", ["random", "farthest_point", "quests"])
def test_smaller_subsets_are_part_of_larger_ones(labelled, method):
    subsets = [subset(labelled, size, method) for size in (10, 30, 60, 10_000)]
    for smaller, larger in pairwise(subsets):
        assert larger[: len(smaller)] == smaller
    assert sorted(subsets[-1]) == list(range(len(labelled)))
    assert sum(len(labelled[i]) for i in subsets[1]) > 30 - max(map(len, labelled))


def test_a_subset_too_small_for_a_cell_is_refused(labelled):
    with pytest.raises(ValueError, match="subset of 1 environments would be empty: .* [24] atoms"):
        subset(labelled, 1, "random")


def test_farthest_points_of_a_line():
    line = np.array([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [10.0, 0.0]])
    assert farthest_points(line, start=0).tolist() == [0, 3, 2, 1]
    assert farthest_points(np.zeros((1, 2)), start=0).tolist() == [0]


def test_farthest_points_lie_apart(labelled):
    means = cell_means(labelled, DESCRIPTOR)
    chosen = farthest_points(means, start=3)[:8]
    drawn = [np.random.default_rng(seed).permutation(len(means))[:8] for seed in range(20)]
    assert pdist(means[chosen]).min() > max(pdist(means[some]).min() for some in drawn)
    left = np.setdiff1d(np.arange(len(means)), chosen)  # what makes the order what it is
    assert cdist(means[left], means[chosen]).min(axis=1).max() <= pdist(means[chosen]).min()


def test_copies_come_last_in_a_set_cover(labelled):
    order = minimum_set_cover([*labelled[:6], *labelled[:6]], 0.005, 5.0, 12)
    assert sorted(index % 6 for index in order[:6]) == list(range(6))


def test_means_are_white(labelled):
    single = [cell for cell in labelled if len(cell) == 2]
    means = cell_means(single, DESCRIPTOR)
    assert means.shape == (len(single), DESCRIPTOR.n_components)
    np.testing.assert_allclose(means.mean(axis=0), 0, atol=1e-6)  # equal sizes: mean of the means


def test_means_are_those_of_all_descriptors_at_once(labelled, monkeypatch):
    at_once = environment_descriptors(labelled, DESCRIPTOR)
    white = Whitening.of(at_once)(at_once)
    first = np.cumsum([0, *map(len, labelled)])
    expected = [white[start:end].mean(axis=0) for start, end in pairwise(first)]
    monkeypatch.setattr(selection, "BATCH", 7)
    means = cell_means(iter(labelled), DESCRIPTOR)
    np.testing.assert_allclose(means, expected, rtol=1e-6, atol=1e-6)


def test_clusters_hold_whole_trajectories_and_what_is_alike(labelled):
    cells = [cell.copy() for _ in range(2) for cell in labelled]
    for number, cell in enumerate(cells):
        cell.info["trajectory"] = f"t{number // 2}"
    outlines, means = [*map(Outline.of, cells)], cell_means(cells, DESCRIPTOR)
    labels = cluster_cells(outlines, means, 5, seed=1)
    assert len(set(labels)) == 5
    assert labels[::2] == labels[1::2]
    assert labels[: len(labelled)] == labels[len(labelled) :]
    assert labels == cluster_cells(outlines, means, 5, seed=1)
    train, test = split_cells(outlines, 0.4, None, np.random.default_rng(0), labels)
    assert len({labels[i] for i in test}) == 2
    assert not {labels[i] for i in train} & {labels[i] for i in test}
    assert len(train) + len(test) == len(cells)
