"""The choice of loss weights: its rule, and the errors it rests on for either model family."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from diverse.kernel import BispectrumSettings
from diverse.models import predict
from diverse.models.polynomial.accumulate import raw_kernel
from diverse.models.polynomial.fit import FitSettings, FoldedSet, fit_streaming
from diverse.models.polynomial.rows import design_rows
from diverse.models.search import search_weights, with_searched_weights
from diverse.models.training import TrainingSettings, train_network, training_cells
from diverse.models.training.search import HeldOutPart
from diverse.plotting import search_curves
from diverse.split import dealt
from diverse.tables import search_page
from diverse.zbl import ZBL

DESCRIPTOR, ZBL_W = BispectrumSettings(4, 4.734), ZBL("W", 4.0, 4.8)
AUTO = {"energy_weight": "auto", "energy_scale": "auto", "family": "linear"}
OPTIONS = {"energy_weights": [10, 1, 100], "energy_scales": [None, 0.7, 2.0], "margin": 0.1}
POLYNOMIAL = {"family": "quadratic", "twojmax": 4, "energy_weight": 10, "force_weight": 1}
POLYNOMIAL |= {"ridge": "auto", "energy_scale": None, "folds": 3}
NETWORK = TrainingSettings(
    widths=[8],
    energy_weight=10,
    force_weight=1,
    epochs=10,
    patience=10,
    batch=8,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.15,
)


def searched(errors, model=AUTO, **options):
    """Search with products of errors by (energy_weight, energy_scale), 1 where none is given."""

    def left_out_errors(candidate):
        weights = candidate["energy_weight"], candidate["energy_scale"]
        return {"energy_rmse": 0.5 * errors.get(weights, 1.0), "force_rmse": 2.0, "n_cells": 7}

    return search_weights(model, OPTIONS | options, left_out_errors)


def chosen(table):
    (row,) = table[table["chosen"]].to_dict("records")
    scale = row["energy_scale"]
    return row["energy_weight"], None if pd.isna(scale) else scale


def test_weights_are_searched_first_and_then_scales_with_the_weight_chosen():
    table = searched({(100, None): 0.5, (100, 2.0): 0.4, (1, 0.7): 0.01})
    tried = list(zip(table["energy_weight"], table["energy_scale"].fillna(0), strict=True))
    assert tried == [(10, 0), (1, 0), (100, 0), (100, 0.7), (100, 2.0)]
    assert chosen(table) == (100, 2.0)
    assert (table["criterion"] == table["energy_rmse"] * table["force_rmse"]).all()


def test_figure_and_page_show_every_candidate_and_mark_the_choice():
    searches = {
        ("random", "linear4"): searched({(100, None): 0.5, (100, 0.7): 0.4}),
        ("expert", "linear4"): searched({}),
        ("expert", "network4"): searched({(1, None): 0.8}),
    }
    families = {"random": "random", "expert": "expert"}
    figure = search_curves(searches, families, margin=0.1)
    shown = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title() for axis in shown] == ["linear4", "network4"]
    curve = shown[0].lines[0].get_xydata()
    np.testing.assert_allclose(curve, [[1, 1], [10, 1], [100, 0.5]])
    crosses, marked = (part.get_offsets().data for part in shown[0].collections[:2])
    np.testing.assert_allclose(crosses, [[100, 0.4], [100, 1]])
    np.testing.assert_allclose(marked, [[100, 0.4]])
    plt.close(figure)
    table = pd.concat(searches, names=["train", "model"]).reset_index(level=[0, 1])
    page = search_page(table)
    assert page.count("<tr") == 2 + 5 + 5 + 5
    assert page.count("<b>chosen</b>") == 3


@pytest.mark.parametrize("better", [1.0, 0.91])
def test_the_first_candidate_is_kept_unless_another_is_better_by_the_margin(better):
    assert chosen(searched({(1, None): better, (10, 0.7): better})) == (10, None)
    assert chosen(searched({(1, None): better}, margin=0.0)) == (1 if better < 1 else 10, None)
    assert chosen(searched({(1, None): 0.89, (100, None): 0.895})) == (1, None)


def test_numbers_of_the_study_stay():
    table = searched({(3, 0.7): 0.5}, AUTO | {"energy_weight": 3})
    assert set(table["energy_weight"]) == {3}
    assert chosen(table) == (3, 0.7)
    assert len(searched({}, AUTO | {"energy_scale": 2.0})) == 3


def test_the_choice_is_read_back(tmp_path):
    path = tmp_path / "search.csv"
    for best in ((1, None), (10, 0.7)):
        searched({best: 0.5}).to_csv(path, index=False)
        found = with_searched_weights(AUTO, path)
        assert (found["energy_weight"], found["energy_scale"]) == best
        assert found["family"] == "linear"
    fixed = AUTO | {"energy_weight": 3, "energy_scale": None}
    assert with_searched_weights(fixed, None) == fixed


def settings(**changes):
    return FitSettings.of(POLYNOMIAL | changes)


def folded(cells, **changes):
    options = {"twojmax": 4, "quadratic": True, "n_folds": 3} | changes
    return FoldedSet(lambda: iter(cells), **options, cutoff=DESCRIPTOR.cutoff, zbl=ZBL_W)


def parts(cells, n_folds):
    return [[c for number, c in dealt(cells, n_folds) if number == k] for k in range(n_folds)]


def test_folds_share_no_trajectory(labelled):
    sizes = [len(part) for part in parts(labelled, 3)]
    assert sum(sizes) == len(labelled) and min(sizes) > 0
    names = [
        {(c.info["config_type"], c.info["trajectory"]) for c in part} for part in parts(labelled, 3)
    ]
    assert not names[0] & names[1] and not names[1] & names[2] and not names[0] & names[2]


@pytest.mark.parametrize("scale", [None, 0.05])
def test_errors_of_polynomials_are_those_of_fits_without_each_fold(labelled, scale):
    """Energies weigh the cells in the fits, and all left-out cells alike in the errors."""
    data = folded(labelled)
    energies = [c.get_potential_energy() / len(c) for c in labelled]
    rows = [design_rows([c], raw_kernel(4, DESCRIPTOR.cutoff), data.basis, ZBL_W) for c in labelled]
    fold = np.array([number for number, _ in dealt(labelled, 3)])
    errors = ([], [])
    for left_out in range(3):
        system = [(np.sqrt(0.5) * data.basis.to_lammps(), np.zeros(data.basis.n_columns))]
        for k in np.flatnonzero(fold != left_out):
            weight = 1 if scale is None else 1 / (1 + (energies[k] - min(energies)) / scale)
            for part, factor in zip(rows[k], (10, 1), strict=True):
                system.append((weight * factor * part.matrix, weight * factor * part.target))
        matrices, targets = zip(*system, strict=True)
        fit = np.linalg.lstsq(np.concatenate(matrices), np.concatenate(targets), rcond=None)[0]
        for k in np.flatnonzero(fold == left_out):
            for part, of_quantity in zip(rows[k], errors, strict=True):
                of_quantity.extend(part.matrix @ fit - part.target)
    found = data.left_out_errors(settings(ridge=0.5, energy_scale=scale))
    expected = [np.sqrt(np.mean(np.square(of_quantity))) for of_quantity in errors]
    assert found["energy_rmse"] == pytest.approx(expected[0], rel=1e-5)
    assert found["force_rmse"] == pytest.approx(expected[1], rel=1e-5)
    assert (found["ridge"], found["n_cells"]) == (0.5, len(labelled))


def test_the_fit_takes_the_ridge_that_the_search_found(labelled):
    chosen = settings(energy_weight=3, energy_scale=0.1)
    found = folded(labelled).left_out_errors(chosen)
    _, _, fit = fit_streaming(lambda: iter(labelled), chosen, cutoff=DESCRIPTOR.cutoff, zbl=ZBL_W)
    (taken,) = fit.path[fit.path["chosen"]].to_dict("records")
    assert {name: taken[name] for name in ("ridge", "energy_rmse", "force_rmse")} == {
        name: pytest.approx(found[name], rel=1e-12)
        for name in ("ridge", "energy_rmse", "force_rmse")
    }


def held_out(cells):
    return HeldOutPart(lambda: iter(cells), DESCRIPTOR, ZBL_W, n_folds=4)


def test_errors_of_networks_are_those_of_a_part_that_was_not_trained_on(labelled):
    found = held_out(labelled).errors(NETWORK, seed=1)
    kept = [cell for number, cell in dealt(labelled, 4) if number]
    part = [cell for number, cell in dealt(labelled, 4) if not number]
    model, history = train_network(training_cells(kept, DESCRIPTOR, ZBL_W), NETWORK, 1)
    prediction = predict(model, part, cutoff=DESCRIPTOR.cutoff, zbl=ZBL_W)
    truth = np.array([cell.get_potential_energy() for cell in part])
    per_atom = (prediction.energies - truth) / [len(cell) for cell in part]
    forces = prediction.forces - np.concatenate([cell.get_forces() for cell in part])
    assert found == {
        "n_cells": 10,
        "energy_rmse": pytest.approx(np.sqrt(np.mean(per_atom**2))),
        "force_rmse": pytest.approx(np.sqrt(np.mean(forces**2))),
        "epochs": len(history),
    }


def test_searches_are_reproducible(labelled):
    part = held_out(labelled)
    first, again, other = (part.errors(NETWORK, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_training_sets_of_one_trajectory_are_refused(labelled):
    sentence = "auto need at least two trajectories in the training set, .*: add cells, or give"
    cells = [cell.copy() for cell in labelled[:8]]
    for cell, original in zip(cells, labelled, strict=False):
        cell.calc = original.calc
        cell.info["trajectory"] = "one"
    with pytest.raises(ValueError, match=sentence):
        held_out(cells)
    with pytest.raises(ValueError, match=sentence):
        folded(cells).left_out_errors(settings())


def test_a_ridge_that_determines_nothing_without_a_fold_is_refused(labelled):
    few = folded(labelled[:6])
    with pytest.raises(ValueError, match="without one of 3 folds .* does not determine 120 coef"):
        few.left_out_errors(settings(ridge=0.0))
    assert few.left_out_errors(settings())["ridge"] > 0
