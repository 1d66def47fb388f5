"""Groups: the right numbers of scores.csv, drawn where they belong."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from diverse.errors.views import (
    GROUP_KEYS,
    SMALLER,
    group_errors,
    largest_models,
    pool_small_groups,
)
from diverse.report.pages.errors import groups_page, shifts_page
from diverse.report.plotting import group_dots, looks
from diverse.report.plotting.style import MODEL_MARKERS, model_marks, round_numbers

FAMILIES = {"entropy": "entropy", "random": "random", "expert": "expert", "hot": "expert"}
MODELS = {"small": ("linear", 5), "large": ("linear", 9), "net": ("network", 7)}
SIZES = {"entropy": 24, "random": 23, "expert": 24}
GROUPS = {"entropy": ["a"], "expert": ["zinc", "alpha"], "hot": ["md"]}


@pytest.fixture
def scores():
    """One row a number, every value another."""
    rows = []
    for train, size in SIZES.items():
        for model in MODELS:
            family, parameters = MODELS[model]
            for test, groups in GROUPS.items():
                for group in ("all", *groups):
                    for quantity in ("energy", "forces"):
                        fixed = {"train": train, "model": model, "test": test, "group": group}
                        fixed |= {"family": family, "n_parameters": parameters, "unit": "u"}
                        fixed |= {"quantity": quantity, "train_environments": size}
                        fixed |= {"n_cells": 4, "n": 36}
                        fixed |= {"energy_aligned": test == "hot", "energy_shift": -0.25}
                        for seed in ("all", "0", "1"):
                            for metric in ("rmse", "mae"):
                                rows.append({**fixed, "seed": seed, "metric": metric})
    table = pd.DataFrame(rows)
    table["value"] = np.random.default_rng(0).permutation(len(table)) + 1.0
    return table


def value(scores, **where):
    rows = scores[np.logical_and.reduce([scores[key] == text for key, text in where.items()])]
    assert len(rows) == 1
    return rows["value"].iloc[0]


def test_groups_are_rows_and_models_columns(scores):
    table = group_errors(scores, ["entropy", "random"], ["expert", "hot"])
    energies = table[table["quantity"] == "energy"]
    assert list(zip(energies["test"], energies["group"], strict=True)) == [
        ("expert", "alpha"),
        ("expert", "zinc"),
        ("expert", "all"),
        ("hot", "md"),
        ("hot", "all"),
    ]
    assert len(table.columns) == len(GROUP_KEYS) + 2 * len(MODELS)
    shown = table.set_index(["test", "group", "quantity"]).loc["expert", "zinc", "forces"]
    where = {"test": "expert", "group": "zinc", "quantity": "forces", "metric": "rmse"}
    for train in ("entropy", "random"):
        expected = value(scores, train=train, model="net", seed="all", **where)
        assert shown[f"{train}/net"] == expected


def test_small_groups_are_pooled_by_their_squares():
    fixed = {"test": "expert", "quantity": "forces", "unit": "meV/Å"}
    groups = {"a": (1, 3, 10.0), "b": (3, 27, 20.0), "c": (4, 30, 5.0), "all": (8, 60, 14.0)}
    rows = [
        {**fixed, "group": group, "n_cells": cells, "n": n, "entropy/net": error, "expert/net": 1.0}
        for group, (cells, n, error) in groups.items()
    ]
    pooled = pool_small_groups(pd.DataFrame(rows), 4)
    assert pooled["group"].tolist() == ["c", SMALLER, "all"]
    small = pooled.iloc[1]
    assert (small["n_cells"], small["n"]) == (4, 30)
    assert small["entropy/net"] == pytest.approx(((3 * 10**2 + 27 * 20**2) / 30) ** 0.5)
    assert small["expert/net"] == pytest.approx(1.0)
    alone = pool_small_groups(pd.DataFrame(rows[1:]), 4)
    assert alone["group"].tolist() == ["b", "c", "all"]


def test_the_best_training_set_of_each_model_is_bold(scores):
    table = group_errors(scores, ["entropy", "random"], ["hot"])
    page = groups_page(table)
    assert page.count("<b>") == len(table) * len(MODELS)
    assert "RMSE of energy on hot (u)" in page
    first = table.iloc[0]
    assert f"<b>{min(first['entropy/net'], first['random/net']):.3g}</b>" in page


def test_group_figure_shows_every_error_in_its_colour(scores):
    table = group_errors(scores, ["entropy", "random", "expert"], ["expert", "hot"])
    models = largest_models(scores)
    assert models == {"large": "linear", "net": "network"}
    figure = group_dots(table, FAMILIES, models)
    colours = {name: look.colour for name, look in looks(FAMILIES).items()}
    for axis, quantity in zip(figure.axes, ("energy", "forces"), strict=True):
        drawn = {
            (line.get_xdata()[0], to_hex(line.get_color()).upper(), line.get_marker())
            for line in axis.lines
            if line.get_marker() != "None"
        }
        rows = table[table["quantity"] == quantity]
        assert drawn == {
            (row[f"{train}/{model}"], colours[train], MODEL_MARKERS[family])
            for row in rows.to_dict("records")
            for train in ("entropy", "random", "expert")
            for model, family in models.items()
        }
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["on expert", "alpha (4)"]
    assert len(labels) == 5 + 2


def test_forces_that_symmetry_makes_zero_are_neither_drawn_nor_bold(scores, tmp_path):
    perfect = (scores["group"] == "alpha") & (scores["quantity"] == "forces")
    scores.loc[perfect, "value"] = 1e-12
    table = group_errors(scores, ["entropy", "random"], ["expert"])
    figure = group_dots(table, FAMILIES, largest_models(scores))
    figure.savefig(tmp_path / "groups.png")
    low, high = figure.axes[1].get_xlim()
    errors = table[table["quantity"] == "forces"].iloc[:, len(GROUP_KEYS) :].to_numpy()
    assert 0.5 * errors[errors > 0.1].min() < low < high < 2 * errors.max()
    assert groups_page(table).count("<b>") == (len(table) - 1) * len(MODELS)


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (0.5, 2e3, [1, 10, 100, 1000]),
        (8, 40, [10, 20, 30]),
        (140, 620, [200, 300, 500]),
        (120, 450, [150, 200, 300]),
        (90, 600, [100, 200, 500]),
        (1.5, 2.3, [1.6, 1.8, 2, 2.2]),
        (100, 121, [100, 105, 110, 115, 120]),
    ],
)
def test_numbers_on_axes_are_round_and_few(low, high, numbers):
    assert round_numbers(low, high) == pytest.approx(numbers)


def test_models_of_a_family_are_told_apart_by_filling():
    marks = model_marks({"linear4": "linear", "linear6": "linear", "net": "network"})
    assert marks["linear4"]["marker"] == marks["linear6"]["marker"] != marks["net"]["marker"]
    assert marks["linear4"]["fillstyle"] != marks["linear6"]["fillstyle"]


def test_constants_are_shown_where_there_are_any(scores):
    page = shifts_page(scores)
    assert page.count("-0.2500") == len(scores[["train", "model"]].drop_duplicates())
    assert "on hot" in page
    assert "on expert" not in page
    assert shifts_page(scores[~scores["energy_aligned"]]) == ""
