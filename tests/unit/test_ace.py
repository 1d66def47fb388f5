"""ACE: fits of every draw with a stand-in, released rows; the functions where its package is."""

import io
from functools import partial

import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk

from diverse import lammps_library
from diverse.datasets.draws import WHOLE
from diverse.errors.ace import (
    FITS,
    fit_digest,
    fit_draws,
    fits_table,
    read_fits,
    released_fits,
    score_first_draw,
)
from diverse.errors.by_cell import LabelledSets, write_rows
from diverse.errors.draws import read_errors
from diverse.errors.scores import COLUMNS, Labels, ModelErrors, score_rows
from diverse.labels.labellers import LabellerError
from diverse.labels.labellers.extra import is_made
from diverse.models import load_model, predict
from diverse.models.ace import batches
from diverse.models.ace.form import AceForm
from diverse.models.ace.model import AceModel
from diverse.models.export import check_export, read_cutoff
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.settings import FitSettings
from diverse.models.trained import load_trained, save_trained
from diverse.report.pages.ace import ace_page, origin_of_ace
from model_cases import CUTOFF, ZBL_W, make_model
from paths import ROOT

OPTIONS = {"cutoff": CUTOFF, "zbl": ZBL_W}
# The stand-in is linear in its coefficients as ACE is, and fitted by the same code.
STAND_IN = {
    **{"family": "linear", "twojmax": 2, "order": 3, "degree": 8},
    **{"energy_weight": 10.0, "force_weight": 1.0, "ridge": 1e-6, "energy_scale": None, "folds": 4},
}
made = pytest.mark.skipif(not is_made("ace"), reason="./envs/run --with ace was not run")


@pytest.fixture
def sets(labelled):
    keys = [cell.info["key"] for cell in labelled]
    parts = np.resize(["a", "b", "test"], len(labelled))
    table = pd.DataFrame({"cell": range(len(labelled)), "key": keys, "draw0": parts})
    return LabelledSets({"x": labelled}, {"x": table}, **OPTIONS)


def fitted(sets, models):
    digests = {name: f"digest of {name}" for name in models}
    log = io.StringIO()
    errors, fits = fit_draws(
        sets, sets.drawn("x"), models, digests, **OPTIONS, code="stand-in 1", log=log
    )
    assert len(log.getvalue().splitlines()) == len(fits)
    return errors, fits


def test_every_draw_and_half_is_fitted(sets):
    errors, fits = fitted(sets, {"one": STAND_IN})
    assert list(fits.columns) == FITS
    assert fits["part"].tolist() == ["whole", "a", "b"]
    assert set(fits["cause"]) == {""} and set(fits["n_parameters"]) == {6}
    drawn = sets.drawn("x")[0]
    settings = FitSettings.of(STAND_IN)
    model, *_ = fit_streaming(sets.cells(drawn.cells).copy, settings, **OPTIONS)
    expected = sets.errors(model, drawn, name="one", seed=0)
    pd.testing.assert_frame_equal(errors[errors["part"] == WHOLE], expected)


def test_a_fit_that_fails_or_predicts_no_numbers_costs_its_rows_alone(sets, monkeypatch):
    broken = {**STAND_IN, "twojmax": 14, "ridge": 0.0}  # more coefficients than cells determine
    errors, fits = fitted(sets, {"broken": broken, "one": STAND_IN})
    assert set(errors["model"]) == {"one"}
    assert (fits["cause"] != "").tolist() == [True] * 3 + [False] * 3
    original = sets.errors

    def lost(model, drawn, **names):
        rows = original(model, drawn, **names)
        return rows.assign(energy_error=np.nan) if drawn.part == "a" else rows

    monkeypatch.setattr(sets, "errors", lost)
    errors, fits = fitted(sets, {"one": STAND_IN})
    assert set(errors["part"]) == {"whole", "b"}
    causes = fits.set_index("part")["cause"]
    assert causes["a"] == "the fit predicts energies or forces that are not finite numbers"
    table = fits_table(fits, ["one"], ["x"], here=True)
    assert table[["fits", "failures", "cause"]].iloc[0].tolist() == [3, 1, causes["a"]]


