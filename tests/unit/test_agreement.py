"""FitSNAP beside the streaming solver: one set of cells, weights and ridge, one model."""

from dataclasses import replace

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.labels.target import free_energy_per_atom
from diverse.models import load_model, predict
from diverse.models.agreement import (
    ENERGY_TOLERANCE,
    FORCE_TOLERANCE,
    AgreementError,
    fit_beside,
    largest_differences,
    row_weights,
)
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.forms import SnapForm
from diverse.models.polynomial.settings import FitSettings
from diverse.zbl import ZBL

OPTIONS = {"cutoff": 4.734, "zbl": ZBL("W", 4.0, 4.8)}
SETTINGS = FitSettings(
    form=SnapForm(4, quadratic=False),
    energy_weight=10.0,
    force_weight=0.5,
    ridge=None,
    energy_scale=None,
    folds=4,
)
FORMS = [
    {},
    {"energy_scale": 0.7},
    {"form": SnapForm(8, quadratic=False)},
    {"form": SnapForm(4, quadratic=True), "energy_scale": 0.7},
    {"ridge": 1e-9},
]


def both(cells, settings, folder):
    streaming, _, fit = fit_streaming(lambda: iter(cells), settings, **OPTIONS)
    return streaming, *fit_beside(
        streaming, fit.ridge, cells, settings, folder / "potential", **OPTIONS
    )


@pytest.mark.parametrize("changes", FORMS, ids=str)
def test_both_predict_the_same(labelled, tmp_path, changes):
    streaming, model, differences = both(labelled, replace(SETTINGS, **changes), tmp_path)
    assert 0 < differences["energy_difference"] <= ENERGY_TOLERANCE
    assert 0 < differences["force_difference"] <= FORCE_TOLERANCE
    assert model is not streaming
    found = predict(load_model(tmp_path), labelled, **OPTIONS)  # FitSNAP's files are the model
    np.testing.assert_allclose(found.forces, predict(model, labelled, **OPTIONS).forces, atol=1e-9)


def test_left_handed_cells_are_fitted_too(labelled, tmp_path):
    """Two vectors are swapped, or all of them turned round: the lattice and the labels stay."""
    cells = [cell.copy() for cell in labelled]
    cells[0].set_cell(cells[0].cell.array[[1, 0, 2]])
    cells[1].set_cell(-cells[1].cell.array)
    assert [cell.cell.handedness for cell in cells[:3]] == [-1, -1, 1]
    for cell, original in zip(cells, labelled, strict=True):
        cell.calc = SinglePointCalculator(cell, **original.calc.results)
    _, _, differences = both(cells, SETTINGS, tmp_path)
    assert 0 < differences["force_difference"] <= FORCE_TOLERANCE


def test_differences_are_those_of_the_worst_cell_and_component(labelled, tmp_path):
    streaming, model, _ = both(labelled, SETTINGS, tmp_path)
    shifted = replace(model, constant=model.constant + 1e-3)
    found = largest_differences(shifted, streaming, labelled, **OPTIONS)
    assert found["energy_difference"] == pytest.approx(1e-3, abs=1e-7)  # eV/atom, for any size
    assert found["force_difference"] <= FORCE_TOLERANCE
    doubled = replace(model, linear=2 * model.linear)
    predictions = [predict(each, labelled, **OPTIONS) for each in (doubled, streaming)]
    expected = np.abs(predictions[0].forces - predictions[1].forces).max()
    found = largest_differences(doubled, streaming, labelled, **OPTIONS)
    assert found["force_difference"] == expected > 1e-3


@pytest.mark.parametrize(
    ("attribute", "change", "number"),
    [("constant", 2e-7, "2.0e-07"), ("constant", np.nan, "nan"), ("linear", 1e-5, r"\S+")],
)
def test_a_fit_that_differs_is_refused(labelled, tmp_path, monkeypatch, attribute, change, number):
    def wrong(*arguments, **options):
        model = fit_with_fitsnap(*arguments, **options)
        return replace(model, **{attribute: getattr(model, attribute) + change})

    monkeypatch.setattr("diverse.models.agreement.fit_with_fitsnap", wrong)
    sentence = (
        "^FitSNAP's fit of linear SNAP, 2Jmax 4, and the streaming fit to the same 40 cells with "
        rf"ridge \S+ differ by {number} eV/atom and \S+ eV/Å on these cells \(allowed: 1e-07 and "
        "1e-06\\): .* or say solver: streaming$"
    )
    with pytest.raises(AgreementError, match=sentence):
        both(labelled, SETTINGS, tmp_path)


def test_another_ridge_is_noticed(labelled, tmp_path):
    streaming, _, _ = fit_streaming(lambda: iter(labelled), replace(SETTINGS, ridge=1.0), **OPTIONS)
    with pytest.raises(AgreementError, match="with ridge 1.01 differ by"):
        fit_beside(streaming, 1.01, labelled, SETTINGS, tmp_path / "potential", **OPTIONS)


def test_row_weights_are_those_of_the_settings(labelled):
    energies = np.array([free_energy_per_atom(cell) for cell in labelled])
    alike = [row_weights(labelled, SETTINGS)(cell) for cell in labelled]
    assert set(alike) == {(10.0, 0.5)}
    scaled = row_weights(labelled, replace(SETTINGS, energy_scale=0.7))
    found = np.array([scaled(cell) for cell in labelled])
    relative = 0.7 / (0.7 + energies - energies.min())
    np.testing.assert_allclose(found, np.outer(relative, [10.0, 0.5]), rtol=1e-12)


def test_the_same_fit_is_the_same_files(labelled, tmp_path):
    """FitSNAP's own files carry a date and a random hash."""
    texts = []
    for name in ("one", "two"):
        both(labelled, SETTINGS, tmp_path / name)
        files = sorted((tmp_path / name).iterdir())
        assert [path.name for path in files] == ["potential.snapcoeff", "potential.snapparam"]
        texts.append([path.read_text() for path in files])
    assert texts[0] == texts[1]
    assert texts[0][0].startswith("# FitSNAP fit on top of pair_style zbl 4.0 4.8 UNITS: metal\n")
    assert "bzeroflag 0\n" in texts[0][1]
    assert "Hash" not in "".join(texts[0])
