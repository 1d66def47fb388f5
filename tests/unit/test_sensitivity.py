"""Ratios of errors with other energy weights: paired by model and draw, averaged over classes."""

import numpy as np
import pandas as pd

from diverse.errors.sensitivity import weight_effects
from diverse.report.pages.mixtures import sensitivity_page

WEIGHTED = {"e3": ("e", 3.0), "x3": ("x", 3.0)}


def levels():
    rows = []
    for train, model, kind, values in (
        *(("e", "l", "linear", [0.0, 0.2]), ("x", "l", "linear", [1.0, 1.4])),
        *(("e", "q", "quadratic", [0.5, 0.5]), ("x", "q", "quadratic", [0.7, 0.7])),
        *(("e3", "l", "linear", [0.1, 0.1]), ("x3", "l", "linear", [0.4, 0.6])),
    ):
        for draw, level in enumerate(values):
            row = {"train": train, "model": model, "class": kind, "draw": draw, "level": level}
            rows.append({**row, "ground": "g", "quantity": "energy"})
    return pd.DataFrame(rows)


def test_only_models_trained_with_every_weight_count():
    table = weight_effects(levels(), WEIGHTED, "e").set_index("energy_weight")
    assert set(table.index) == {"declared", "3.0"}
    assert np.isclose(table.loc["declared", "ratio"], np.exp(1.1))  # q is left out
    assert np.isclose(table.loc["3.0", "ratio"], np.exp(0.4))
    assert (table["train"] == "x").all() and (table["draws"] == 2).all()
    deviation = np.log(table.loc["declared", "high"] / table.loc["declared", "ratio"])
    assert np.isclose(deviation, np.std([1.0, 1.2], ddof=1))


def test_the_page_has_a_row_for_each_weight():
    page = sensitivity_page(weight_effects(levels(), WEIGHTED, "e"))
    assert "declared" in page and "3.0" in page and "x / e" in page
