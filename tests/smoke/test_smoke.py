"""The smoke study from nothing: every rule runs and its numbers hang together."""

import ase.io
import numpy as np
import pandas as pd

from paths import ROOT, snakemake

TESTS = ["entropy", "random", "expert", "hot", "strained", "extremes", "dft"]
ARGUMENTS = ("--configfile", str(ROOT / "config/smoke.yaml"))


def test_table_holds_every_model_on_every_test_set(study):
    table = pd.read_csv(study / "results/smoke/tables/transferability.csv")
    # models on whole sets, on the subset `farthest`, on two sizes; two quantities, two metrics
    assert len(table) == (3 * 5 + 2 + 3 * 2) * 2 * 2
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


def test_subsets_come_from_the_training_part(study):
    folder = study / "results/smoke/datasets"
    chosen, whole = (
        [cell.info["key"] for cell in ase.io.read(folder / name / "train.xyz", index=":")]
        for name in ("farthest", "expert")
    )
    assert 0 < len(chosen) < len(whole)
    assert set(chosen) < set(whole)


def test_learning_curves_are_nested_and_end_in_the_whole_set(study):
    folder = study / "results/smoke/datasets"
    scores = pd.read_csv(study / "results/smoke/tables/scores.csv")
    sizes = scores.groupby("train")["train_environments"].unique()
    for of in ("entropy", "random", "expert"):
        parts = [
            ase.io.read(folder / name / "train.xyz", index=":")
            for name in (f"{of}8", f"{of}16", of)
        ]
        small, large, whole = [{cell.info["key"] for cell in part} for part in parts]
        assert small < large < whole
        assert [sizes[name].tolist() for name in (f"{of}8", f"{of}16", of)] == [
            [sum(map(len, part))] for part in parts
        ]


def test_groups_hold_every_cell_of_the_curated_test_sets(study):
    groups = pd.read_csv(study / "results/smoke/tables/groups.csv")
    scores = pd.read_csv(study / "results/smoke/tables/scores.csv")
    assert list(groups["test"].unique()) == ["expert", "hot", "strained", "extremes", "dft"]
    assert len(groups.columns) == 5 + 3 * 5
    for (test, _), part in groups.groupby(["test", "quantity"]):
        whole = part["group"] == "all"
        assert part.loc[~whole, "n_cells"].sum() == part.loc[whole, "n_cells"].item()
        assert (part.iloc[:, 5:] >= 0).all(axis=None)
        cells = scores[(scores["test"] == test) & (scores["group"] == "all")]["n_cells"]
        assert set(cells) == {part.loc[whole, "n_cells"].item()}


def test_exports_equal_the_models(study):
    files = list((study / "results/smoke/models").glob("*/*/*/export.csv"))
    assert len(files) == 3 * (3 + 2 + 1) + (1 + 2) + 3 * 2
    for path in files:
        differences = pd.read_csv(path)
        assert differences["energy_difference"].max() <= 1e-8
        assert differences["force_difference"].max() <= 1e-6


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


def test_the_audit_of_sound_labels_finds_nothing(study):
    snakemake(study, *ARGUMENTS, "--", "audit")
    table = pd.read_csv(study / "results/smoke/tables/audit.csv")
    assert table.groupby("dataset")["check"].nunique().to_dict() == dict.fromkeys(TESTS, 6)
    # no Pulay correction is known at the coarse cutoff of the smoke study
    pulay = (table["dataset"] == "dft") & (table["check"] == "pressure as derivative")
    assert table.loc[~pulay, "within"].all()


def test_the_convergence_study_compares_its_variants(study):
    snakemake(study, *ARGUMENTS, "--", "convergence")
    table = pd.read_csv(study / "results/smoke/convergence/errors.csv")
    assert table["cell"].tolist() == ["eos_bcc_0.85", "eos_fcc_1.2", "random_2_atoms"]
    assert set(table["variant"]) == {"k8"}
    assert (table["energy"].abs() > 1).any()


def test_no_cell_failed(study):
    assert pd.read_csv(study / "results/smoke/tables/failures.csv").empty


def test_second_run_has_nothing_to_do(study):
    assert "Nothing to be done" in snakemake(study, *ARGUMENTS).stdout
