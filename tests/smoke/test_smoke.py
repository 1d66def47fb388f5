"""The smoke study from nothing: every rule runs and its numbers hang together."""

import re
import shutil
import tarfile

import ase.io
import numpy as np
import pandas as pd
import pytest

from diverse.models.calculator import PotentialCalculator
from markdown_blocks import blocks
from paths import ROOT, snakemake

TESTS = ["entropy", "random", "expert", "hot", "strained", "extremes", "dft"]
ARGUMENTS = ("--configfile", str(ROOT / "config/smoke.yaml"))


def test_table_holds_every_model_on_every_test_set(study):
    table = pd.read_csv(study / "results/smoke/tables/transferability.csv")
    untrained = table["train"] == "not trained here"
    assert set(table[untrained]["model"]) == {"lennardjones", "snap2017"}
    assert untrained.sum() == 2 * 3  # RMSE and MAE of energies, RMSE of forces
    assert (~untrained).sum() == 3 * 6 * 2 * 2  # training sets, models, quantities, metrics
    numbers = table[[f"{test}{end}" for test in TESTS for end in ("", "_low", "_high")]]
    assert np.isfinite(numbers.to_numpy()).all()
    for test in TESTS:
        assert (table[f"{test}_low"] <= table[test]).all()
        assert (table[test] <= table[f"{test}_high"]).all()


def test_scores_say_which_labels_they_rest_on(study):
    scores = pd.read_csv(study / "results/smoke/tables/scores.csv")
    assert scores.groupby(["train", "model", "test"])["data_hash"].nunique().eq(1).all()
    aligned = scores.groupby("test")["energy_aligned"].all()
    assert aligned.to_dict() == {test: test == "dft" for test in TESTS}
    assert (scores["energy_shift"].eq(0) != scores["energy_aligned"]).all()


def test_training_sets_are_equal_in_size_and_apart_from_the_tests(study):
    for name in ("entropy", "random", "expert"):
        parts = {
            part: ase.io.read(study / f"results/smoke/datasets/{name}/{part}.xyz", index=":")
            for part in ("train", "test")
        }
        assert 21 <= sum(map(len, parts["train"])) <= 24
        keys = [cell.info["key"] for part in parts.values() for cell in part]
        assert len(keys) == len(set(keys))


def cells_of(study, name, draw, of):
    """Return the cells of a subset in a draw, and the training cells that it was taken from."""
    folder = study / "results/smoke/datasets"
    members = pd.read_csv(folder / "subsets.csv")
    chosen = members[(members["subset"] == name) & (members["draw"] == draw)]
    drawn = pd.read_csv(folder / of / "draws.csv")
    training = drawn.loc[drawn[f"draw{draw}"].isin(["a", "b"]), "cell"]
    return set(chosen.loc[chosen["source"] == of, "cell"]), set(training)


@pytest.mark.parametrize("draw", range(3))
def test_subsets_come_from_the_training_part(study, draw):
    chosen, whole = cells_of(study, "farthest", draw, "expert")
    assert 0 < len(chosen) < len(whole)
    assert chosen < whole


@pytest.mark.parametrize("draw", range(3))
def test_learning_curves_are_nested_and_end_in_the_whole_set(study, draw):
    for of in ("entropy", "random", "expert"):
        small, _ = cells_of(study, f"{of}8", draw, of)
        large, whole = cells_of(study, f"{of}16", draw, of)
        assert small
        assert small < large < whole


def test_groups_hold_every_cell_of_the_curated_test_sets(study):
    groups = pd.read_csv(study / "results/smoke/tables/groups.csv")
    scores = pd.read_csv(study / "results/smoke/tables/scores.csv")
    assert list(groups["test"].unique()) == ["expert", "hot", "strained", "extremes", "dft"]
    assert len(groups.columns) == 6 + 3 * 6
    for (test, _), part in groups.groupby(["test", "quantity"]):
        whole = part["group"] == "all"
        assert part.loc[~whole, "n_cells"].sum() == part.loc[whole, "n_cells"].item()
        assert (part.iloc[:, 6:] >= 0).all(axis=None)
        cells = scores[(scores["test"] == test) & (scores["group"] == "all")]["n_cells"]
        assert set(cells) == {part.loc[whole, "n_cells"].item()}


