"""Measures of diversity against closed forms and invariances."""

import math

import numpy as np
import pytest

from diverse.descriptors.statistics import REGULARISATION
from diverse.diversity import (
    distinct,
    effective_rank,
    log_det,
    nearest_distances,
    nearest_neighbour_entropy,
)
from diverse.diversity.measures import DUPLICATE


def cross(*lengths: float) -> np.ndarray:
    """Points at +-length on each axis: their covariance is diagonal, lengths^2 / dimension."""
    axes = np.diag(lengths)
    return np.concatenate([axes, -axes])


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 5))


@pytest.mark.parametrize("dimension", [1, 2, 7])
def test_effective_rank_of_equal_variances_is_the_dimension(dimension):
    points = cross(*[3.0] * dimension)
    if dimension == 1:
        points = np.column_stack([points, np.zeros(2)])
    assert effective_rank(points) == pytest.approx(dimension, rel=1e-12)


def test_effective_rank_of_two_unequal_variances():
    share = 0.2  # variances 1 : 4
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert effective_rank(cross(1, 2)) == pytest.approx(math.exp(entropy), rel=1e-12)


def test_effective_rank_of_one_point_repeated_is_zero():
    assert effective_rank(np.ones((4, 3))) == 0


def test_log_det_of_known_variances():
    exact = sum(math.log(length**2 / 3 + REGULARISATION) for length in (1, 2, 5))
    assert log_det(cross(1, 2, 5)) == pytest.approx(exact, rel=1e-12)


def test_copies_change_neither_log_det_nor_rank_nor_entropy(cloud):
    copies = np.concatenate([cloud, cloud, cloud])
    for measure in (log_det, effective_rank, nearest_neighbour_entropy):
        assert measure(copies) == pytest.approx(measure(cloud), rel=1e-9)


def test_near_duplicates_change_the_entropy_by_what_they_are_apart(cloud):
    shifted = cloud + 0.1 * DUPLICATE
    joined = nearest_neighbour_entropy(np.concatenate([cloud, shifted]))
    assert joined == pytest.approx(nearest_neighbour_entropy(cloud), rel=1e-9)


def test_nearest_neighbour_entropy_of_a_gaussian():
    sigma, dimension, n = 0.7, 3, 4000
    estimates = [
        nearest_neighbour_entropy(np.random.default_rng(s).normal(0, sigma, (n, dimension)))
        for s in range(20)
    ]
    exact = 0.5 * dimension * math.log(2 * math.pi * math.e * sigma**2)
    error = np.std(estimates, ddof=1) / math.sqrt(len(estimates))
    # bias of the estimator at this n is below 0.01; four standard errors of the mean on top
    assert np.mean(estimates) == pytest.approx(exact, abs=4 * error + 0.01)


def test_entropy_of_scaled_points_grows_by_the_logarithm_of_the_volume(cloud):
    grown = nearest_neighbour_entropy(2 * cloud)
    assert grown == pytest.approx(nearest_neighbour_entropy(cloud) + 5 * math.log(2), rel=1e-9)


def test_entropy_needs_two_distinct_environments():
    with pytest.raises(ValueError, match="at least 2 distinct environments, got 1"):
        nearest_neighbour_entropy(np.zeros((6, 3)))


def test_distinct_joins_chains_and_keeps_the_first():
    line = np.array([[0.0], [1.0], [1.0], [1 + 0.8 * DUPLICATE], [1 + 1.6 * DUPLICATE], [5.0]])
    np.testing.assert_array_equal(distinct(line), [0, 1, 5])


def test_nearest_distances():
    points, reference = np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[3.0, 4.0]])
    np.testing.assert_allclose(nearest_distances(points, reference), [5, math.hypot(7, 4)])
    np.testing.assert_allclose(nearest_distances(points), [10, 10])
    np.testing.assert_array_equal(nearest_distances(points, points), [0, 0])


@pytest.mark.parametrize("measure", [log_det, effective_rank, nearest_neighbour_entropy])
def test_measures_do_not_depend_on_the_order(cloud, measure):
    shuffled = np.random.default_rng(1).permutation(np.concatenate([cloud, cloud[:20]]))
    ordered = np.concatenate([cloud, cloud[:20]])
    assert measure(shuffled) == pytest.approx(measure(ordered), rel=1e-9)
