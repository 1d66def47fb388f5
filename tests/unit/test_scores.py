"""Scores against closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from diverse.errors.scores import (
    CellErrors,
    Labels,
    ModelErrors,
    align_energies,
    cell_errors,
    score_rows,
)
from diverse.errors.views import transferability
from diverse.models import Predictions
from diverse.models.polynomial.model import PolynomialModel

MODEL = PolynomialModel(2, 0.0, np.zeros(5))


def make_labels(n_cells=4, atoms=2, protocol="p"):
    return Labels(
        energies=np.zeros(n_cells),
        forces=np.zeros((n_cells * atoms, 3)),
        cell_of_atom=np.repeat(np.arange(n_cells), atoms),
        keys=np.array([f"k{i}" for i in range(n_cells)]),
        groups=np.array(["a", "b"] * (n_cells // 2)),
        protocols=np.array([protocol] * n_cells),
    )


def test_labels_are_those_of_the_cells(labelled):
    labels = Labels.of(iter(labelled))
    assert labels.n_atoms.tolist() == [len(cell) for cell in labelled]
    np.testing.assert_array_equal(labels.forces[-1], labelled[-1].get_forces()[-1])
    assert labels.energies[3] == labelled[3].get_potential_energy()
    assert set(labels.groups) == {"strained"}
    assert len(Labels.of([]).energies) == len(Labels.of([]).keys) == 0


def test_energy_errors_are_per_atom_and_force_errors_per_component():
    labels = make_labels()
    energies, forces = np.array([[0.002, -0.002, 0.004, 0.0]]), np.full((1, 8, 3), 0.003)
    errors = cell_errors(labels, energies, forces)
    assert errors["energy"].metric("rmse")[0] == pytest.approx(np.sqrt((1 + 1 + 4 + 0) / 4))
    assert errors["energy"].metric("mae")[0] == pytest.approx((1 + 1 + 2 + 0) / 4)
    assert errors["forces"].metric("rmse")[0] == pytest.approx(3)
    assert errors["forces"].metric("mae") == pytest.approx((3, 3, 3))
    assert errors["forces"].count.sum() == 24


def test_another_protocol_costs_one_constant_per_atom():
    labels = make_labels()
    predicted = np.array([[5.0, 5.0, 5.0, 5.004], [-1.0, -1.0, -1.0, -1.0]])
    aligned, shifts = align_energies(labels, predicted)
    assert shifts == pytest.approx([2.5005, -0.5])
    errors = cell_errors(labels, aligned[:1], np.zeros((1, 8, 3)))
    assert errors["energy"].metric("mae")[0] == pytest.approx(0.75)
    assert aligned[1] == pytest.approx(np.zeros(4))
    higher = replace(labels, energies=labels.energies + 3 * labels.n_atoms)
    assert align_energies(higher, predicted)[1] == pytest.approx(shifts - 3)


@pytest.mark.parametrize(
    ("protocols", "aligned"), [("pppp", False), ("qqqq", True), ("ppqq", True)]
)
def test_the_constant_is_reported(protocols, aligned):
    """It is needed wherever training and test labels are not all of one protocol."""
    test, training = make_labels(), make_labels(protocol="p")
    training = replace(training, protocols=np.array(list(protocols)))
    rest = {"forces": np.zeros((8, 3)), "stresses": np.zeros((4, 6))}
    predictions = [Predictions(np.array([4.0, 4.0, 4.0, 4.004]) + seed, **rest) for seed in (0, 2)]
    labels = {"study": "s", "train": "t", "test": "u", "model": "m"}
    rows = score_rows(labels, MODEL, training, ModelErrors.of(training, test, predictions))
    assert set(rows["energy_aligned"]) == {aligned}
    shifts = rows.groupby("seed")["energy_shift"].unique()
    expected = {"0": 2.0005, "1": 3.0005, "all": 2.5005} if aligned else dict.fromkeys("01", 0)
    for seed, shift in expected.items():
        assert shifts[seed] == pytest.approx([shift])
    assert set(rows["train_environments"]) == {8}


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng, hits, trials = np.random.default_rng(0), 0, 200
    for _ in range(trials):
        error = rng.normal(0, 10, 60)
        _, low, high = CellErrors(error[None] ** 2, np.abs(error)[None], np.ones(60)).metric("rmse")
        hits += low <= 10 <= high
    # percentile intervals of 60 samples are a little narrow; binomial noise is 1.5 %
    assert 0.87 <= hits / trials <= 0.99


def test_one_cell_has_no_interval():
    value, low, high = CellErrors(np.array([[4.0]]), np.array([[2.0]]), np.ones(1)).metric("rmse")
    assert value == 2
    assert np.isnan([low, high]).all()


def test_rows_and_wide_table():
    truth = make_labels()
    nothing = {"forces": np.zeros((8, 3)), "stresses": np.zeros((4, 6))}
    predictions = [Predictions(np.full(4, shift), **nothing) for shift in (0.002, 0.006)]
    labels = {"study": "s", "train": "t", "test": "u", "model": "m"}
    errors = ModelErrors.of(truth, truth, predictions)
    rows = score_rows(labels, MODEL, truth, errors)
    # 3 groups (all, a, b) x 3 seeds (all, 0, 1) x 2 quantities x 2 metrics
    assert len(rows) == 36
    energy = rows[(rows.quantity == "energy") & (rows.metric == "rmse") & (rows.group == "all")]
    by_seed = energy.set_index("seed")["value"]
    assert by_seed["0"] == pytest.approx(1)
    assert by_seed["1"] == pytest.approx(3)
    assert by_seed["all"] == pytest.approx(np.sqrt((1 + 9) / 2))
    assert set(rows["data_hash"]) != {""}
    wide = transferability(rows)
    assert list(wide.columns) == [
        "train",
        "model",
        "quantity",
        "metric",
        "unit",
        "u",
        "u_low",
        "u_high",
    ]
    assert wide.set_index(["quantity", "metric"])["u"]["energy", "rmse"] == pytest.approx(5**0.5)