def test_effects_are_means_of_logarithms_over_groups_and_draws(study):
    """Every form's ratio, and theta of all forms, from the errors of cells by a few lines."""
    folder = study / "results/smoke/tables"
    ratios = pd.read_csv(folder / "ratios.csv")
    assert set(ratios["train"]) == {"random", "expert"}
    assert set(ratios["reference"]) == {"entropy"}
    chosen = ratios[(ratios["test"] == "random") & (ratios["quantity"] == "energy")]
    assert set(chosen["relation"]) == {"home", "near home"}
    logs = {}
    for train in ("entropy", "random", "expert"):
        files = (study / "results/smoke/errors/draws" / train).glob("*.csv.xz")
        tables = [table for table in map(pd.read_csv, files) if len(table)]
        errors = pd.concat(tables).query("part == 'whole' and seed == 0 and test == 'random'")
        sizes = errors["energy_error"].abs().groupby([errors["model"], errors["draw"]]).mean()
        logs[train] = np.log(sizes)
    for row in chosen.itertuples():
        found = (logs[row.train] - logs["entropy"])[row.model].mean()
        np.testing.assert_allclose(row.ratio, np.exp(found), rtol=1e-9)
    claims = pd.read_csv(folder / "claims.csv", keep_default_na=False)
    expected = ["C1", "C2", "C2 with modern forms", "C2 control", "C3", "C3 with modern forms"]
    assert list(claims["claim"].unique()) == [*expected, "C4", "Universal"]
    assert (claims["reading"].str.len() > 0).all()


def test_reference_models_are_asked_for_every_labelled_cell(study):
    """None is missing; energies have one zero for each kind of labels, forces need none."""
    folder = study / "results/smoke"
    answers = pd.read_csv(folder / "errors/references.csv.xz", keep_default_na=False)
    cells = pd.read_csv(folder / "errors/cells.csv.xz")
    assert set(answers["model"]) == {"lennardjones", "snap2017"}
    assert (answers.groupby("model")["key"].nunique() == cells["key"].nunique()).all()
    table = pd.read_csv(folder / "tables/reference_models.csv")
    assert (table["failures"] == 0).all()
    energy = table[(table["model"] == "snap2017") & (table["metric"] == "mae")]
    by_dft = energy.groupby(energy["test"] == "dft")["constant"]
    assert {len(set(constants)) for _, constants in by_dft} == {1}
    assert table[table["quantity"] == "forces"]["constant"].isna().all()
    assert energy["over_entropy"].notna().all()
    assert energy["test"].iloc[-1] == "neutral"
    page = (folder / "tables/reference_models.html").read_text()
    assert "computed" in page
    assert "released" not in page


def test_one_number_can_be_followed_from_its_cell(study, monkeypatch, capsys):
    """The lines of `workflow/README.md` run, and end in an effect with its interval."""
    (lines,) = [b.text for b in blocks("workflow/README.md") if b.language == "python"]
    monkeypatch.chdir(study)
    exec(lines, {})
    assert re.search(r"^\S+ \(\S+ to \S+\)$", capsys.readouterr().out, re.M)


def test_exports_equal_the_models(study):
    files = list((study / "results/smoke/models").glob("*/*/*/export.csv"))
    assert len(files) == 3 * (3 + 1 + 2 + 1)
    for path in files:
        differences = pd.read_csv(path)
        assert differences["energy_difference"].max() <= 1e-8
        assert differences["force_difference"].max() <= 1e-6


def test_fitsnap_predicts_what_the_streaming_solver_predicts(study):
    table = pd.read_csv(study / "results/smoke/tables/fits.csv")
    fitsnap = table["solver"] == "fitsnap"
    assert set(table.loc[fitsnap, "model"]) == {"reference4"}
    assert set(table.loc[fitsnap, "train"]) == {"entropy", "random", "expert"}
    assert table.loc[fitsnap, "energy_difference"].between(0, 1e-7).all()
    assert table.loc[fitsnap, "force_difference"].between(0, 1e-6).all()
    assert table.loc[~fitsnap, ["energy_difference", "force_difference"]].isna().all(axis=None)
    for train in ("entropy", "random", "expert"):
        folder = study / f"results/smoke/potentials/{train}-reference4-0"
        assert (folder / "potential.snapcoeff").read_text().startswith("# FitSNAP fit on top of")
        assert "FitSNAP computed and solved this fit" in (folder / "README.md").read_text()


def test_every_search_is_recorded_and_chooses_once(study):
    table = pd.read_csv(study / "results/smoke/tables/search.csv")
    candidates = table.groupby("model").size() / table.groupby("model")["train"].nunique()
    assert candidates.to_dict() == {"linear4": 3, "expand4": 2}
    assert {"entropy", "random", "expert"} == set(table["train"])
    assert table.groupby(["train", "model"])["chosen"].sum().eq(1).all()
    for (train, model), row in table[table["chosen"]].groupby(["train", "model"]):
        if model == "linear4":
            fit = pd.read_csv(study / f"results/smoke/models/{train}/{model}/0/fit.csv")
            np.testing.assert_allclose(fit["ridge"], row["ridge"])


