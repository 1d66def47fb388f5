"""Study files: defaults, and one sentence naming the key for what is wrong."""

import copy
from pathlib import Path

import pytest
import yaml

from diverse.study.check import ConfigError, load_study
from diverse.study.settings import labeller_options, measured_variants
from paths import ROOT

SCHEMA = str(ROOT / "workflow/schemas/study.schema.yaml")


@pytest.fixture
def study():
    return yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_studies_are_valid(path):
    load_study(yaml.safe_load(path.read_text()), SCHEMA)


def test_defaults_are_filled_in_and_stable(study):
    full = load_study(study, SCHEMA)
    assert full["sampler"]["d_min"] is None
    assert full["datasets"]["entropy"]["estimator"] == "set"
    assert full["datasets"]["entropy"]["complement"] is None
    assert "rounds" not in full["datasets"]["random"]
    assert full["datasets"]["entropy"]["use"] == "train_and_test"
    assert full["labellers"]["dft"]["xc"] == "PBE"
    assert load_study(full, SCHEMA) == full
    assert "optimiser" not in study


def test_every_key_is_described():
    schema = yaml.safe_load(Path(SCHEMA).read_text())
    undescribed = [k for k, v in schema["properties"].items() if "description" not in v]
    assert undescribed == []


WRONG = [
    (("datasets", "entropy", "cels"), 3, "unknown key 'cels'; did you mean 'cells'"),
    (("sampler",), {"d_min": "big"}, "sampler.d_min: 'big' is not of type 'number'"),
    (("sampler",), {"d_min": 3.0}, r"sampler: spheres of d_min = 3.0 Å would fill 111% of a cell"),
    (("sampler",), {"volume": [0.3, 2]}, "sampler: spheres of d_min = 2.1 Å would fill 102%"),
    (("cutoff",), 3.0, "cutoff: 3.0 Å holds hardly a neighbour .* take about 4.7 Å"),
    (("sampler",), {"sizes": "big"}, "sampler.sizes: 'big' is not one of"),
    (("datasets", "entropy", "rounds"), 99, "datasets.entropy.rounds: 99 rounds for 21 chunks are"),
    (("datasets", "entropy", "complement"), "exprt", "complement: 'exprt' is neither a data set"),
    (("datasets", "entropy", "complement"), "entropy", "entropy -> entropy goes round in a circle"),
    (("datasets", "random", "estimator"), "set", "datasets.random: unknown key 'estimator'"),
    (("datasets", "random", "family"), "entropic", "'entropic' is not one of"),
    (("sampler",), {"volume": [2, 1]}, r"sampler.volume: the range \[2, 1\] is empty"),
    (("labeller",), "dtf", "no labeller 'dtf' under labellers; defined are dft"),
    (
        ("labellers", "dft", "kind"),
        "vasp",
        "no labeller 'vasp'; the labellers are ase, gpaw, lammps",
    ),
    (("element",), "Po", "no PAW setup for element 'Po'"),
    (("element",), "Xx", "there is no element 'Xx'"),
    (("models", "linear6", "ridge"), "best", "models.linear6.ridge: 'best' is not valid"),
    (("models", "linear6", "solver"), "fitsnap", "solver fitsnap needs a number as ridge"),
    (("models", "linear6", "energy_weight"), "best", "linear6.energy_weight: 'best' is not valid"),
    (("search",), {"energy_weights": [10, 0]}, "search.energy_weights.1: 0 is less than or equal"),
    (("models", "linear6", "twojmax"), 20, "models.linear6.twojmax: 20 is greater than"),
    (("models", "linear6", "widths"), [4], "models.linear6: unknown key 'widths'"),
    (("datasets", "expert", "groups", "eoss"), {}, "unknown key 'eoss'; did you mean 'eos'"),
    (("datasets", "entropy", "chunks"), 999, "datasets.entropy.chunks: 999 chunks for 315 cells"),
    (("zbl",), {"inner": 5.0, "outer": 4.0}, "zbl: inner"),
    (("labels",), "steal", "labels: 'steal' is not one of"),
    (("convergence", "labeller"), "exact", "there is no labeller 'exact' under labellers"),
    (("convergence", "variants", "k20", "against"), ["k99"], "there is no variant 'k99'"),
    (("convergence", "variants", "k20", "settings"), {"cutof": 1}, "settings: .*'cutof'"),
]


