"""Looks that stay apart, and principal axes against numpy."""

import numpy as np

from diverse.plotting import looks
from diverse.plotting.datasets import principal_axes


def test_sets_of_one_family_share_the_marker_and_nothing_else():
    families = {"cell": "entropy", "set": "entropy", "random": "random", "third": "entropy"}
    palette = looks(families)
    assert palette["cell"].marker == palette["set"].marker != palette["random"].marker
    assert len({look.colour for look in palette.values()}) == 4
    assert palette["cell"].filled and not palette["set"].filled


def test_every_family_of_a_study_has_a_look():
    chosen = looks({family: family for family in ("expert", "entropy", "random", "literature")})
    assert len({look.marker for look in chosen.values()}) == 4


def test_principal_axes_weigh_sets_and_not_environments():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(50, 4)) * [1, 2, 3, 4], rng.normal(size=(80, 4)) + 5
    once = principal_axes([one, two])
    often = principal_axes([one, np.concatenate([two] * 5)])
    for few, many in zip(once, often, strict=True):
        np.testing.assert_allclose(np.abs(few), np.abs(many), atol=1e-12)


def test_principal_axes_of_one_set_are_those_of_its_correlations():
    points = np.random.default_rng(1).normal(size=(60, 3)) @ np.diag([1, 5, 0.1]) + 2
    mean, axes, shares = principal_axes([points])
    standard = (points - points.mean(axis=0)) / points.std(axis=0)
    _, singular, _ = np.linalg.svd(standard)
    np.testing.assert_allclose(shares, singular[:2] ** 2 / (singular**2).sum(), rtol=1e-12)
    np.testing.assert_allclose(((points - mean) @ axes).std(axis=0), singular[:2] / np.sqrt(60))