def test_released_rows_are_those_of_the_same_model_and_draws(sets, tmp_path):
    models = {"one": STAND_IN, "other": {**STAND_IN, "twojmax": 4}}
    errors, fits = fitted(sets, models)
    paths = [tmp_path / "ace.csv.xz", tmp_path / "fits.csv.xz"]
    write_rows(paths[0], [errors])
    write_rows(paths[1], [fits])
    digests = {"one": "digest of one", "other": "another digest"}
    known, of_fits = released_fits(paths, digests)
    assert set(known["model"]) == set(of_fits["model"]) == {"one"}
    assert len(known) == (errors["model"] == "one").sum()
    assert all(map(len, released_fits(paths, {name: f"digest of {name}" for name in models})))
    assert not any(map(len, released_fits([], digests)))


def test_the_digest_covers_model_draws_and_settings(tmp_path):
    draws = tmp_path / "draws.csv"
    draws.write_text("cell,key,draw0\n0,k,test\n")

    def digest_of(model, draws, **changes):
        return fit_digest(model, draws, **{**OPTIONS, "solver": 2, **changes})

    first = digest_of(STAND_IN, [draws])
    assert first == digest_of(dict(reversed(STAND_IN.items())), [draws])
    others = {digest_of({**STAND_IN, "degree": 9}, [draws])}
    others.add(digest_of(STAND_IN, [draws], cutoff=4.7))
    others.add(digest_of(STAND_IN, [draws], solver=3))
    draws.write_text("cell,key,draw0\n0,other,test\n")
    others.add(digest_of(STAND_IN, [draws]))
    assert len(others - {first}) == 4


def test_scores_of_the_first_draw_are_those_of_predictions(sets, labelled):
    errors, fits = fitted(sets, {"one": STAND_IN})
    drawn = sets.drawn("x")[0]
    places = np.arange(2, len(labelled), 3)
    training, cells = Labels.of(sets.cells(drawn.cells)), [labelled[n] for n in places]
    model, *_ = fit_streaming(sets.cells(drawn.cells).copy, FitSettings.of(STAND_IN), **OPTIONS)
    found = ModelErrors.of(training, Labels.of(cells), [predict(model, cells, **OPTIONS)])
    names = {"study": "s", "train": "x"}
    expected = score_rows({**names, "test": "x", "model": "one"}, model, training, found)
    scores = score_first_draw(
        errors, fits, {"one": STAND_IN}, training, {"x": (Labels.of(cells), places)}, names
    )
    assert list(scores.columns) == COLUMNS == list(expected.columns)
    kept = (expected["quantity"] == "energy") | (expected["metric"] == "rmse")
    same = [name for name in COLUMNS if name not in ("family", "twojmax")]
    pd.testing.assert_frame_equal(scores[same], expected[kept][same].reset_index(drop=True))
    assert set(scores["family"]) == {"ace"}
    nothing = score_first_draw(errors.head(0), fits.head(0), {"one": STAND_IN}, training, {}, names)
    assert list(nothing.columns) == COLUMNS and nothing.empty


def test_pages_say_what_was_not_fitted_here(sets, tmp_path):
    _, fits = fitted(sets, {"one": STAND_IN})
    write_rows(tmp_path / "fits.csv.xz", [fits])
    fits = read_fits([tmp_path / "fits.csv.xz"])
    table = fits_table(fits, ["one", "<none>"], ["x"], here=False)
    assert table["source"].tolist() == ["released", "none"]
    page = ace_page(table)
    assert "released: made elsewhere, not by this run" in page
    assert "none; ./envs/run --with ace snakemake --cores all makes them" in page
    assert "&lt;none&gt;" in page and "<td>6</td>" in page and "NA" not in page
    first, second = origin_of_ace(table).splitlines()
    assert first.startswith("one as released: fitted elsewhere") and "<none> not fitted" in second
    assert origin_of_ace(fits_table(fits, ["one"], ["x"], here=True)) == ""


@pytest.mark.parametrize("train", ["entropy", "random", "expert"])
def test_the_release_holds_all_fits_of_the_default_study(train):
    models = yaml.safe_load((ROOT / "config/config.yaml").read_text())["models"]
    wanted = {name for name, model in models.items() if model["family"] == "ace"}
    folder = ROOT / "results/release/errors"
    errors = read_errors([folder / f"draws/{train}/ace.csv.xz"])
    fits = read_fits([folder / f"ace/{train}.csv.xz"])
    assert set(errors["model"]) == set(fits["model"]) == wanted
    assert (fits.groupby("model").size() == 10 * 3).all()
    assert fits.groupby("model")["digest"].nunique().eq(1).all()
    good = fits[fits["cause"] == ""].groupby("model").size()
    fitted = errors.groupby("model")[["draw", "part"]].apply(
        lambda rows: len(rows.drop_duplicates())
    )
    assert fitted.to_dict() == good.to_dict()


