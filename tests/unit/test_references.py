"""Reference models, which were not trained here: constants, failures, and comparisons by hand."""

import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from calculators import chain
from diverse.errors.answers import (
    NOT_RELEASED,
    compare,
    fit_constants,
    gather_answers,
    options_text,
    read_answers,
    released_answers,
    write_answers,
)
from diverse.errors.draws import model_classes
from diverse.errors.effects import measure_effects
from diverse.errors.material import Material
from diverse.errors.references import Reference, measure_references
from diverse.errors.universal import NO, YES, universal_claims
from diverse.errors.untrained import (
    NOT_TRAINED,
    errors_by_cost,
    neighbours_of_ratios,
    score_references,
)
from diverse.errors.views import transferability
from diverse.labels.chunk import label_cells, unlabelled
from diverse.labels.labellers import LabellerError, make_labeller
from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort
from diverse.report.pages.references import references_page
from diverse.report.plotting import ratio_dots, transferability_heatmap
from diverse.report.readings import with_readings
from diverse.report.speeds import reference_costs
from diverse.study.check import load_study
from diverse.study.describe import SCHEMA
from diverse.study.settings import reference_options
from draw_cases import FAMILIES, MODELS, TRAINS, make_study
from paths import ROOT

CLASSES = model_classes(MODELS)
OPTIONS = {"kind": "lammps", "element": "W", "pair_style": "eam/alloy"}


def labelled(number, *, energy, force=1.0, key=None, **info):
    """A cell of two atoms with an energy (eV) and a force on the first (eV/Å)."""
    cell = Atoms("W2", positions=[[0, 0, 0], [0, 0, 2.5 + 0.01 * number]], cell=[9, 9, 9], pbc=True)
    cell.info.update(key=key or f"k{number}", **info)
    forces = [[force, 0, 0], [0, 0, 0]]
    cell.calc = SinglePointCalculator(cell, energy=energy, free_energy=energy, forces=forces)
    return cell


def failed(cell, cause):
    other = cell.copy()
    other.info["cause"] = cause
    return other


def test_errors_of_answers_are_per_atom_and_a_failure_is_a_row_with_its_cause():
    cells = [labelled(0, energy=-20.0), labelled(1, energy=-21.0), labelled(2, energy=-22.0)]
    answered = [
        labelled(0, energy=-18.0, force=1.5),
        failed(cells[1], "the labeller crashed twice (SIGSEGV)"),
        labelled(2, energy=-22.5),
    ]
    table = compare(cells, answered)
    assert list(table["key"]) == ["k0", "k1", "k2"]
    np.testing.assert_allclose(table["energy_error"], [1000.0, np.nan, -250.0])
    np.testing.assert_allclose(table["forces_squared"], [500.0**2, np.nan, 0.0])
    assert list(table["cause"]) == ["", "the labeller crashed twice (SIGSEGV)", ""]


def ask(folder, cells, **options):
    """Ask a reference model, springs, for labelled cells, as the rule does."""
    block = {"element": "W", "kind": "ase", "factory": "calculators:spring", "options": options}
    return label_cells(
        unlabelled(cells),
        make_labeller(block),
        Ledger(folder / "ledger.xyz"),
        effort=Effort(timeout=20.0),
        log=folder / "log",
        say=lambda line: None,
    )


def springs(folder, sizes, **options):
    """Return cells of these numbers of atoms with labels from springs, as a study has them."""
    folder.mkdir()
    cells = [chain(size, number) for number, size in enumerate(sizes)]
    for cell in cells:
        cell.calc = SinglePointCalculator(cell, energy=0.0)  # to be asked for
    return ask(folder, cells, **options)