def test_calibration_covers_every_test_set_of_every_model_that_predicts_its_errors(study):
    table = pd.read_csv(study / "results/smoke/tables/calibration.csv")
    whole = table[table["bin"] == 0]
    models = whole.groupby("quantity")["model"].unique().map(set).to_dict()
    linear_in_coefficients = {"linear4", "quadratic4", "reference4", "pod14"}
    assert models == {"energy": {*linear_in_coefficients, "stepdown4"}, "forces": {"stepdown4"}}
    assert set(whole["test"]) == {*TESTS, "other sets"}
    assert len(whole) == 3 * (5 + 1) * (len(TESTS) + 1)
    numbers = table[["predicted", "actual", "actual_over_predicted"]].to_numpy()
    assert (np.isfinite(numbers) & (numbers > 0)).all()
    assert (table["within_one"] <= table["within_two"]).all()
    # the errors are those of the scores, energies of another protocol aligned alike
    scores = pd.read_csv(study / "results/smoke/tables/scores.csv").query(
        "model == 'linear4' and quantity == 'energy' and metric == 'rmse' and group == 'all'"
    )
    known = scores[scores["seed"] == "all"].set_index(["train", "test"])["value"]
    found = whole[(whole["model"] == "linear4") & (whole["test"] != "other sets")]
    found = found.set_index(["train", "test"])["actual"]
    np.testing.assert_allclose(found, known.loc[found.index], rtol=1e-9)


def test_cards_hold_the_scores_of_their_potential(study):
    folders = sorted((study / "results/smoke/potentials").iterdir())
    assert len(folders) == 3 * (3 + 1 + 2 + 1)
    scores = pd.read_csv(study / "results/smoke/tables/scores.csv").query(
        "metric == 'rmse' and group == 'all'"
    )
    for folder in folders:
        card = (folder / "README.md").read_text()
        train, model, seed = folder.name.split("-")
        own = scores[(scores["train"] == train) & (scores["model"] == model)]
        own = own[own["seed"].astype(str) == seed].set_index(["test", "quantity"])
        for test in TESTS:
            (row,) = [line for line in card.splitlines() if line.startswith(f"| {test} |")]
            shown = [float(number) for number in re.findall(r"[\d.]+", row.split("|", 4)[4])]
            known = [
                own.loc[(test, q), ["value", "ci_low", "ci_high"]] for q in ("energy", "forces")
            ]
            np.testing.assert_allclose(shown, np.concatenate(known).astype(float), rtol=6e-4)
        assert (folder / "potential.lammps").read_text() in card
        cells = ase.io.read(study / f"results/smoke/datasets/{train}/train.xyz", index=":")
        assert f"{len(cells)} cells, {sum(map(len, cells))} environments" in card
        assert f"{min(cell.info['d_min'] for cell in cells):.3f} Å no training cell" in card
        assert cells[0].info["protocol"] in card


def test_a_collected_potential_runs_by_itself(study, tmp_path):
    cells = ase.io.read(study / "results/smoke/datasets/expert/test.xyz", index=":")
    for name in ("expert-quadratic4-0", "expert-stepdown4-1", "expert-pod14-0"):
        folder = shutil.copytree(study / "results/smoke/potentials" / name, tmp_path / name)
        train, model, seed = name.split("-")
        known = study / f"results/smoke/predictions/{train}/{model}/{seed}/expert.npz"
        cells[-1].calc = PotentialCalculator(folder)
        energy = cells[-1].get_potential_energy()
        assert energy == pytest.approx(np.load(known)["energies"][-1], abs=1e-9)


def test_the_release_holds_potentials_with_cards(study):
    snakemake(study, *ARGUMENTS, "--", "release")
    manifest = pd.read_csv(study / "results/release/manifest.csv")["path"]
    cards = manifest[manifest.str.fullmatch(r"potentials/[^/]+/README\.md")]
    assert len(cards) == 2 * 4  # the largest model of each family on entropy and on expert
    assert manifest.str.endswith("release.tar.xz").sum() == 1
    with tarfile.open(study / "results/smoke/release.tar.xz") as archive:
        packed = [name for name in archive.getnames() if re.search("/potentials/.*README.md", name)]
    assert len(packed) == 3 * (3 + 1 + 2 + 1)
    assert not manifest.str.contains("snakemake").any()


