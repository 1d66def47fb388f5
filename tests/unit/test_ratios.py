"""Ratios of errors on the same cells, against closed forms."""

import numpy as np
import pandas as pd
import pytest

from diverse.errors.ratios import count_verdicts, error_ratios, reference_set, verdicts_table
from diverse.report.pages.errors import ratios_page
from diverse.report.plotting import ratio_dots

FAMILIES = {"random": "random", "ours": "entropy", "expert": "expert"}
N_CELLS = 12


def cells_of(factors, *, tests=("near", "far"), models=("small", "large"), n_cells=N_CELLS):
    """Cells with errors over four decades; `factors` times as large for each training set."""
    squared = np.geomspace(1, 1e8, n_cells)
    rows = [
        pd.DataFrame({"cell": np.arange(n_cells), "squared": factor**2 * squared})
        .assign(train=train, test=test, model=model, quantity=quantity)
        .assign(components=1 if quantity == "energy" else 6)
        for train, factor in factors.items()
        for model in models
        for test in tests
        for quantity in ("energy", "forces")
    ]
    return pd.concat(rows, ignore_index=True)


def test_equal_cells_leave_no_interval():
    """However widely the errors of cells differ: what matters is the ratio cell by cell."""
    cells = cells_of({"random": 2.0, "ours": 1.0, "expert": 0.5})
    shuffled = cells.sample(frac=1, random_state=0)
    for given in (cells, shuffled):
        ratios = error_ratios(given, list(FAMILIES), "ours").set_index("train")
        assert len(ratios) == 2 * 2 * 2 * 2
        for train, expected in (("random", 2.0), ("expert", 0.5)):
            found = ratios.loc[train, ["ratio", "ci_low", "ci_high"]]
            np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-12)
    assert set(ratios["reference"]) == {"ours"}
    assert set(ratios["n_cells"]) == {N_CELLS}


def test_one_cell_that_decides_widens_the_interval():
    cells = cells_of({"random": 2.0, "ours": 1.0})
    worst = (cells["train"] == "random") & (cells["cell"] == N_CELLS - 1)
    cells.loc[worst, "squared"] /= 100
    ratios = error_ratios(cells, ["random", "ours"], "ours")
    assert (ratios["ratio"] < 1).all()
    assert (ratios["ci_high"] > 1).all()


def test_forces_that_symmetry_makes_zero_are_left_out():
    cells = cells_of({"random": 2.0, "ours": 1.0})
    zero = (cells["quantity"] == "forces") & (cells["cell"] > 0)
    cells.loc[zero, "squared"] = 1e-9 * np.where(cells.loc[zero, "train"] == "ours", 9, 1)
    ratios = error_ratios(cells, ["random", "ours"], "ours").set_index("quantity")
    forces = ratios.loc["forces"]
    assert set(forces["n_cells"]) == {1}
    assert forces["ratio"].to_numpy() == pytest.approx(2.0)
    assert forces[["ci_low", "ci_high"]].isna().all(axis=None)
    assert set(ratios.loc["energy", "n_cells"]) == {N_CELLS}


def test_a_set_without_forces_has_no_ratio():
    cells = cells_of({"random": 2.0, "ours": 1.0})
    cells.loc[(cells["quantity"] == "forces") & (cells["test"] == "far"), "squared"] = 0.0
    ratios = error_ratios(cells, ["random", "ours"], "ours")
    assert set(ratios.loc[ratios["quantity"] == "forces", "test"]) == {"near"}
    assert set(ratios.loc[ratios["quantity"] == "energy", "test"]) == {"near", "far"}
    assert len(ratio_dots(ratios, FAMILIES).axes) == 4


def test_unequal_test_sets_are_refused():
    cells = cells_of({"random": 2.0, "ours": 1.0})
    twice = pd.concat([cells, cells[cells["train"] == "ours"]])
    with pytest.raises(pd.errors.MergeError, match="unique"):
        error_ratios(twice, ["random", "ours"], "ours")


def test_the_reference_is_the_entropy_maximised_set():
    assert reference_set(["random", "ours", "expert"], FAMILIES) == "ours"
    assert reference_set(["random", "expert"], FAMILIES) == "random"


def test_verdicts_count_intervals_on_one_side_of_one():
    fixed = {"test": "far", "quantity": "energy", "train": "expert", "reference": "ours"}
    values = [(0.5, 0.4, 0.9), (2.0, 1.1, 3.0), (4.0, 0.9, 5.0), (3.0, np.nan, np.nan)]
    ratios = pd.DataFrame(
        [
            {**fixed, "model": f"m{i}", "ratio": ratio, "ci_low": low, "ci_high": high}
            for i, (ratio, low, high) in enumerate(values)
        ]
    )
    (row,) = count_verdicts(ratios).to_dict("records")
    expected = {"models": 4, "lowest": 0.5, "median": 2.5, "highest": 4.0, "better": 1, "worse": 1}
    assert row == fixed | expected


def test_page_and_figure_show_every_ratio():
    cells = cells_of({"random": 2.0, "ours": 1.0, "expert": 0.5})
    ratios = error_ratios(cells, list(FAMILIES), "ours")
    verdicts = count_verdicts(ratios)
    assert list(verdicts["test"]) == ["near"] * 4 + ["far"] * 4
    page = ratios_page(ratios, verdicts)
    assert page.count("<b>2</b> <small>[2, 2]</small>") == 8
    assert page.count("<b>0.5</b> <small>[0.5, 0.5]</small>") == 8
    title, _, near, far = verdicts_table(verdicts).splitlines()
    assert title.count("expert / ours") == title.count("random / ours") == 2
    for line, test in ((near, "near"), (far, "far")):
        assert line.startswith(f"| on {test}")
        assert line.count("0.5 (0.5 to 0.5); 0 : 2") == line.count("2 (2 to 2); 2 : 0") == 2
    figure = ratio_dots(ratios, FAMILIES)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["on near", "on far"]
    drawn = {float(line.get_xdata()[0]) for line in figure.axes[3].lines}
    assert drawn >= {1.0, 2.0, 0.5}


def test_an_interval_beside_its_ratio_is_drawn_as_it_is():
    """Percentile intervals of skewed errors, or rounding, can leave the ratio itself out."""
    ratios = error_ratios(cells_of({"random": 2.0, "ours": 1.0}), ["random", "ours"], "ours")
    figure = ratio_dots(ratios.assign(ci_low=2.5, ci_high=3.0), FAMILIES)
    (bars,) = figure.axes[0].collections
    assert [segment[:, 0].tolist() for segment in bars.get_segments()] == [[2.5, 3.0]] * 2