def test_crashes_and_nan_cost_their_cells_and_nothing_else(tmp_path):
    cells = springs(tmp_path / "labels", (2, 3, 4))
    faults = {"3": "segfault", "4": "nan"}
    answered = ask(tmp_path, cells, k=1.5, faults=faults)
    table = compare(cells, answered)
    assert np.isfinite(table["energy_error"]).tolist() == [True, False, False]
    assert table["cause"][1] == "the labeller crashed twice (SIGSEGV)"
    assert "NaN" in table["cause"][2]
    energy = 0.5 * (cells[0].positions ** 2).sum()
    assert table["energy_error"][0] == pytest.approx(1e3 * 0.5 * energy / 2, rel=1e-6)


def test_what_made_the_labels_answers_without_any_error(tmp_path):
    cells = springs(tmp_path / "labels", (2, 3, 4))
    table = compare(cells, ask(tmp_path, cells))
    assert (table[["energy_error", "forces_squared"]] == 0).all(axis=None)


def test_a_reference_model_is_not_told_the_labels(tmp_path):
    (cell,) = springs(tmp_path / "labels", (2,))
    (bare,) = unlabelled([cell, cell[:1]])
    assert bare.calc is None
    assert set(bare.info) <= {"dataset", "config_type", "trajectory"}


def test_packages_of_an_extra_environment_lie_behind_the_others(tmp_path, monkeypatch):
    block = {"element": "W", "kind": "ase", "factory": "only_here:make", "options": {}}
    block["environment"] = "universal"
    monkeypatch.delenv("DIVERSE_UNIVERSAL", raising=False)
    with pytest.raises(LabellerError, match=r"run the same command with \./envs/run --with univ"):
        make_labeller(block)
    (tmp_path / "only_here.py").write_text(
        "from ase.calculators.lj import LennardJones\ndef make(): return LennardJones(rc=5.0)\n"
    )
    (tmp_path / "numpy.py").write_text("raise RuntimeError('the wrong numpy')")
    monkeypatch.setenv("DIVERSE_UNIVERSAL", str(tmp_path))
    monkeypatch.setattr("sys.path", list(sys.path))
    (answer,) = label_cells(
        [chain(2)],
        make_labeller(block),
        Ledger(tmp_path / "ledger.xyz"),
        effort=Effort(),
        log=tmp_path / "log",
        say=lambda line: None,
    )
    assert answer.info["status"] == "converged"
    assert sys.path[-1] == str(tmp_path)


def test_cells_that_are_not_the_same_are_refused():
    with pytest.raises(ValueError, match="k0 is not the cell that a reference model was asked for"):
        compare([labelled(0, energy=-20.0)], [labelled(1, energy=-20.0)])


def test_the_constant_is_that_of_the_training_cells():
    table = pd.DataFrame(
        {"key": list("abcdef"), "energy_error": [10.0, 11.0, 900.0, -500.0, np.nan, 40.0]}
    )
    protocols = dict.fromkeys("abcde", "one") | {"f": "two"}
    found = fit_constants(table, protocols, ["a", "b", "c", "e"])
    assert found.by_protocol == {"one": 11.0, "two": 40.0}
    assert found.n_cells == {"one": 3, "two": 1}


def test_answers_are_read_back_and_released_ones_are_of_these_options_and_labels(tmp_path):
    cells = [labelled(n, energy=-20.0 - n, code="lammps 1") for n in range(3)]
    answered = [cells[0], failed(cells[1], "NaN, or infinity"), cells[2]]
    path = tmp_path / "references.csv.xz"
    both = {"snap": OPTIONS, "absent": OPTIONS}
    write_answers(path, list(gather_answers(cells, both, {"snap": answered}, None).values()))
    read = read_answers(path)
    assert list(read["cause"]) == ["", "NaN, or infinity", ""]
    found = released_answers(path, "snap", OPTIONS, ["k2", "k7", "k0"])
    assert list(found["key"]) == ["k2", "k7", "k0"]
    assert list(found["cause"]) == ["", NOT_RELEASED, ""]
    assert released_answers(path, "snap", OPTIONS | {"pair_style": "snap"}, ["k0"]) is None
    assert released_answers(path, "other", OPTIONS, ["k0"]) is None
    assert released_answers(path, "snap", OPTIONS, ["k9"]) is None
    assert released_answers(None, "snap", OPTIONS, ["k0"]) is None
    again = gather_answers(cells, both, {}, path)
    assert list(again) == ["snap"]
    pd.testing.assert_frame_equal(again["snap"], read)


