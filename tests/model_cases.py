"""One model of each family with random parameters, for the tests that share them."""

import numpy as np

from diverse.kernel import BispectrumSettings
from diverse.models.network.model import NetworkModel
from diverse.models.pod.form import PodForm
from diverse.models.pod.model import PodModel
from diverse.models.polynomial.model import PolynomialModel
from diverse.zbl import ZBL

CUTOFF, TWOJMAX = 4.734, 4
ZBL_W = ZBL("W", 4.0, 4.8)
FAMILIES = ["linear", "quadratic", "network", "pod"]
POD = PodForm((4, 3, 2, 2), (3, 2, 1))


def make_model(family):
    """Return a model with random parameters that give forces of a few eV/Å."""
    if family == "pod":
        return PodModel(POD, 0.05 * np.random.default_rng(3).normal(size=1 + POD.n_components))
    rng, n = np.random.default_rng(3), BispectrumSettings(TWOJMAX, CUTOFF).n_components
    if family == "network":
        weights = [0.1 * rng.normal(size=(6, n)), rng.normal(size=(1, 6))]
        biases = [rng.normal(size=6), rng.normal(size=1)]
        return NetworkModel(TWOJMAX, rng.normal(size=n), np.full(n, 30.0), weights, biases)
    square = 1e-5 * rng.normal(size=(n, n))
    quadratic = square + square.T if family == "quadratic" else None
    return PolynomialModel(TWOJMAX, -8.0, 1e-3 * rng.normal(size=n), quadratic)