def test_entropy_set_is_the_most_diverse_at_equal_environments(study):
    table = pd.read_csv(study / "results/smoke/tables/diversity.csv")
    equal = table[(table["environments"] == "equal") & (table["measure"] == "log_det")]
    log_det = equal.set_index("dataset")["value"]
    assert set(log_det.index) == {"entropy", "random", "expert"}  # dft is too small
    assert log_det["entropy"] > log_det["random"] + 5
    assert log_det["random"] > log_det["expert"]


def test_sets_cover_each_other_in_both_directions(study):
    table = pd.read_csv(study / "results/smoke/tables/diversity.csv")
    pairs = table[(table["environments"] == "all") & table["other"].notna()]
    assert pairs.groupby(["measure", "setting"]).size().eq(7 * 7).all()


def test_the_audit_of_sound_labels_finds_nothing_but_the_coarse_cutoff(study):
    said = snakemake(study, *ARGUMENTS, "--", "audit", check=False)
    assert said.returncode == 1
    assert "audit: " in said.stdout and "pressure as derivative" in said.stdout
    table = pd.read_csv(study / "results/smoke/tables/audit.csv")
    assert table.groupby("dataset")["check"].nunique().to_dict() == dict.fromkeys(TESTS, 6)
    # no Pulay correction is known at the coarse cutoff of the smoke study
    pulay = (table["dataset"] == "dft") & (table["check"] == "pressure as derivative")
    assert table.loc[~pulay, "within"].all()
    assert not table.loc[pulay, "within"].any()


def test_the_convergence_study_compares_its_variants(study):
    snakemake(study, *ARGUMENTS, "--", "convergence")
    table = pd.read_csv(study / "results/smoke/convergence/errors.csv")
    assert table["cell"].tolist() == ["eos_bcc_0.85", "eos_fcc_1.2", "random_2_atoms"]
    assert set(table["variant"]) == {"k8"}
    assert (table["energy"].abs() > 1).any()


def test_a_measured_convergence_enters_the_report(study):
    output = snakemake(study, *ARGUMENTS).stdout
    assert (study / "results/smoke/figures/convergence.png").exists()
    assert "label_chunk" not in output and "train_network" not in output
    card = (study / "results/smoke/labels/README.md").read_text()
    assert "| k8 " in card and "Label noise of coarse: not measured." in card


def test_no_cell_failed(study):
    assert pd.read_csv(study / "results/smoke/tables/failures.csv").empty


def test_second_run_has_nothing_to_do(study):
    assert "Nothing to be done" in snakemake(study, *ARGUMENTS).stdout


def mean_errors(study, train, model, test):
    """Return the mean absolute energy error of each draw, from the errors of single cells."""
    folder = study / "results/smoke/errors"
    files = [*folder.glob("draws/*/*.csv.xz"), *folder.glob("subsets/*.csv.xz")]
    tables = [pd.read_csv(path) for path in files]
    errors = pd.concat([table for table in tables if len(table)])
    chosen = errors[(errors["part"] == "whole") & (errors["seed"] == 0)]
    chosen = chosen[(chosen["train"] == train) & (chosen["model"] == model)]
    chosen = chosen[chosen["test"] == test]
    return chosen["energy_error"].abs().groupby(chosen["draw"]).mean()


def test_a_mixture_is_compared_with_its_base_draw_by_draw(study):
    """Entropy cells are one group: the level of a draw is the logarithm of their mean error."""
    table = pd.read_csv(study / "results/smoke/tables/mixtures.csv")
    row = table.query("ground == 'entropy' and quantity == 'energy' and model == 'linear4'")
    row = row[row["growth"] == "growing"].iloc[0]
    with_added = mean_errors(study, row["train"], "linear4", "entropy")
    change = np.log(with_added / mean_errors(study, "expert", "linear4", "entropy"))
    assert row["draws"] == len(change)
    assert np.log(row["ratio"]) == pytest.approx(change.mean(), abs=1e-4)
    assert np.log(row["high"] / row["ratio"]) == pytest.approx(change.std(), abs=1e-4)
    assert row["improved"] == (change < 0).sum()


def test_learning_curves_count_the_environments_that_were_trained_on(study):
    curves = pd.read_csv(study / "results/smoke/tables/curves.csv")
    sets = pd.read_csv(study / "results/smoke/tables/training_sets.csv").query("part == 'whole'")
    means = sets.groupby("train")["environments"].mean()
    np.testing.assert_allclose(curves["environments"], means[curves["train"]], rtol=1e-5)
    point = curves.query("train == 'entropy' and ground == 'entropy' and quantity == 'energy'")
    errors = mean_errors(study, "entropy", point["model"].iloc[0], "entropy")
    assert np.log(point["error"].iloc[0]) == pytest.approx(np.log(errors).mean(), abs=1e-4)
