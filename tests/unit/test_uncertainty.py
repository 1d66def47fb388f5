"""Ensembles and calibration on synthetic errors whose distribution is known."""

import numpy as np
import pytest
from scipy.stats import norm

from diverse.uncertainty import calibration, ensemble

N = 20_000
FIVE_SIGMA = 5 / np.sqrt(N)


@pytest.fixture
def synthetic():
    """Normal errors with deviations over a decade, drawn from the first to the last."""
    rng = np.random.default_rng(0)
    predicted = 10 ** rng.uniform(-1, 0, N)
    return predicted * rng.normal(size=N), predicted


def test_ensemble_is_the_mean_and_the_unbiased_deviation():
    predictions = np.random.default_rng(1).normal(3, 2, (5, N))
    mean, spread = ensemble(predictions)
    assert mean.shape == spread.shape == (N,)
    # variance of a sample variance of n = 5 normal numbers: 2 sigma^4 / (n - 1)
    assert (spread**2).mean() == pytest.approx(4, abs=FIVE_SIGMA * 4 * np.sqrt(2 / 4))
    np.testing.assert_allclose(mean, predictions.sum(axis=0) / 5)


def test_one_model_has_no_spread():
    with pytest.raises(ValueError, match="1 model has no spread: train at least 2 seeds"):
        ensemble(np.zeros((1, 3)))


def test_calibrated_errors(synthetic):
    table = calibration(*synthetic, np.full(N, "expert"), n_bins=4)
    whole, bins = table.iloc[0], table.iloc[1:]
    assert table["bin"].tolist() == [0, 1, 2, 3, 4]
    assert bins["n"].sum() == whole["n"] == N
    for number, column in ((1, "within_one"), (2, "within_two")):
        expected = 2 * norm.cdf(number) - 1
        allowed = FIVE_SIGMA * np.sqrt(expected * (1 - expected))
        assert whole[column] == pytest.approx(expected, abs=allowed)
        np.testing.assert_allclose(bins[column], expected, atol=2 * allowed)
    # relative deviation of a root mean square of n normal numbers: 1 / sqrt(2 n); n is N / 4
    allowed = 2 * FIVE_SIGMA / np.sqrt(2)
    np.testing.assert_allclose(bins["actual_over_predicted"], 1, atol=1.5 * allowed)
    assert bins["predicted"].is_monotonic_increasing


def test_overconfidence_shows_in_the_group_that_has_it(synthetic):
    errors, predicted = synthetic
    groups = np.where(np.arange(N) % 2, "far", "near")
    overconfident = np.where(groups == "far", predicted / 3, predicted)
    table = calibration(errors, overconfident, groups).query("bin == 0").set_index("group")
    assert table.loc["near", "actual_over_predicted"] == pytest.approx(1, rel=0.1)
    assert table.loc["far", "actual_over_predicted"] == pytest.approx(3, rel=0.1)
    assert table.loc["far", "within_one"] < 0.3


def test_what_cannot_be_calibrated_gives_a_sentence(synthetic):
    errors, predicted = synthetic
    with pytest.raises(ValueError, match="deviation 1 is 0.0; it must be positive"):
        calibration(errors[:3], np.array([1.0, 0.0, 1.0]), np.full(3, "a"))
    with pytest.raises(ValueError, match="a has 3 errors, too few for 5 bins"):
        calibration(errors[:3], predicted[:3], np.full(3, "a"))
