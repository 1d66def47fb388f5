"""Entropy estimators against closed forms."""

import math

import numpy as np
import pytest
import torch

from diverse.generate.entropy import (
    REGULARISATION,
    Whitening,
    gaussian_entropy,
    nearest_neighbour_entropy,
)


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


def test_nearest_neighbour_entropy_needs_two():
    with pytest.raises(ValueError, match="at least 2 environments, got 1"):
        nearest_neighbour_entropy(np.zeros((1, 3)))


def test_nearest_neighbour_entropy_of_duplicates_is_finite_and_low():
    spread = np.random.default_rng(0).normal(size=(50, 4))
    doubled = np.concatenate([spread, spread])
    assert math.isfinite(nearest_neighbour_entropy(doubled))
    assert nearest_neighbour_entropy(doubled) < nearest_neighbour_entropy(spread) - 10


def test_gaussian_entropy_equals_numpy():
    white = np.random.default_rng(1).normal(size=(40, 6))
    covariance = np.cov(white, rowvar=False, bias=True) + REGULARISATION * np.eye(6)
    exact = 0.5 * np.linalg.slogdet(covariance)[1]
    assert gaussian_entropy(torch.tensor(white)).item() == pytest.approx(exact, rel=1e-12)


def test_duplicates_add_nothing_to_the_gaussian_entropy():
    white = torch.tensor(np.random.default_rng(2).normal(size=(40, 6)))
    once, twice = gaussian_entropy(white), gaussian_entropy(torch.cat([white, white]))
    assert twice.item() == pytest.approx(once.item(), rel=1e-12)


def test_gaussian_entropy_is_finite_for_few_environments():
    white = torch.tensor(np.random.default_rng(3).normal(size=(3, 30)))
    assert math.isfinite(gaussian_entropy(white).item())


def test_whitening():
    rng = np.random.default_rng(4)
    sample = rng.normal(size=(500, 5)) @ rng.normal(size=(5, 5)) + 3
    whitening = Whitening.of(sample)
    white = whitening(sample)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-9)
    variance = np.linalg.eigvalsh(np.cov(sample, rowvar=False))
    damped = variance / (variance + 1e-8 * variance.max())
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.diag(damped), atol=1e-9)
    np.testing.assert_allclose(whitening.torch(torch.tensor(sample)).numpy(), white, atol=1e-12)