def test_cells_go_into_batches_of_few_shapes(labelled):
    cells = [*labelled, bulk("W", a=3.165, cubic=True).repeat(4), bulk("W", a=2.2)]
    groups = list(batches._groups(cells, CUTOFF))
    assert sorted(n for members, _ in groups for n in members) == list(range(len(cells)))
    for members, slots in groups:
        assert slots % batches.SLOTS == 0
        sizes = [len(cells[n]) for n in members]
        assert sum(sizes) <= batches.ATOMS or len(sizes) == 1
        assert len(members) <= batches.CELLS
    assert list(batches._groups([], CUTOFF)) == []


def test_without_its_environment_one_sentence_says_what_to_run(monkeypatch):
    monkeypatch.delenv("DIVERSE_ACE", raising=False)
    from diverse.models.ace.basis import load_packages

    with pytest.raises(LabellerError, match=r"'ace' is not made: .* ./envs/run --with ace"):
        load_packages.__wrapped__()


def test_a_family_that_lammps_does_not_run_is_checked_without_it(labelled, tmp_path, monkeypatch):
    model = make_model("linear")
    model.write(tmp_path, "W", CUTOFF)
    monkeypatch.setattr(type(model), "in_lammps", False)
    monkeypatch.setattr(lammps_library, "evaluate", None)
    differences, _ = check_export(model, tmp_path, labelled[:3], **OPTIONS)
    assert differences["force_difference"].max() <= 1e-6


@pytest.fixture(scope="module")
def model():
    form = AceForm(2, 4)
    coefficients = np.random.default_rng(4).normal(size=1 + form.source(CUTOFF, "W").n_components)
    return AceModel(form, 0.01 * coefficients)


@pytest.fixture
def tilted():
    rng = np.random.default_rng(5)
    atoms = bulk("W", a=3.2).repeat((2, 1, 1))
    atoms.positions += rng.normal(0, 0.1, (2, 3))
    atoms.set_cell(atoms.cell @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
    return atoms


@made
def test_forces_and_stresses_are_derivatives_and_energies_invariant(model, tilted):
    def moved(step):
        copy = tilted.copy()
        copy.positions[1, 2] += step
        return copy

    def strained(step):
        strain = np.array([[0, step / 2, 0], [step / 2, 0, 0], [0, 0, 0]])
        copy = tilted.copy()
        copy.set_cell(tilted.cell @ (np.eye(3) + strain), scale_atoms=True)
        return copy

    turned = tilted.copy()
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    wrapped = tilted[[1, 0]]
    wrapped.positions += 2 * tilted.cell[0] + 0.3
    cells = [tilted, turned, wrapped, moved(1e-4), moved(-1e-4), strained(1e-4), strained(-1e-4)]
    found = predict(model, cells, **OPTIONS)
    energies = found.energies
    assert energies[1:3] == pytest.approx(energies[0], abs=1e-9)
    assert found.forces[1, 2] == pytest.approx(-(energies[3] - energies[4]) / 2e-4, abs=1e-5)
    shear = (energies[5] - energies[6]) / 2e-4 / tilted.get_volume()
    assert found.stresses[0, 5] == pytest.approx(shear, abs=1e-6)


@made
def test_files_say_what_the_model_says(model, labelled, tmp_path):
    model.write(tmp_path, "W", CUTOFF)
    save_trained(model, tmp_path / "trained.npz")
    kept = load_trained(tmp_path / "trained.npz")
    assert kept.form == model.form
    assert read_cutoff(tmp_path) == CUTOFF
    differences, found = check_export(kept, tmp_path, labelled[:8], **OPTIONS)
    assert len(differences) == 8
    own = predict(model, labelled[:8], **OPTIONS)
    np.testing.assert_allclose(found.stresses, own.stresses, atol=1e-7)
    assert load_model(tmp_path).n_parameters == model.n_parameters
    again = partial(predict, load_model(tmp_path))
    np.testing.assert_array_equal(again(labelled[:8], **OPTIONS).energies, found.energies)
