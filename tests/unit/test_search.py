"""The choice of loss weights: its rule, and the errors it rests on for either model family."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from diverse.datasets.split import dealt
from diverse.kernel import BispectrumSettings
from diverse.models import predict
from diverse.models.network.data import training_cells
from diverse.models.network.left_out import FoldedSet as FoldedNetworkSet
from diverse.models.network.loop import train_networks
from diverse.models.network.settings import TrainingSettings
from diverse.models.polynomial.design import design_rows
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.forms import SnapForm
from diverse.models.polynomial.left_out import FoldedSet
from diverse.models.polynomial.settings import FitSettings
from diverse.models.search import (
    PartErrors,
    log_ratio,
    search_weights,
    with_searched_weights,
)
from diverse.report.pages.models import search_page
from diverse.report.plotting import search_curves
from diverse.report.plotting.search import APART
from diverse.zbl import ZBL

DESCRIPTOR, ZBL_W = BispectrumSettings(4, 4.734), ZBL("W", 4.0, 4.8)
AUTO = {"energy_weight": "auto", "energy_scale": "auto", "family": "linear"}
OPTIONS = {"energy_weights": [10, 1, 100], "energy_scales": [None, 0.7, 2.0]}
FORM = SnapForm(4, quadratic=True)
POLYNOMIAL = {"family": "quadratic", "twojmax": 4, "energy_weight": 10, "force_weight": 1}
POLYNOMIAL |= {"ridge": "auto", "energy_scale": None, "folds": 3}
NETWORK = TrainingSettings(
    widths=[8],
    energy_weight=10,
    force_weight=1,
    epochs=10,
    batch=8,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.15,
)


def searched(factors, model=AUTO, spread=0.0):
    """Search with criteria by (energy_weight, energy_scale), 1 where none is given.

    On half of the eight parts they are larger, on the others smaller, by a factor e^spread.
    """

    def left_out_errors(candidate):
        weights = candidate["energy_weight"], candidate["energy_scale"]
        noise = spread * (weights in factors) * np.tile([1, -1], 4)
        energy = 0.25 * (factors.get(weights, 1.0) * np.exp(noise)) ** 2
        return PartErrors(energy, 12 * np.ones(8), np.ones(8), 3 * np.ones(8)), {"ridge": 7.0}

    return search_weights(model, OPTIONS, left_out_errors)


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
    figure = search_curves(searches, families)
    shown = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title() for axis in shown] == ["linear4", "network4"]
    curve = shown[0].lines[0].get_xydata()
    np.testing.assert_allclose(curve / [APART**-0.5, 1], [[1, 1], [10, 1], [100, 0.5]])
    points = [part for part in shown[0].collections if isinstance(part, PathCollection)]
    crosses, marked = (part.get_offsets().data for part in points[:2])
    np.testing.assert_allclose(crosses / [APART**-0.5, 1], [[100, 0.4], [100, 1]])
    np.testing.assert_allclose(marked / [APART**-0.5, 1], [[100, 0.4]])
    plt.close(figure)
    table = pd.concat(searches, names=["train", "model"]).reset_index(level=[0, 1])
    page = search_page(table)
    assert page.count("<tr") == 2 + 5 + 5 + 5
    assert page.count("<b>chosen</b>") == 3


def test_the_first_candidate_stays_in_a_tie():
    assert chosen(searched({})) == (10, None)
    assert chosen(searched({(1, None): 1.0, (10, 0.7): 1.0})) == (10, None)


@pytest.mark.parametrize(("spread", "expected"), [(0.01, 1), (2.0, 10)])
def test_better_means_by_more_than_a_standard_error(spread, expected):
    table = searched({(1, None): 0.8}, spread=spread)
    ratio, error = table.loc[1, ["log_ratio", "standard_error"]]
    assert (ratio < -error) == (expected == 1)
    assert chosen(table) == (expected, None)


def test_the_best_of_those_that_are_better_is_taken():
    assert chosen(searched({(1, None): 0.8, (100, None): 0.7})) == (100, None)
    assert chosen(searched({(1, None): 0.7, (100, None): 0.8})) == (1, None)


def test_standard_error_is_that_of_the_mean_where_the_ratio_is_a_mean():
    """Small differences on equal parts: the log of the ratio of sums is the mean difference."""
    rng, n = np.random.default_rng(0), 50
    difference = 1e-4 * rng.normal(size=n)
    reference = PartErrors(np.ones(n), np.ones(n), np.ones(n), np.ones(n))
    errors = PartErrors(np.exp(2 * difference), np.ones(n), np.ones(n), np.ones(n))
    ratio, error = log_ratio(errors, reference)
    assert ratio == pytest.approx(difference.mean(), abs=1e-7)
    assert error == pytest.approx(difference.std(ddof=1) / np.sqrt(n), rel=1e-3)


def test_numbers_of_the_study_stay():
    table = searched({(3, 0.7): 0.5}, model=AUTO | {"energy_weight": 3})
    assert set(table["energy_weight"]) == {3}
    assert chosen(table) == (3, 0.7)
    assert len(searched({}, model=AUTO | {"energy_scale": 2.0})) == 3


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
    options = {"form": FORM, "n_folds": 3} | changes
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
    """Energies weigh the cells in the fits, and all left-out cells alike in the errors.

    Each fit counts energies from the mean of its own cells, by the squares of their weights.
    """
    data = folded(labelled)
    energies = [c.get_potential_energy() / len(c) for c in labelled]
    source = FORM.source(DESCRIPTOR.cutoff, "W")
    rows = [design_rows([c], source, data.basis, ZBL_W) for c in labelled]
    fold = np.array([number for number, _ in dealt(labelled, 3)])
    errors = ([], [])
    for left_out in range(3):
        system = [(np.sqrt(0.5) * data.basis.to_lammps(), np.zeros(data.basis.n_columns))]
        kept = np.flatnonzero(fold != left_out)
        over = 0 if scale is None else (energies - min(energies)) / scale
        weights = 1 / (1 + over * np.ones(len(labelled)))
        mean = np.average([rows[k][0].target[0] for k in kept], weights=weights[kept] ** 2)
        for k in kept:
            for part, factor, zero in zip(rows[k], (10, 1), (mean, 0), strict=True):
                target = weights[k] * factor * (part.target - zero)
                system.append((weights[k] * factor * part.matrix, target))
        matrices, targets = zip(*system, strict=True)
        fit = np.linalg.lstsq(np.concatenate(matrices), np.concatenate(targets), rcond=None)[0]
        fit[0] += mean
        for k in np.flatnonzero(fold == left_out):
            for part, of_quantity in zip(rows[k], errors, strict=True):
                of_quantity.extend(part.matrix @ fit - part.target)
    found, details = data.left_out_errors(settings(ridge=0.5, energy_scale=scale))
    expected = [np.sqrt(np.mean(np.square(of_quantity))) for of_quantity in errors]
    assert found.energy_rmse == pytest.approx(expected[0], rel=1e-5)
    assert found.force_rmse == pytest.approx(expected[1], rel=1e-5)
    assert found.criterion == pytest.approx(expected[0] * expected[1], rel=1e-5)
    assert found.n_energies.tolist() == np.bincount(fold).tolist()
    assert details == {"ridge": 0.5}


def test_the_fit_takes_the_ridge_that_the_search_found(labelled):
    weights = settings(energy_weight=3, energy_scale=0.1)
    found, details = folded(labelled).left_out_errors(weights)
    _, _, fit = fit_streaming(lambda: iter(labelled), weights, cutoff=DESCRIPTOR.cutoff, zbl=ZBL_W)
    (taken,) = fit.path[fit.path["chosen"]].to_dict("records")
    assert taken["ridge"] == pytest.approx(details["ridge"], rel=1e-12)
    assert taken["criterion"] == pytest.approx(found.criterion, rel=1e-12)


def left_out(cells):
    return FoldedNetworkSet(lambda: iter(cells), DESCRIPTOR, ZBL_W, n_folds=4)


def test_errors_of_networks_are_those_of_parts_that_were_not_trained_on(labelled):
    found = left_out(labelled).left_out_errors(NETWORK, seed=1)
    pool = training_cells(labelled, DESCRIPTOR, ZBL_W)
    fold = np.array([part for part, _ in dealt(labelled, 4)])
    members = [np.flatnonzero(fold != number) for number in range(4)]
    trained = train_networks(pool, members, NETWORK, [1, 2, 3, 4])
    for number, (model, _) in enumerate(trained):
        cells = [cell for part, cell in dealt(labelled, 4) if part == number]
        prediction = predict(model, cells, cutoff=DESCRIPTOR.cutoff, zbl=ZBL_W)
        truth = np.array([cell.get_potential_energy() for cell in cells])
        per_atom = (prediction.energies - truth) / [len(cell) for cell in cells]
        forces = prediction.forces - np.concatenate([cell.get_forces() for cell in cells])
        assert found.energy[number] == pytest.approx((per_atom**2).sum())
        assert found.force[number] == pytest.approx((forces**2).sum())
        assert (found.n_energies[number], found.n_forces[number]) == (len(cells), forces.size)


def test_searches_are_reproducible(labelled):
    parts = left_out(labelled)
    first, again, other = (parts.left_out_errors(NETWORK, seed).criterion for seed in (1, 1, 2))
    assert first == again != other


def test_training_sets_of_one_trajectory_are_refused(labelled):
    sentence = "auto need at least two trajectories in the training set, .*: add cells, or give"
    cells = [cell.copy() for cell in labelled[:8]]
    for cell, original in zip(cells, labelled, strict=False):
        cell.calc = original.calc
        cell.info["trajectory"] = "one"
    with pytest.raises(ValueError, match=sentence):
        left_out(cells)
    with pytest.raises(ValueError, match=sentence):
        folded(cells).left_out_errors(settings())


def test_a_ridge_that_determines_nothing_without_a_fold_is_refused(labelled):
    few = folded(labelled[:6])
    with pytest.raises(ValueError, match="without one of 3 folds .* does not determine 120 coef"):
        few.left_out_errors(settings(ridge=0.0))
    assert few.left_out_errors(settings())[1]["ridge"] > 0