@pytest.mark.parametrize(("path", "value", "sentence"), WRONG, ids=[w[2][:30] for w in WRONG])
def test_what_is_wrong_is_said(study, path, value, sentence):
    block = study
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = value
    with pytest.raises(ConfigError, match=sentence) as error:
        load_study(study, SCHEMA)
    assert "\n" not in str(error.value)


CELL = {"family": "entropy", "estimator": "cell", "cells": 8}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"chunks": 2, "rounds": 2}, "only estimator set has rounds"),
        ({"complement": "expert"}, "only estimator set can complement"),
    ],
)
def test_what_only_the_set_entropy_can_do_is_said(study, options, sentence):
    study["datasets"]["entropy"] = CELL | options
    with pytest.raises(ConfigError, match=sentence):
        load_study(study, SCHEMA)


def test_cell_entropy_of_two_atoms_is_refused(study):
    study["datasets"]["entropy"] = CELL
    study["sampler"] = {"atoms": [2, 8]}
    with pytest.raises(ConfigError, match="cell needs at least 3 atoms in every cell"):
        load_study(study, SCHEMA)


def test_a_set_may_complement_another_or_a_file(study, tmp_path):
    (tmp_path / "mine.xyz").touch()
    for source in ("expert", str(tmp_path / "mine.xyz")):
        study["datasets"]["entropy"]["complement"] = source
        assert load_study(study, SCHEMA)["datasets"]["entropy"]["complement"] == source


def test_subsets_are_of_training_sets_and_have_names_of_their_own(study):
    study["subsets"] = {"small": {"of": "random", "environments": 20}}
    assert load_study(study, SCHEMA)["subsets"]["small"]["method"] == "random"
    study["subsets"] = {"small": {"of": "exprt", "environments": 20}}
    with pytest.raises(ConfigError, match="subsets.small: 'exprt' is not a data set"):
        load_study(study, SCHEMA)
    study["subsets"] = {"random": {"of": "random", "environments": 20}}
    with pytest.raises(ConfigError, match="subsets.random: a data set has this name already"):
        load_study(study, SCHEMA)


def test_a_learning_curve_is_subsets_of_every_training_set(study):
    study["learning_curve"] = {"environments": [20, 40], "models": ["linear6"]}
    study["subsets"] = {"small": {"of": "random", "environments": 20}}
    full = load_study(study, SCHEMA)
    names = [f"{name}{size}" for size in (20, 40) for name in ("entropy", "random", "expert")]
    assert list(full["subsets"]) == ["small", *names]
    assert full["subsets"]["small"]["models"] == list(study["models"])
    chosen = {"of": "expert", "environments": 40, "method": "random", "models": ["linear6"]}
    assert full["subsets"]["expert40"] == chosen
    assert load_study(full, SCHEMA) == full


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"learning_curve": {"environments": [9999]}}, "9999 is not below split.train_environm"),
        ({"learning_curve": {"environments": []}}, "learning_curve.environments: .* non-empty"),
        (
            {
                "learning_curve": {"environments": [20]},
                "subsets": {"expert20": {"of": "expert", "environments": 30}},
            },
            "learning_curve: subsets has another expert20; rename it",
        ),
        (
            {"learning_curve": {"environments": [20], "models": ["linear2"]}},
            "subsets.entropy20.models: there is no model 'linear2'",
        ),
    ],
)
def test_learning_curves_that_cannot_be_are_refused(study, block, sentence):
    with pytest.raises(ConfigError, match=sentence):
        load_study(study | block, SCHEMA)