def test_the_release_answers_for_the_default_study():
    """Released answers are of the very options of the study file, and of its released labels."""
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    options = reference_options(load_study(study, str(SCHEMA)))
    cells = pd.read_csv(ROOT / "results/release/errors/cells.csv.xz")
    tested = [name for name, entry in study["datasets"].items() if entry.get("use") != "pool"]
    keys = cells["key"][cells["test"].isin(tested)]
    path = ROOT / "results/release/errors/references.csv.xz"
    for name in ("sevennet0", "sevennet_l3i5", "chgnet030"):
        found = released_answers(path, name, options[name], keys)
        assert found["energy_error"].notna().mean() > 0.9
    costs = reference_costs(ROOT / "results/release/benchmarks/md_references.csv", options)
    assert np.isfinite(list(costs.values())).all()


@pytest.fixture(scope="module")
def study():
    return make_study(draws=4)


@pytest.fixture(scope="module")
def material(study):
    return Material.of(*study, classes=CLASSES, families=FAMILIES)


def reference(cells, *, energy, forces, name="mine", constant=0.0):
    """A reference model with the same errors in every cell, or one a cell."""
    ones = np.ones(len(cells))
    return Reference(name, "computed", energy * ones, forces * ones, constant * ones)


def row_of(table, **names):
    for column, value in names.items():
        table = table[table[column] == value]
    (row,) = table.to_dict("records")
    return row


def ratio_by_hand(errors, train, value, groups):
    """Mean over draws, classes, forms and groups of log(value / mean absolute error)."""
    chosen = errors[
        (errors["train"] == train) & (errors["part"] == "whole") & (errors["seed"] == 0)
    ]
    chosen = pd.concat(
        chosen[(chosen["test"] == test) & chosen["group"].isin(of_test)]
        for test, of_test in groups.items()
    )
    keys = ["model", "draw", "test", "group"]
    sizes = chosen.assign(size=chosen["energy_error"].abs()).groupby(keys)["size"].mean()
    delta = (np.log(value) - np.log(sizes)).groupby(["model", "draw"]).mean().reset_index()
    delta["class"] = delta["model"].map(CLASSES)
    return np.exp(delta.groupby(["draw", "class"])["size"].mean().groupby("draw").mean().mean())


def test_the_ratio_is_that_of_a_few_lines(study, material):
    table = measure_references(material, TRAINS, [reference(material.cells, energy=7, forces=50)])
    groups = {"strained": [f"distorted_{name}" for name in ("fcc", "hcp", "a15", "sc")]}
    row = row_of(table, test="strained", quantity="energy", metric="mae")
    for train in TRAINS:
        by_hand = ratio_by_hand(study[0], train, 7.0, groups)
        assert row[f"over_{train}"] == pytest.approx(by_hand, rel=1e-12)
        assert row[f"over_{train}_low"] < row[f"over_{train}"] < row[f"over_{train}_high"]
    assert row["error"] == pytest.approx(7.0)
    assert (row["n_cells"], row["failures"], row["draws"]) == (28, 0, 4)
    neutral = row_of(table, test="neutral", quantity="forces")
    assert neutral["error"] == pytest.approx(50.0)
    assert neutral["unit"] == "meV/Å"


def test_the_same_cells_are_compared_where_a_reference_model_fails(study, material):
    """Errors of the trained models on cells without an answer change nothing."""
    energy = np.where(material.cells["group"] == "distorted_fcc", np.nan, 7.0)
    energy[(material.cells["group"] == "liquid").to_numpy().nonzero()[0][:3]] = np.nan
    (answered,) = [reference(material.cells, energy=energy, forces=50)]
    wild = study[0].copy()
    place = material.cells.set_index(["test", "cell"]).index.get_indexer(
        pd.MultiIndex.from_frame(wild[["test", "cell"]])
    )
    wild["energy_error"] *= np.where(np.isnan(energy[place]), 1.3, 1.0)
    other = Material.of(wild, *study[1:], classes=CLASSES, families=FAMILIES)
    mine, its = (measure_references(part, TRAINS, [answered]) for part in (material, other))
    pd.testing.assert_frame_equal(mine, its)
    row = row_of(mine, test="strained", quantity="energy", metric="mae")
    assert (row["n_cells"], row["failures"]) == (21, 7)


