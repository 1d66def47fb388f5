"""Estimates of what a study takes: costs of labels against what released ones took, and sums."""

import gzip

import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk

from diverse.labels.cost import (
    LabelCost,
    cutoff_power,
    fit_cost,
    irreducible_kpoints,
    wave_functions,
    work_of,
)
from diverse.labels.labellers import LabellerError, gpaw, make_labeller
from diverse.labels.ledger import Ledger
from diverse.report.estimate import estimate_sentence, estimate_text, show_estimate
from diverse.report.numbers import digits
from diverse.study.check import load_study
from diverse.study.estimate import POD_COST, estimate, read_rates, wall_times
from diverse.study.expected import expected_cells
from diverse.study.rounds import chunks_made
from diverse.study.settings import labeller_options
from paths import ROOT

SCHEMA = str(ROOT / "workflow/schemas/study.schema.yaml")
RELEASE = ROOT / "results/release"
COST = LabelCost(base=1.0, per_kpoint=1e-4, once=1e-3, vacuum=0.5, cutoff=350)
# Chunks are dealt to parts in turn: machines of other speeds made the early and the late ones.
FOLDS = 3


def study_of(name):
    return load_study(yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()), SCHEMA)


@pytest.fixture(scope="module")
def default():
    return study_of("config")


def settings_of(study):
    return make_labeller(labeller_options(study, "entropy")).settings


