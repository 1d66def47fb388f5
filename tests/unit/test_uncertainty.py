"""Ensembles and calibration on synthetic errors whose distribution is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from diverse.errors.calibration import (
    OTHERS,
    calibration,
    calibration_table,
    ensemble,
    error_samples,
)
from diverse.errors.scores import Labels
from diverse.models import Predictions
from diverse.report.plotting import calibration_curves

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
    errors, _ = synthetic
    with pytest.raises(ValueError, match="deviation 1 is 0.0; it must be positive"):
        calibration(errors[:3], np.array([1.0, 0.0, 1.0]), np.full(3, "a"))


def test_groups_too_small_for_five_bins_get_fewer_or_none(synthetic):
    errors, predicted = (values[:22] for values in synthetic)
    groups = np.array(["small"] * 9 + ["middle"] * 13)
    table = calibration(errors, predicted, groups)
    assert table.groupby("group")["bin"].apply(list).to_dict() == {
        "middle": [0, 1, 2],
        "small": [0],
    }
    assert table["n"].tolist() == [9, 13, 7, 6]
    assert calibration(*np.zeros((3, 0))).empty


def make_labels(n_cells):
    """Cells of two atoms without energy and forces."""
    names = np.array(["a"] * n_cells)
    return Labels(
        energies=np.zeros(n_cells),
        forces=np.zeros((2 * n_cells, 3)),
        cell_of_atom=np.repeat(np.arange(n_cells), 2),
        **dict.fromkeys(("keys", "groups", "protocols"), names),
    )


def predictions(energies, forces):
    n_cells = len(energies)
    return Predictions(
        np.array(energies), np.full((2 * n_cells, 3), forces), np.zeros((n_cells, 6))
    )


def test_an_ensemble_predicts_by_its_spread_and_errs_by_its_mean():
    seeds = [predictions([0.002, 0.004], [0.0, 0.0, 0.3]), predictions([0.006, 0.0], [0.0] * 3)]
    samples = error_samples(make_labels(2), seeds, same_protocol=True)
    errors, predicted = samples["energy"]  # per atom of two, in meV
    np.testing.assert_allclose(errors, [2, 1])
    np.testing.assert_allclose(predicted, [2**0.5, 2**0.5])
    errors, predicted = samples["forces"]
    np.testing.assert_allclose(errors, [0, 0, 150] * 4)
    # two numbers 300 apart deviate by 300 / 2^0.5; root mean square over three components
    np.testing.assert_allclose(predicted, 300 / 2**0.5 / 3**0.5)


def test_another_protocol_costs_one_constant_a_seed_and_a_lonely_cell():
    shifted = [predictions([5.0, 5.004], [0.1] * 3), predictions([7.0, 7.004], [0.2] * 3)]
    errors, predicted = error_samples(make_labels(2), shifted, same_protocol=False)["energy"]
    np.testing.assert_allclose(errors, [-1, 1])
    np.testing.assert_allclose(predicted, 0, atol=1e-9)  # the seeds differ by their constants only
    alone = [predictions([5.0], [0.1] * 3), predictions([7.0], [0.2] * 3)]
    assert set(error_samples(make_labels(1), alone, same_protocol=False)) == {"forces"}


def test_a_model_may_predict_its_deviations_itself():
    samples = error_samples(
        make_labels(2), [predictions([0.002, 0.004], 0.0)], True, np.array([0.001, 0.003])
    )
    assert set(samples) == {"energy"}
    np.testing.assert_allclose(samples["energy"], [[1, 2], [1, 3]])


def test_table_pools_what_is_not_the_models_own():
    def energies(*pairs):
        return {"energy": tuple(np.array(pairs, dtype=float).T)}

    samples = {
        "own": energies((1, 2)),
        "hot": energies((3, 1), (0.0, 1e-12)),  # the last one vanishes by symmetry
        "cold": energies((4, 1)) | {"forces": (np.ones(3), np.full(3, 2.0))},
    }
    table = calibration_table(samples, own="own")
    assert set(table["unit"]) == {"meV/atom", "meV/Å"}
    energy = table[table["quantity"] == "energy"].set_index("test")
    assert energy["n"].to_dict() == {"cold": 1, "hot": 1, OTHERS: 2, "own": 1}
    assert energy["actual_over_predicted"].to_dict() == pytest.approx(
        {"cold": 4, "hot": 3, OTHERS: 12.5**0.5, "own": 0.5}
    )
    assert table.loc[table["quantity"] == "forces", "test"].tolist() == ["cold", OTHERS]
    broken = {"own": energies((1, np.nan))}
    with pytest.raises(ValueError, match="deviation 0 is nan; it must be positive"):
        calibration_table(broken, own="own")
    assert calibration_table({"own": {}}, own="own").empty


@pytest.mark.parametrize("tests", [["own"], ["own", "hot"]])
def test_figure_of_small_sets_is_drawn(tests, tmp_path):
    """One point each, a model without forces, a training set with nothing but its own test."""
    one = (np.array([3.0]), np.array([1.0]))
    samples = {test: {"energy": one} for test in tests}
    parts = [calibration_table(samples, own="own").assign(train="own", model="linear4")]
    samples = {test: {"energy": one, "forces": one} for test in tests}
    parts.append(calibration_table(samples, own="own").assign(train="own", model="network4"))
    figure = calibration_curves(
        pd.concat(parts), {"own": "entropy"}, ["linear4", "network4", "absent"]
    )
    figure.savefig(tmp_path / "calibration.png")
    shown = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert shown == [
        "linear4: energy\n(meV/atom)",
        "network4: energy\n(meV/atom)",
        "network4: forces\n(meV/Å)",
    ]
    solid = figure.axes[0].lines[0]
    assert [*solid.get_xdata(), *solid.get_ydata()] == [1, 3]