@pytest.mark.parametrize("source", ["absent.tar", "http://127.0.0.1:9/set.tar"])
def test_an_absent_published_set_stops_the_study(study, source):
    published = {"family": "literature", "source": source, "sha256": "0" * 64}
    study["datasets"]["published"] = published
    with pytest.raises(ConfigError, match=rf"datasets\.published: .*{source}.*optional: true"):
        load_study(study, SCHEMA)


@pytest.mark.parametrize("source", ["absent.tar", "http://127.0.0.1:9/set.tar"])
def test_an_absent_optional_set_is_left_out_with_a_notice(study, source, caplog):
    published = {"family": "literature", "source": source, "sha256": "0" * 64, "optional": True}
    study["datasets"]["published"] = published
    study["subsets"] = {"small": {"of": "published", "environments": 20}}
    del study["learning_curve"]
    full = load_study(study, SCHEMA)
    assert "published" not in full["datasets"]
    assert full["subsets"] == {}
    assert list(full["left_out"]) == ["published"]
    assert source in full["left_out"]["published"]
    assert load_study(full, SCHEMA) == full
    assert "goes on without its data set published" in caplog.text


def test_a_published_set_at_hand_stays(study, tmp_path):
    (tmp_path / "set.xyz").touch()
    study["datasets"]["published"] = {"family": "literature", "source": str(tmp_path / "set.xyz")}
    assert "published" in load_study(study, SCHEMA)["datasets"]


def test_groups_the_lattice_has_not_are_refused(study):
    study["lattice"] = {"structure": "fcc", "a": 3.9}
    groups = study["datasets"]["expert"]["groups"]
    groups["interstitials"] = {"supercell": [2, 2, 2], "repeats": 1, "displacement": 0}
    with pytest.raises(ConfigError, match="datasets.expert: interstitials are made for bcc only"):
        load_study(study, SCHEMA)
    del groups["interstitials"]
    groups["md"] = {"pair_style": "eam/aloy", "pair_coeff": ["x"], "supercell": [1, 1, 1]}
    groups["md"] |= {"temperatures": [300], "snapshots": 1}
    with pytest.raises(ConfigError, match="datasets.expert: LAMMPS knows no pair style 'eam/aloy'"):
        load_study(study, SCHEMA)


@pytest.mark.parametrize("auto", [{"energy_weight": "auto"}, {"energy_scale": "auto"}])
def test_fitsnap_searches_no_weights(study, auto):
    study["models"]["linear6"] |= {"solver": "fitsnap", "ridge": 1e-6, **auto}
    with pytest.raises(ConfigError, match="models.linear6: solver fitsnap needs a number as ridge"):
        load_study(study, SCHEMA)


def test_missing_key_is_named(study):
    del study["lattice"]
    with pytest.raises(ConfigError, match="the key 'lattice' is missing"):
        load_study(study, SCHEMA)


def test_no_training_set_is_said(study):
    for dataset in study["datasets"].values():
        dataset["use"] = "test"
    with pytest.raises(ConfigError, match="no model can be trained"):
        load_study(study, SCHEMA)


def test_a_dataset_may_name_its_labeller(study):
    study["labellers"]["other"] = copy.deepcopy(study["labellers"]["dft"])
    study["labellers"]["other"]["smearing"] = 0.1
    study["datasets"]["expert"]["labeller"] = "other"
    full = load_study(study, SCHEMA)
    assert labeller_options(full, "expert")["smearing"] == 0.1
    assert labeller_options(full, "random")["smearing"] == 0.2


def test_the_variant_of_a_labeller_is_found_by_its_settings(study):
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": "dft"}
    study["convergence"]["variants"]["same"] = study["convergence"]["variants"].pop("dft")
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": "same"}
    study["labellers"]["dft"]["cutoff_energy"] = 400  # of the variant, too
    study["convergence"]["variants"]["same"]["settings"] = {"cutoff_energy": 350}
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": ""}
    del study["convergence"]
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": ""}