def test_a_reference_model_that_made_the_labels_has_no_error_and_no_ratio(material):
    table = measure_references(
        material, TRAINS, [reference(material.cells, energy=0.0, forces=0.0)]
    )
    assert (table["error"] == 0).all()
    assert table[[f"over_{train}" for train in TRAINS]].isna().all(axis=None)
    claims = with_readings(universal_claims(table, ["mine"], "entropy"))
    assert set(claims["verdict"]) == {"no data"}
    assert set(claims["reading"]) == {"mine has no error, or no answer, on neutral ground."}


def test_grounds_and_effects_do_not_change(study, material):
    before = measure_effects(material, TRAINS, "entropy")
    measure_references(material, TRAINS, [reference(material.cells, energy=1e-3, forces=1e-3)])
    for one, other in zip(before, measure_effects(material, TRAINS, "entropy"), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_scores_of_a_reference_model_are_those_of_the_held_out_cells(material):
    """RMSE and MAE over all cells that are held out and answered, every cell or component alike."""
    cells = material.cells
    strained = np.flatnonzero(cells["test"] == "strained")
    energy = np.full(len(cells), 1e3)
    energy[strained[:4]] = 3.0, -4.0, 5.0, np.nan
    forces = np.full(len(cells), 1e3)
    forces[strained[:4]] = 10.0, 20.0, 30.0, 99.0
    mine = Reference("mine", "computed", energy, forces, np.zeros(len(cells)))
    held_out = {"strained": set(cells["key"].iloc[strained[:4]]), "expert": set()}
    table = score_references(cells, [mine], held_out)
    assert set(table["train"]) == {NOT_TRAINED}
    assert set(table["test"]) == {"strained"}
    assert set(table["n_cells"]) == {3}
    rmse, mae = (row_of(table, quantity="energy", metric=m)["value"] for m in ("rmse", "mae"))
    assert (rmse, mae) == pytest.approx((np.sqrt(50 / 3), 4.0))
    n = cells["n_atoms"].to_numpy()[strained[:3]]
    row = row_of(table, quantity="forces")
    assert row["value"] == pytest.approx(np.sqrt((n * [100, 400, 900]).sum() / n.sum()))
    assert row["ci_low"] <= row["value"] <= row["ci_high"]
    own = table.assign(train="entropy", model="linear4")
    wide = transferability(pd.concat([own, table]))
    assert list(wide["train"]) == ["entropy"] * 3 + [NOT_TRAINED] * 3
    pd.testing.assert_frame_equal(wide[:3], transferability(own))
    figure = transferability_heatmap(wide, ["entropy"], "noise")
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["linear4, entropy", f"mine, {NOT_TRAINED}"]


def test_reference_models_stand_below_the_ratios_and_among_the_costs(material):
    mine = reference(material.cells, energy=7, forces=50)
    exact = reference(material.cells, energy=0, forces=0, name="exact")
    table = measure_references(material, TRAINS, [mine, exact])
    effects, ratios = measure_effects(material, TRAINS, "entropy")
    beside = neighbours_of_ratios(table, "entropy")
    assert set(beside["test"]) == {"mine"}  # no ratio of a model without errors
    found = row_of(beside, quantity="energy", metric="mae")
    neutral = row_of(table, model="mine", test="neutral", quantity="energy", metric="mae")
    assert found["effect"] == neutral["over_entropy"]
    assert (found["ci_low"], found["ci_high"]) == (
        neutral["over_entropy_low"],
        neutral["over_entropy_high"],
    )
    figure = ratio_dots(pd.concat([effects, beside]), ratios, FAMILIES)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[-2:] == [f"{NOT_TRAINED} / entropy", "mine (neutral)"]
    points = errors_by_cost(table.assign(microseconds=12.5))
    point = row_of(points, ground="neutral ground", quantity="forces", model="mine")
    assert point["error"] == pytest.approx(50)
    assert set(points["model"]) == {"mine"}


def test_rates_of_reference_models_are_those_of_the_very_options(tmp_path):
    rates = pd.DataFrame({"options": [options_text(OPTIONS)], "rate": [1e4]})
    rates.to_csv(tmp_path / "rates.csv", index=False)
    asked = {"zhou": OPTIONS, "other": OPTIONS | {"pair_style": "snap"}}
    found = reference_costs(tmp_path / "rates.csv", asked)
    assert found["zhou"] == pytest.approx(100)
    assert np.isnan(found["other"])
    assert np.isnan(reference_costs(None, asked)["zhou"])


@pytest.mark.parametrize(("factor", "verdict"), [(1e-3, YES), (1e3, NO)])
def test_the_claims_answer_whether_a_universal_potential_is_enough(material, factor, verdict):
    mine = reference(material.cells, energy=20 * factor, forces=100 * factor)
    table = measure_references(material, TRAINS, [mine])
    claims = with_readings(universal_claims(table, ["mine"], "entropy"))
    assert list(claims["verdict"]) == [verdict, verdict]
    word = "smaller" if verdict == YES else "larger"
    assert all(f"times {word} errors" in text for text in claims["reading"])
    assert list(claims["quantity"]) == ["energy", "forces"]
    assert claims["effect"].notna().all()


def test_a_verdict_on_energies_that_hangs_on_the_constant_is_none(material):
    """Energies all too high by as much are no better for another constant, but errors are."""
    rng = np.random.default_rng(0)
    mine = reference(material.cells, energy=1e4 + rng.normal(size=len(material.cells)), forces=100)
    table = measure_references(material, TRAINS, [mine])
    row = universal_claims(table, ["mine"], "entropy").iloc[0]
    assert row["ci_low"] > 1
    assert row["verdict"] == "undecided"
    assert "mean error on a test set taken off, its errors are 0." in row["reason"]


def test_a_universal_potential_that_nobody_asked_is_no_data(material):
    table = measure_references(material, TRAINS, [])
    claims = with_readings(universal_claims(table, ["sevennet"], "entropy"))
    assert set(claims["verdict"]) == {"no data"}
    assert all("./envs/run --with universal" in text for text in claims["reading"])


def test_the_page_says_which_answers_are_released(material):
    cells = material.cells
    for source, said in (("released", True), ("computed", False)):
        ones = np.ones(len(cells))
        found = Reference("mine", source, 7 * ones, 50 * ones, 0 * ones)
        table = measure_references(material, TRAINS, [found]).assign(microseconds=np.nan)
        named = gather_answers([labelled(0, energy=-20.0)], {"mine": OPTIONS}, {}, None)
        page = references_page(table, named, {"mine": "PBE"})
        assert ("released: made elsewhere, not by this run" in page) is said


def test_the_page_shows_constants_causes_and_models_that_were_not_asked(material):
    cells = [labelled(n, energy=-20.0, code="lammps 1") for n in range(2)]
    answered = [cells[0], failed(cells[1], "no label within 5 s <b>")]
    named = gather_answers(cells, {"mine": OPTIONS}, {"mine": answered}, None)
    mine = reference(material.cells, energy=7, forces=50, constant=1234.0)
    table = measure_references(material, TRAINS, [mine])
    table = table.assign(microseconds=1234.56)
    page = references_page(table, named, {"mine": "PBE", "absent": ""})
    assert "1,234.6" in page
    assert "no label within 5 s &lt;b&gt;" in page
    assert "1.2340" in page
    assert "none; ./envs/run --with universal" in page
    assert "MAE of energy (meV/atom)" in page
