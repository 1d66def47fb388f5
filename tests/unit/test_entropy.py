"""Entropy estimators and set statistics against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diverse.descriptors.statistics import REGULARISATION, SetStatistics, sum_statistics
from diverse.descriptors.whitening import Whitening
from diverse.generate.entropy import CellEntropy, SetEntropy

STEP = 1e-5
# central differences: truncation STEP^2 times third derivatives of order 1e3, rounding eps / STEP
# times values of order 1e3; ten times both
DIFFERENCE = 1e-5


def sample(n: int, dimension: int, seed: int = 0, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=spread, size=(n, dimension))


def test_gaussian_entropy_of_a_gaussian_sample():
    dimension, n = 4, 20_000
    factor = sample(dimension, dimension, seed=3)
    white = sample(n, dimension, seed=4) @ factor
    exact = math.log(abs(np.linalg.det(factor)))  # 1/2 log det of the covariance
    # log det of a Wishart matrix: variance 2 D / n, bias D (D + 1) / (2 n); the regularisation
    # adds eps times half the trace of the inverse covariance
    slack = 4 * math.sqrt(dimension / (2 * n)) + dimension * (dimension + 1) / (2 * n)
    slack += 0.5 * REGULARISATION * np.trace(np.linalg.inv(factor.T @ factor))
    assert SetStatistics.of(white).entropy() == pytest.approx(exact, abs=slack)


def test_log_det_equals_numpy():
    white = sample(40, 6, seed=1)
    covariance = np.cov(white, rowvar=False, bias=True) + REGULARISATION * np.eye(6)
    exact = np.linalg.slogdet(covariance)[1]
    assert SetStatistics.of(white).log_det() == pytest.approx(exact, rel=1e-12)


def test_duplicates_add_nothing_to_the_set_entropy():
    once = SetStatistics.of(sample(40, 6, seed=2))
    assert once.merged(once).entropy() == pytest.approx(once.entropy(), rel=1e-12)


def test_set_entropy_of_few_environments_is_finite():
    assert math.isfinite(SetStatistics.of(sample(3, 30)).entropy())
    assert SetStatistics.empty(30).log_det() == pytest.approx(30 * math.log(REGULARISATION))


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 1000))
def test_statistics_of_parts_add_up_to_those_of_the_whole(sizes, seed):
    white = sample(sum(sizes), 5, seed) + 3.0
    parts = np.split(white, np.cumsum(sizes)[:-1])
    total, whole = sum_statistics([SetStatistics.of(p) for p in parts]), SetStatistics.of(white)
    assert total.count == whole.count == sum(sizes)
    np.testing.assert_allclose(total.mean, whole.mean, atol=1e-12)
    np.testing.assert_allclose(total.scatter, whole.scatter, atol=1e-9)


def test_statistics_survive_the_file(tmp_path):
    statistics = SetStatistics.of(sample(10, 4))
    statistics.save(tmp_path / "s.npz")
    again = SetStatistics.load(tmp_path / "s.npz")
    assert again.count == 10
    assert (again.scatter == statistics.scatter).all() and (again.mean == statistics.mean).all()


@pytest.mark.parametrize(("accepted", "n"), [(0, 3), (0, 1), (1, 4), (50, 1), (50, 40)])
def test_set_entropy_is_that_of_the_merged_statistics(accepted, n):
    before = SetStatistics.of(sample(accepted, 6, seed=5) + 1)
    cells = np.stack([sample(n, 6, seed, spread=2) for seed in range(3)])
    values, _ = SetEntropy(before)(cells)
    for cell, value in zip(cells, values, strict=True):
        merged = before.merged(SetStatistics.of(cell))
        assert value == pytest.approx(merged.count * merged.entropy(), rel=1e-9)


ESTIMATORS = {
    "cell": CellEntropy(),
    "set": SetEntropy(SetStatistics.of(sample(50, 6, seed=7) + 1)),
    "set from nothing": SetEntropy(SetStatistics.empty(6)),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_gradient_equals_finite_differences(name):
    estimator, white = ESTIMATORS[name], np.stack([sample(5, 6, s) for s in (8, 9)])
    _, gradient = estimator(white)
    for index in np.ndindex(white.shape):
        step = np.zeros_like(white)
        step[index] = STEP
        up, down = estimator(white + step)[0], estimator(white - step)[0]
        change = (up - down)[index[0]] / (2 * STEP)
        scale = max(1.0, abs(gradient).max())
        assert gradient[index] == pytest.approx(change, abs=DIFFERENCE * scale)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_do_not_mix_cells_and_follow_permutations(name):
    estimator, white = ESTIMATORS[name], np.stack([sample(5, 6, s) for s in range(20)])
    values, gradient = estimator(white)
    for cell in (0, 7, 19):
        alone, slope = estimator(white[cell : cell + 1])
        assert alone[0] == values[cell] and (slope[0] == gradient[cell]).all()
    order = np.random.default_rng(0).permutation(5)
    shuffled, slope = estimator(white[:, order])
    np.testing.assert_allclose(shuffled, values, rtol=1e-10)
    np.testing.assert_allclose(slope, gradient[:, order], atol=1e-9 * abs(gradient).max())


def test_cell_entropy_in_closed_form():
    # three points on a line at 0, 1, 3: nearest distances 1, 1, 2
    white = np.zeros((1, 3, 2))
    white[0, :, 0] = [0, 1, 3]
    squared = np.array([1, 1, 4]) + 0.05**2
    assert CellEntropy()(white)[0][0] == pytest.approx(2 * 0.5 * np.log(squared).sum(), rel=1e-12)


def test_cell_entropy_of_equivalent_atoms_is_finite():
    value, gradient = CellEntropy()(np.ones((1, 4, 3)))
    assert value[0] == pytest.approx(4 * 3 * math.log(0.05), rel=1e-12)
    assert (gradient == 0).all()


def test_cell_entropy_needs_three_atoms():
    with pytest.raises(ValueError, match="at least 3 atoms, got 2"):
        CellEntropy()(np.zeros((1, 2, 3)))


def test_whitening():
    white = sample(500, 5, seed=4) @ sample(5, 5, seed=5) + 3
    whitening = Whitening.of(white)
    result = whitening(white)
    np.testing.assert_allclose(result.mean(axis=0), 0, atol=1e-9)
    variance = np.linalg.eigvalsh(np.cov(white, rowvar=False))
    damped = variance / (variance + 1e-8 * variance.max())
    np.testing.assert_allclose(np.cov(result, rowvar=False), np.diag(damped), atol=1e-9)
    # the pull-back is the transpose of the linear part
    ones = sample(500, 5, seed=6)
    shifted = whitening(white + ones) - result
    left, right = (shifted * ones).sum(), (ones * whitening.pull_back(ones)).sum()
    assert left == pytest.approx(right, rel=1e-9)