def chunk_of(name, row, place, number, chunks):
    """The chunk of a released label: of its trajectory, or of its place among those dealt out."""
    if name in ("entropy", "random"):
        return int(row.info["trajectory"].split("_")[1])
    sizes = [number // chunks + (chunk < number % chunks) for chunk in range(chunks)]
    return int(np.searchsorted(np.cumsum(sizes), place, side="right"))


@pytest.fixture(scope="module")
def released(default):
    """What had to be computed for every released label of the families, and what it took."""
    tables = []
    for name in ("entropy", "random", "expert"):
        rows = Ledger(None, [RELEASE / f"labels/{name}.xyz.xz"]).rows()
        chunks = len(chunks_made(default["datasets"][name]))
        work = work_of(rows, settings_of(default), volume_per_atom=3.165**3 / 2)
        tables.append(
            work.assign(
                family=name,
                seconds=[row.info["seconds"] for row in rows],
                chunk=[chunk_of(name, r, p, len(rows), chunks) for p, r in enumerate(rows)],
            )
        )
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("fold", range(FOLDS))
def test_labels_of_some_chunks_cost_what_those_of_the_others_say(released, fold):
    apart = released["chunk"] % FOLDS == fold
    others, held = released[~apart], released[apart]
    assert set(held["family"]) == set(others["family"]) == {"entropy", "random", "expert"}
    groups = (others["family"] + others["chunk"].astype(str)).to_numpy()
    cost = fit_cost(others, others["seconds"].to_numpy(), groups, cutoff=350)
    said = pd.Series(cost.seconds(held), index=held.index).groupby(held["family"]).sum()
    took = held.groupby("family")["seconds"].sum()
    assert (said / took - 1).abs().max() < 0.25
    assert abs(said.sum() / took.sum() - 1) < 0.25
    assert cost.low < took.sum() / said.sum() < cost.high
    assert cost.low < 1 < cost.high


def test_a_fit_finds_the_cost_that_made_the_times_and_passes_over_disturbed_ones():
    rng = np.random.default_rng(0)
    work = pd.DataFrame(
        {
            "electrons": rng.uniform(14, 200, 300),
            "volume": rng.uniform(15, 800, 300),
            "kpoints": rng.integers(1, 200, 300),
            "dilution": rng.uniform(0.8, 8, 300),
        }
    )
    seconds = COST.seconds(work).copy()
    seconds[::10] *= 3
    found = fit_cost(work, seconds, np.arange(300) // 15, cutoff=350)
    errors = found.seconds(work) / COST.seconds(work) - 1
    assert np.median(np.abs(errors)) < 0.03
    assert found.high > 1.1


def test_cost_follows_the_cutoff_by_the_power_that_pairs_of_labels_say():
    labels = [("a", 300.0, 1.0), ("a", 600.0, 2.0), ("b", 300.0, 3.0), ("b", 600.0, 6.0)]
    assert cutoff_power(labels) == pytest.approx(1)
    assert cutoff_power([("a", 300.0, 1.0), ("b", 600.0, 2.0)]) == 1.5
    work = pd.DataFrame({"electrons": [14], "volume": [16], "kpoints": [8], "dilution": [1.0]})
    assert COST.seconds(work, 700) == pytest.approx(2 * COST.seconds(work))


def test_kpoints_are_those_that_symmetry_leaves(default):
    settings = settings_of(default)
    cell = bulk("W", "bcc", 3.165)
    with_symmetry = irreducible_kpoints(cell, settings)
    cell.info["config_type"] = "random"
    without = irreducible_kpoints(cell, settings)
    assert 1 < with_symmetry < without
    rattled = bulk("W", "bcc", 3.165).repeat((2, 1, 1))
    rattled.rattle(0.1, seed=1)
    rattled.set_cell(rattled.cell.array + np.diag([0.1, 0.2, 0.3]), scale_atoms=True)
    exact = irreducible_kpoints(rattled, settings)
    rattled.info["config_type"] = "entropy"
    assert exact <= irreducible_kpoints(rattled, settings)


def test_memory_is_that_of_bands_in_plane_waves():
    one = wave_functions(14, 100.0, 1, 350)
    assert wave_functions(28, 100.0, 3, 350) == pytest.approx(6 * one)
    assert wave_functions(14, 100.0, 1, 1400) == pytest.approx(8 * one)


def test_every_cell_of_a_study_is_counted_once(default):
    made = pd.read_csv(RELEASE / "tables/datasets.csv", index_col="dataset")["cells"]
    for name in ("entropy", "random", "complement"):
        cells, weights = expected_cells(default, name, [])
        assert weights.sum() == pytest.approx(made[name])
        assert len(cells) == len(weights)
    _, weights = expected_cells(default, "expert", [])
    assert weights.sum() == pytest.approx(made["expert"], rel=0.02)


def test_a_study_takes_the_sum_of_its_stages(default):
    rates = read_rates(RELEASE / "benchmarks")
    smoke = study_of("smoke")
    stages = estimate(smoke, COST, rates, {})
    labels = stages[stages["stage"] == "label"].set_index("dataset")
    assert list(labels.index) == list(smoke["datasets"])
    assert labels.loc["dft", "low"] == labels.loc["dft", "core_hours"]
    assert labels["low"].drop("dft").isna().all()
    assert labels["protocol"].nunique() == 2 and stages["protocol"].count() == len(labels)
    nodes = wall_times(stages, [1, 2, 1000], cores=4)
    total = labels["core_hours"].sum()
    assert nodes["hours"].iloc[0] == pytest.approx(total / 4)
    assert nodes["hours"].iloc[2] == pytest.approx(
        (labels["core_hours"] / labels["jobs"]).max() / 4
    )
    text = estimate_text(stages, nodes)
    assert "| label" in text and "| networks" in text
    said = estimate_sentence(stages, nodes)
    assert said.startswith(f"{labels['cells'].sum():,.0f} labels take {digits(total)} core-hours (")
    assert f"{digits(total / 4)} hours on 1 node, " in said and said.endswith("nodes of 4 cores.")


def test_networks_cost_their_epochs_or_their_steps():
    """So many steps of so many cells are as many passes over a set as it is small."""
    study, rates = study_of("smoke"), read_rates(RELEASE / "benchmarks")
    datasets = {n: d for n, d in study["datasets"].items() if d["use"] == "train_and_test"}
    smallest, *_ = datasets
    study |= {"datasets": {smallest: datasets[smallest]}, "subsets": {}}
    study["split"] |= {"train_environments": None}
    study["models"] = {"stepdown4": study["models"]["stepdown4"] | {"draws": False, "seeds": 1}}
    network = study["models"]["stepdown4"]

    def hours(**settings):
        study["models"]["stepdown4"] = network | settings
        stages = estimate(study, COST, rates, {})
        return stages.set_index("dataset").loc["networks", "core_hours"]

    n_cells = estimate(study, COST, rates, {})["cells"].iloc[0]
    trained = n_cells * (1 - study["split"]["test_fraction"])
    assert hours(epochs=0.5) == pytest.approx(hours(epochs=50) / 100)
    passes = 4000 * 2 / trained
    assert hours(steps=4000, batch=2) == pytest.approx(hours(epochs=1) * passes)
    assert hours(steps=7, batch=10**6) == pytest.approx(hours(epochs=7))


def test_polynomials_of_blocks_cost_one_pass_over_the_cells_of_the_widest():
    study, rates = study_of("smoke"), read_rates(RELEASE / "benchmarks")
    study["split"] |= {"train_environments": None}
    models, subsets = study["models"], study["subsets"]

    def hours(*names, **split):
        study["models"] = {name: models[name] for name in names}
        changed = study | {"split": study["split"] | split}
        stages = estimate(changed, COST, rates, {})
        return stages.set_index("dataset").loc["polynomials", "core_hours"]

    study["subsets"] = {}
    once = hours("quadratic4", by="block")
    assert once * (1 - study["split"]["test_fraction"]) == pytest.approx(
        hours("quadratic4", by="trajectory", draws=1)
    )
    assert hours("linear4", "quadratic4", by="block", draws=5) == once
    assert hours("quadratic4", "pod14", by="block") == pytest.approx((1 + POD_COST) * once)
    subset = next(iter(subsets.values())) | {"models": ["quadratic4"], "environments": 60}
    added = []
    for draws in (1, 3):
        study["subsets"] = {"some": subset | {"draws": draws}}
        added.append(hours("quadratic4", by="block") - once)
    assert added[1] == pytest.approx(3 * added[0])


def test_mixtures_and_other_weights_cost_what_they_hold():
    """All of a data set are the environments of its training part, of a pool all it has."""
    study, rates = study_of("smoke"), read_rates(RELEASE / "benchmarks")
    study["models"] = {"linear4": study["models"]["linear4"]}
    study["split"] |= {"train_environments": None, "draws": 1}
    study["datasets"]["random"]["use"] = "pool"
    plain = next(iter(study["subsets"].values())) | {"models": ["linear4"], "energy_weight": None}

    def environments(of, number=None):
        study["subsets"] = {"some": plain | {"of": of, "environments": number}}
        stages = estimate(study, COST, rates, {}).set_index("dataset")
        sizes.update(stages.loc[stages["stage"] == "label", "environments"])
        return stages.loc["polynomials", "core_hours"] * 3600 / rates.linear[0]

    sizes = {}
    whole = environments("entropy", 1) - 1
    trained = sizes["entropy"] * (1 - study["split"]["test_fraction"])
    assert environments({"entropy": None}) == pytest.approx(whole + trained)
    assert environments({"entropy": 30, "expert": 25}) == pytest.approx(whole + 55)
    assert environments({"entropy": None, "random": None}) == pytest.approx(
        whole + trained + sizes["random"]
    )
    study["split"]["train_environments"] = 10
    assert environments({"entropy": None, "expert": 5}) == pytest.approx(2 * 10 + 15)


def test_a_published_set_counts_nothing_before_it_is_imported():
    study, rates = study_of("smoke"), read_rates(RELEASE / "benchmarks")
    published = study["datasets"]["expert"] | {
        "family": "literature",
        "labels": "keep",
        "chunks": 1,
    }
    del published["groups"]
    study["models"]["stepdown4"] |= {"steps": 100, "batch": None}
    study["subsets"] = {
        "some": next(iter(study["subsets"].values()))
        | {"of": {"published": None}, "environments": None, "models": list(study["models"])}
    }

    def hours(datasets):
        stages = estimate(study | {"datasets": datasets}, COST, rates, {})
        return stages.loc[stages["stage"] == "train", "core_hours"].to_numpy()

    both = hours({"entropy": study["datasets"]["entropy"], "published": published})
    study["subsets"] = {}
    np.testing.assert_allclose(both, hours({"entropy": study["datasets"]["entropy"]}))
    assert hours({"published": published}).tolist() == [0, 0]


def test_an_unknown_calculator_has_no_cost():
    study = study_of("smoke")
    study["labellers"]["zhou"] = {
        "kind": "ase",
        "factory": "ase.calculators.emt:EMT",
        "options": {},
    }
    stages = estimate(study, COST, read_rates(RELEASE / "benchmarks"), {})
    labels = stages[stages["stage"] == "label"].set_index("dataset")
    assert np.isnan(labels.loc["entropy", "core_hours"])
    assert "unknown" in estimate_text(stages, wall_times(stages, [1], cores=4))


def test_a_page_gets_the_text_between_its_marks(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- estimate -->\nold\n<!-- end of the estimate -->\nafter\n")
    show_estimate(page, "paper", "| new |")
    assert "old" not in page.read_text()
    assert page.read_text().startswith("before\n<!-- estimate of the study paper")
    assert page.read_text().endswith("| new |\n\n<!-- end of the estimate -->\nafter\n")


def test_a_setup_that_does_not_say_its_valence_is_named(tmp_path):
    path = tmp_path / "W.PBE.gz"
    path.write_bytes(gzip.compress(b"<paw_setup version='0.6'>"))
    with pytest.raises(LabellerError, match="W.PBE.gz does not say its valence: install"):
        gpaw._read_valence(str(path))
