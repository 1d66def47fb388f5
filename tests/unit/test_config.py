"""Study files: defaults, and one sentence naming the key for what is wrong."""

import copy
from pathlib import Path

import pytest
import yaml
from ase.build import bulk
from ase.io import write

from diverse.study.check import ConfigError, load_study
from diverse.study.settings import (
    labeller_options,
    measured_variants,
    named_file,
    reference_lattice,
)
from diverse.study.subsets import subset_parts, subset_sources
from paths import ROOT

SCHEMA = str(ROOT / "workflow/schemas/study.schema.yaml")


@pytest.fixture
def study():
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    further = ("subsets", "mixtures", "weight_sensitivity")  # of sets that tests may rename
    return {key: value for key, value in study.items() if key not in further}


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
    (("physics",), {"models": ["linear9"]}, "physics.models: there is no model 'linear9'; defined"),
    (("physics",), {"melting": [4000, 3000]}, "physics.melting: 4000 to 3000 K is no range"),
    (("physics",), {"melting": [4000]}, r"physics.melting: \[4000\] is too short"),
    (("physics", "references"), "no.yaml", "physics.references: there is no file '.*no.yaml'"),
    (
        ("reference_models",),
        {"dft": {"kind": "lammps", "pair_style": "zero 1", "pair_coeff": ["* *"]}},
        "reference_models.dft: a labeller has this name",
    ),
    (
        ("reference_models",),
        {"Linear": {"kind": "lammps", "pair_style": "zero 1", "pair_coeff": ["* *"]}},
        "reference_models.Linear: figures have a class of models of this name",
    ),
    (
        ("reference_models",),
        {"eam": {"kind": "lammps", "pair_style": "eem", "pair_coeff": ["* *"]}},
        "reference_models.eam: LAMMPS knows no pair style 'eem'",
    ),
    (("cutoff",), 3.0, "cutoff: 3.0 Å holds hardly a neighbour .* take about 4.7 Å"),
    (("sampler",), {"sizes": "big"}, "sampler.sizes: 'big' is not one of"),
    (("datasets", "entropy", "rounds"), 99, "datasets.entropy.rounds: 99 rounds for 42 chunks are"),
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
    (("models", "linear6", "energy_weight"), "best", "linear6.energy_weight: 'best' is not valid"),
    (("search",), {"energy_weights": [10, 0]}, "search.energy_weights.1: 0 is less than or equal"),
    (("models", "linear6", "twojmax"), 20, "models.linear6.twojmax: 20 is greater than"),
    (("models", "linear6", "widths"), [4], "models.linear6: unknown key 'widths'"),
    (("models", "pod80", "twojmax"), 4, "models.pod80: unknown key 'twojmax'"),
    (("models", "bare"), {"family": "linear"}, "models.bare: the key 'twojmax' is missing"),
    (("models", "pod80", "angular_degrees"), [4], "3 radial_functions go with 2 angular_degrees"),
    (("models", "pod80", "radial_functions"), [5, 4, 6], r"radial_functions: \[4, 6\] grow"),
    (("models", "pod80", "angular_degrees"), [3, 4], r"pod80.angular_degrees: \[3, 4\] grow"),
    (("models", "pod80", "angular_degrees"), [9, 7], "LAMMPS has degrees up to 6"),
    (("models", "ace224", "degree"), 99, "models.ace224.degree: 99 is greater than"),
    (("models", "ace224", "energy_weight"), "auto", "models.ace224.energy_weight: 'auto' is not"),
    (("physics",), {"models": ["ace224"]}, "'ace224'; defined, and run by LAMMPS, are linear4"),
    (("dynamics",), {"models": ["ace224"]}, "there is no model 'ace224' that LAMMPS runs"),
    (("datasets", "expert", "groups", "eoss"), {}, "unknown key 'eoss'; did you mean 'eos'"),
    (("datasets", "entropy", "chunks"), 999, "datasets.entropy.chunks: 999 chunks for 630 cells"),
    (("zbl",), {"inner": 5.0, "outer": 4.0}, "zbl: inner"),
    (("dynamics",), {"models": ["linear3"]}, "dynamics.models: there is no model 'linear3'"),
    (("dynamics",), {"ramps": {"models": ["x"]}}, "dynamics.ramps.models: there is no model 'x'"),
    (("dynamics",), {"timesteps": {"1": 1, "9": 2}}, "dynamics.timesteps: 1 are above 0 and not"),
    (("dynamics",), {"timesteps": {"one": 1}}, "'one'.* this is a time step in fs, in quotes"),
    (("labels",), "steal", "labels: 'steal' is not one of"),
    (("convergence", "labeller"), "exact", "there is no labeller 'exact' under labellers"),
    (("convergence", "variants", "k20", "against"), ["k99"], "there is no variant 'k99'"),
    (
        ("convergence", "variants", "k20", "cells"),
        "config/absent.xyz",
        "variants.k20.cells: there is no file 'config/ab",
    ),
    (
        ("convergence", "variants", "dft", "against"),
        ["pw500"],
        "dft.against: 'pw500' labels the cells of 'config/convergence.xyz', this variant those of",
    ),
    (("convergence", "variants", "k20", "settings"), {"cutof": 1}, "settings: (?!.*init).*'cutof'"),
    (
        ("convergence", "variants", "k20", "settings"),
        {"cutoff_energy": "high"},
        "variants.k20.settings: cutoff_energy: 'high' is not of type 'number'",
    ),
    (
        ("convergence", "cells"),
        "config/absent.xyz",
        "convergence.cells: there is no file 'config/ab",
    ),
    # names
    (("study",), "release", "study: results/release holds what the repository ships"),
    (("study",), "Release", "study: results/release holds what the repository ships"),
    (("study",), ".", "study: '.' cannot be: a name begins with a letter and holds letters, digit"),
    (("study",), "..", "study: '..' cannot be: a name begins"),
    (("study",), "a/b", "study: 'a/b' cannot be: a name begins"),
    (("study",), "/tmp/a", "study: '/tmp/a' cannot be: a name begins"),
    (("study",), ".hidden", "study: '.hidden' cannot be: a name begins"),
    (("study",), "a" * 65, "study: 'a{59}… cannot be: a name .* 64 characters at most"),
    (("study",), "a\n", "study: 'a.n' holds a line break or another control character"),
    (("study",), 2022, "study: 2022 is not of type 'string'"),
    (("pathvars",), {"results": "/tmp"}, "study file: unknown key 'pathvars'"),
    (
        ("datasets", "a b"),
        {"family": "random", "cells": 3},
        "datasets: 'a b' cannot be: a name beg",
    ),
    (("datasets", "NaN"), {"family": "random", "cells": 3}, "'NaN' is read back from tables as so"),
    (
        ("datasets", "Random"),
        {"family": "random", "cells": 99},
        "'random' and 'Random' differ in c",
    ),
    (("models", "m/4"), {"family": "linear", "twojmax": 4}, "models: 'm/4' cannot be: a name"),
    (("models", "4m"), {"family": "linear", "twojmax": 4}, "models: '4m' cannot be: a name"),
    # numbers
    (("lattice", "a"), float("nan"), "lattice.a: nan is no number that can be meant"),
    (("lattice", "a"), float("inf"), "lattice.a: inf is no number that can be meant"),
    (("lattice", "a"), 10**400, "lattice.a: 10{59}… is too large to be meant"),
    (("lattice", "a"), "3,165", "lattice.a: '3,165' is not of type 'number' but text; write 3.165"),
    (
        ("models", "linear6", "twojmax"),
        "6",
        "models.linear6.twojmax: '6' is not of type 'integer' but text; write 6",
    ),
    (
        ("zbl",),
        {"inner": "1e-1"},
        "zbl.inner: '1e-1' is not of type 'number' but text; write 1.0e-1",
    ),
    (
        ("models", "linear6", "ridge"),
        "1e-8",
        "models.linear6.ridge: '1e-8' is not valid: it is a number from 0 or auto; this is a text, "
        "write 1.0e-8",
    ),
    (("datasets", "random", "chunks"), 2.0, "chunks: 2.0 is not of type 'integer'; write 2"),
    (("datasets", "random", "chunks"), True, "chunks: True is not of type 'integer'"),
    (("datasets", "random", "first_chunks"), 41, "first_chunks: there are 40 chunks, not 41"),
    (("seed",), 2**32, "seed: 4294967296 is greater than the maximum"),
    (("device",), "gpu", "device: 'gpu' is not one of"),
    (
        ("labellers", "dft", "kpoint_density"),
        {2: 3.0},
        'the key 2 is no text; put it in quotes: "2"',
    ),
    (
        ("labellers", "dft", "kpoint_density"),
        {"a": 3.0},
        "'a' cannot be: this is a number of atoms",
    ),
    # what cannot be meant, by the numbers of atoms and bytes
    (
        ("datasets", "expert", "groups", "vacancy", "supercell"),
        [100, 100, 100],
        "groups.vacancy: a cell of 1,000,000 atoms, about 150 MB when labelled, cannot be meant",
    ),
    (
        ("datasets", "expert", "groups", "vacancy", "repeats"),
        10**9,
        r"expert.groups: up to 12,000,[\d,]+ atoms, about 2 TB when labelled, cannot be meant",
    ),
    (
        ("datasets", "random", "cells"),
        10**9,
        "datasets.random.cells: up to 12,000,000,000 atoms, about 2 TB when labelled, cannot be",
    ),
    (
        ("sampler",),
        {"atoms": [4, 10**7]},
        "sampler.atoms: a cell of 10,000,000 atoms, about 2 GB wh",
    ),
    (
        ("datasets", "random", "atoms"),
        [4, 10**7],
        "datasets.random.atoms: a cell of 10,000,000 atoms, about 2 GB when labelled, cannot",
    ),
    (("datasets", "random", "atoms"), [32, 16], r"random.atoms: the range \[32, 16\] is empty"),
    (
        ("datasets", "entropy"),
        {"family": "entropy", "estimator": "cell", "cells": 2, "atoms": [2, 4]},
        "cell needs at least 3 atoms in every cell, datasets.entropy.atoms starts at 2",
    ),
    (
        ("datasets", "expert", "groups", "divacancy", "supercell"),
        [1, 1, 2],
        "groups.divacancy.supercell: a cell of 2 atoms is too small, it needs 3",
    ),
    (
        ("datasets", "expert", "groups", "gamma_surface", "shifts"),
        [1, 1],
        "groups.gamma_surface: this makes no cell; raise shifts",
    ),
    # ranges and lists
    (
        ("datasets", "extremes", "groups", "clusters", "sizes"),
        [4, 2],
        r"the range \[4, 2\] is empty",
    ),
    (
        ("datasets", "expert", "groups", "eos", "volumes"),
        {"from": 1.2, "to": 0.8, "number": 5},
        r"volumes: the range \[1.2, 0.8\] is empty; swap its ends",
    ),
    (
        ("datasets", "expert", "groups", "eos", "volumes"),
        [0.9, 0],
        "volumes.1: 0 is less than or eq",
    ),
    (
        ("datasets", "expert", "groups", "eos", "volumes"),
        [-1.0],
        "volumes.0: -1.0 is less than or e",
    ),
    (("datasets", "expert", "groups", "eos", "volumes"), [], "eos.volumes: .* non-empty"),
    (
        ("datasets", "expert", "groups", "elastic", "strains"),
        [9],
        "strains.0: 9 is greater than the",
    ),
    (("datasets", "expert", "groups", "surfaces", "facets"), [[0, 0, 0]], "0, 0, 0. is no plane"),
    (("sampler",), {"angles": [60, 500]}, "sampler.angles.1: 500 is greater than the maximum"),
    # commands of LAMMPS
    (
        ("datasets", "expert", "groups", "md", "pair_style"),
        "",
        "md.pair_style: '' cannot be: it is what follows pair_style in LAMMPS, on one line",
    ),
    (
        ("datasets", "expert", "groups", "md", "pair_style"),
        "eam/alloy\nshell rm",
        "md.pair_style: .* holds a line break or another control character",
    ),
    (
        ("datasets", "expert", "groups", "md", "pair_coeff"),
        ["* * W_zhou.eam.alloy W\rshell rm"],
        "md.pair_coeff.0: .* holds a line break or another control character",
    ),
    (("datasets", "expert", "groups", "md", "pair_style"), "eam/alloy & ", "without & at its end"),
    (
        ("datasets", "expert", "groups", "md", "pair_coeff"),
        ["* * ${x} W"],
        "without .* and without &",
    ),
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


def test_descriptors_that_no_card_computes_are_refused_only_where_one_is_asked_for(study):
    study["models"]["wide"] = {"family": "network", "twojmax": 12}
    study["optimiser"] = {"twojmax": 12}
    assert load_study(study, SCHEMA)["device"] == "cpu"
    for device in ("cuda", "auto"):
        study["device"] = device
        for name in ("optimiser", "models.wide"):
            with pytest.raises(ConfigError, match=f"{name}: twojmax is 12, but a card takes up"):
                load_study(study, SCHEMA)
            study["optimiser"] = {}
        study["optimiser"] = {"twojmax": 12}


def test_a_set_may_complement_another_or_a_file(study, tmp_path):
    (tmp_path / "mine.xyz").touch()
    for source in ("expert", str(tmp_path / "mine.xyz")):
        study["datasets"]["entropy"]["complement"] = source
        assert load_study(study, SCHEMA)["datasets"]["entropy"]["complement"] == source


def test_files_are_those_of_where_one_works_or_else_of_the_repository(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "config/convergence.xyz"
    study["datasets"]["entropy"]["complement"] = name
    load_study(study, SCHEMA)
    assert named_file(name, ROOT) == ROOT / name
    Path("config").mkdir()
    Path(name).touch()
    assert named_file(name, ROOT) == Path(name)
    Path("mine.xyz").touch()
    study["convergence"]["cells"] = "mine.xyz"
    load_study(study, SCHEMA)
    Path("mine.xyz").unlink()
    with pytest.raises(ConfigError, match="no file 'mine.xyz', from here or in /"):
        load_study(study, SCHEMA)


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
    everything = [name for name in study["models"] if not name.startswith("ace")]
    assert full["subsets"]["small"]["models"] == everything
    chosen = {"of": "expert", "environments": 40, "method": "random", "models": ["linear6"]}
    assert full["subsets"]["expert40"] == {**chosen, "energy_weight": None, "draws": None}
    assert load_study(full, SCHEMA) == full


def test_mixtures_are_subsets_of_two_sets_at_constant_and_growing_size(study):
    study["mixtures"] = {
        **{"base": "expert", "added": ["random", "complement"], "shares": [0.1, 0.25]},
        **{"environments": [200], "models": ["linear6"]},
    }
    full = load_study(study, SCHEMA)["subsets"]
    assert full["expert_random10"]["of"] == {"expert": 2340, "random": 260}
    assert full["expert_complement25"]["of"] == {"expert": 1950, "complement": 650}
    assert full["expert_plus_complement200"]["of"] == {"expert": None, "complement": 200}
    assert subset_parts(full["expert_random10"]) == [(["expert"], 2340), (["random"], 260)]
    study["mixtures"]["added"] = ["extremes"]
    with pytest.raises(ConfigError, match="'extremes' is not a data set of this study"):
        load_study(study, SCHEMA)
    study["mixtures"]["added"] = ["expert"]
    with pytest.raises(ConfigError, match="mixtures: expert is added to itself"):
        load_study(study, SCHEMA)
    study["split"]["train_environments"] = None
    study["mixtures"]["added"] = ["random"]
    with pytest.raises(ConfigError, match="shares of split.train_environments, which is null"):
        load_study(study, SCHEMA)


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({}, "^mixtures: they have neither shares nor environments"),
        (
            {"environments": [20], "base": "extremes"},
            "^mixtures.base: 'extremes' is not a data set",
        ),
        ({"environments": [20], "base": "complement"}, "name one with use: train_and_test$"),
        ({"environments": [20], "base": "exprt"}, "^mixtures.base: 'exprt' is not a data set"),
        (
            {"environments": [20], "added": ["entropie"]},
            "^mixtures.added: 'entropie' is not a data",
        ),
        ({"shares": [0.5], "models": ["linear9"]}, "^mixtures.models: there is no model 'linear9'"),
    ],
)
def test_mixtures_that_cannot_be_are_refused(study, block, sentence):
    study["mixtures"] = {"base": "expert", "added": ["random"]} | block
    with pytest.raises(ConfigError, match=sentence):
        load_study(study, SCHEMA)


def test_what_a_block_asks_for_is_refused_by_the_name_of_the_block(study):
    study["weight_sensitivity"] = {"energy_weights": [3], "models": ["linear9"]}
    with pytest.raises(
        ConfigError, match=r"^weight_sensitivity.models: there is no model 'linear9'"
    ):
        load_study(study, SCHEMA)
    study["weight_sensitivity"]["models"] = None
    study["datasets"]["random_weight3"] = study["datasets"]["random"]
    with pytest.raises(ConfigError, match=r"^weight_sensitivity: its subset random_weight3 is cal"):
        load_study(study, SCHEMA)
    del study["weight_sensitivity"], study["datasets"]["random_weight3"]
    study["mixtures"] = {"base": "expert", "added": ["random"], "environments": [9]}
    study["datasets"]["random"]["labeller"] = "axes"
    with pytest.raises(ConfigError, match=r"^mixtures.added: it mixes labels"):
        load_study(study, SCHEMA)


def test_labels_of_two_labellers_are_not_mixed(study):
    study["datasets"]["random"]["labeller"] = "axes"
    study["subsets"] = {"both": {"of": {"random": 9, "expert": 9}}}
    said = r"subsets.both: it mixes labels .* random \(labeller axes\), expert \(labeller dft\)"
    with pytest.raises(ConfigError, match=said):
        load_study(study, SCHEMA)
    study["split"]["mixed_labels"] = True
    assert "both" in load_study(study, SCHEMA)["subsets"]


def test_energy_weights_are_tried_on_every_training_set(study):
    study["weight_sensitivity"] = {"energy_weights": [3, 0.5], "models": ["linear6"]}
    full = load_study(study, SCHEMA)["subsets"]
    assert full["entropy_weight3"]["of"] == {"entropy": None}
    assert full["expert_weight0_5"]["energy_weight"] == 0.5
    assert "complement_weight3" not in full


def test_a_subset_may_be_taken_from_several_sets_together(study):
    study["subsets"] = {"union": {"of": ["random", "expert"], "environments": 90}}
    subset = load_study(study, SCHEMA)["subsets"]["union"]
    assert subset_sources(subset) == ["random", "expert"]
    assert subset_parts(subset) == [(["random", "expert"], 90)]
    for wrong, sentence in (
        ({"of": ["random", "random"], "environments": 9}, "of names a data set twice"),
        ({"of": {"random": 9}, "environments": 9}, "give one of the two"),
        ({"of": "random"}, "give one of the two"),
    ):
        study["subsets"] = {"union": wrong}
        with pytest.raises(ConfigError, match=sentence):
            load_study(study, SCHEMA)


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
            "^learning_curve.models: there is no model 'linear2'",
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


def test_what_is_made_of_an_absent_optional_set_is_left_out_too(study):
    published = {"family": "literature", "source": "absent.tar", "optional": True}
    more = {"family": "entropy", "estimator": "set", "complement": "published", "cells": 4}
    study["datasets"] |= {"published": published, "more": more}
    study["mixtures"] = {"base": "published", "added": ["entropy"], "shares": [0.5]}
    full = load_study(study, SCHEMA)
    assert list(full["left_out"]) == ["published", "more"]
    assert full["left_out"]["more"] == "it complements published, which is not at hand"
    assert "more" not in full["datasets"]
    assert "mixtures" not in full
    assert load_study(full, SCHEMA) == full


def test_mixtures_with_nothing_but_absent_sets_are_left_out(study):
    published = {"family": "literature", "source": "absent.tar", "optional": True}
    study["datasets"]["published"] = published
    study["mixtures"] = {"base": "expert", "added": ["published", "random"], "shares": [0.5]}
    assert load_study(study, SCHEMA)["mixtures"]["added"] == ["random"]
    study["mixtures"]["added"] = ["published"]
    full = load_study(study, SCHEMA)
    assert "mixtures" not in full
    assert load_study(full, SCHEMA) == full


def test_a_published_set_at_hand_stays(study, tmp_path):
    (tmp_path / "set.xyz").touch()
    study["datasets"]["published"] = {"family": "literature", "source": str(tmp_path / "set.xyz")}
    assert "published" in load_study(study, SCHEMA)["datasets"]


def test_a_labeller_goes_with_labels_that_are_not_kept(study, tmp_path):
    (tmp_path / "set.xyz").touch()
    published = {"family": "literature", "source": str(tmp_path / "set.xyz"), "labeller": "dft"}
    study["datasets"]["published"] = published
    with pytest.raises(
        ConfigError, match=r"published\.labeller: .* say labels: relabel, or delete"
    ):
        load_study(study, SCHEMA)
    published["labels"] = "relabel"
    assert load_study(study, SCHEMA)["datasets"]["published"]["labeller"] == "dft"


def objects(node):
    """Yield every object inside a schema."""
    if isinstance(node, dict):
        yield node
    for inner in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from objects(inner)


def test_no_key_that_must_be_given_has_a_default():
    found = [
        f"{key} of {', '.join(block['required'])}"
        for block in objects(yaml.safe_load(Path(SCHEMA).read_text()))
        for key in (block.get("required") if isinstance(block.get("required"), list) else [])
        if "default" in block.get("properties", {}).get(key, {})
    ]
    assert not found


def test_groups_of_expert_cells_need_no_displacement(study):
    groups = study["datasets"]["expert"]["groups"]
    groups["vacancy"] = {"supercell": [2, 2, 2], "repeats": 1}
    full = load_study(study, SCHEMA)
    assert full["datasets"]["expert"]["groups"]["vacancy"]["displacement"] == 0.0


def test_keys_of_a_published_set_name_one_of_stress_and_virial(study, tmp_path):
    (tmp_path / "set.xyz").touch()
    published = {"family": "literature", "source": str(tmp_path / "set.xyz")}
    study["datasets"]["published"] = published | {"keys": {"stress": "s", "virial": "v"}}
    with pytest.raises(ConfigError, match=r"datasets.published.keys: it names both stress \('s'\)"):
        load_study(study, SCHEMA)


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


def test_fitsnap_may_leave_everything_to_the_search(study):
    auto = dict.fromkeys(("ridge", "energy_weight", "energy_scale"), "auto")
    study["models"]["linear6"] |= {"solver": "fitsnap", **auto}
    assert load_study(study, SCHEMA)["models"]["linear6"]["ridge"] == "auto"


def test_missing_key_is_named(study):
    del study["lattice"]
    with pytest.raises(ConfigError, match="the key 'lattice' is missing"):
        load_study(study, SCHEMA)


@pytest.mark.parametrize(
    ("block", "entry", "key"),
    [
        ("models", {"twojmax": 6}, "family"),
        ("datasets", {"cells": 40}, "family"),
        ("labellers", {"pair_style": "zero 1"}, "kind"),
        ("reference_models", {"pair_style": "zero 1"}, "kind"),
    ],
)
def test_a_missing_family_or_kind_is_named(study, block, entry, key):
    study[block]["mine"] = entry
    with pytest.raises(ConfigError, match=f"^{block}.mine: the key '{key}' is missing$"):
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
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": "dft"}  # the first of two
    del study["convergence"]["variants"]["dft_axes"]
    study["convergence"]["variants"]["same"] = study["convergence"]["variants"].pop("dft")
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": "same"}
    study["labellers"]["dft"]["cutoff_energy"] = 400  # of the variant, too
    study["convergence"]["variants"]["same"]["settings"] = {"cutoff_energy": 350}
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": ""}
    del study["convergence"]
    assert measured_variants(load_study(study, SCHEMA)) == {"dft": ""}


def labelled_by_ase(study, factory):
    study["labellers"]["mine"] = {"kind": "ase", "factory": factory}
    study["datasets"]["random"]["labeller"] = "mine"
    return study


@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        ("math:pi", "math' is part of Python|math belongs to Python"),
        ("os:system", "os' is part of Python|os belongs to Python"),
        ("absent_module:make", "there is no module 'absent_module'"),
        ("ase.calculators.emt:EMTT", "emt.py defines no 'EMTT'"),
        ("ase.calculators.absent:EMT", "there is no module 'ase.calculators.absent'"),
        ("broken:make", r"broken.py(, line 2 is not Python| has a syntax error in line 2)"),
        ("latin:make", r"latin.py(, line 1 is not Python| has a syntax error)"),
        ("ase.calculators.emt", "a factory is written module:function"),
    ],
)
def test_factories_that_cannot_be_are_refused(study, factory, sentence, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("import os\ndef make(:\n")
    (tmp_path / "latin.py").write_bytes(b"make = '\xe9'\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        load_study(labelled_by_ase(study, factory), SCHEMA)


@pytest.mark.parametrize("body", ["raise SystemExit(3)", "1 / 0", "open('ran', 'w')"])
def test_nothing_of_a_factory_runs_when_a_study_is_read(study, body, tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text(body)
    (package / "mine.py").write_text(f"{body}\ndef make(): pass")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    load_study(labelled_by_ase(study, "package.mine:make"), SCHEMA)
    assert not (tmp_path / "ran").exists()


def test_names_may_have_capitals_underscores_and_dashes(study):
    study["study"] = "Cu_EMT-2"
    study["datasets"] = {"my_cells": study["datasets"].pop("random")}
    study["models"] = {"Linear-6_a": study["models"]["linear6"]}
    study["learning_curve"]["models"] = None
    assert list(load_study(study, SCHEMA)["datasets"]) == ["my_cells"]


def test_no_data_set_is_called_as_the_neutral_ground(study):
    study["datasets"]["Neutral"] = study["datasets"].pop("hot")
    with pytest.raises(
        ConfigError, match=r"datasets\.Neutral: tables of effects have rows of this"
    ):
        load_study(study, SCHEMA)


def test_no_model_is_called_as_the_fits_to_subsets_of_another(study):
    study["models"]["linear6-subsets"] = study["models"]["linear6"]
    with pytest.raises(ConfigError, match=r"models\.linear6-subsets: records of fits of linear6"):
        load_study(study, SCHEMA)


@pytest.mark.parametrize("name", ["polynomials", "exported", "ace"])
def test_no_model_is_called_as_a_batch_of_models(study, name):
    study["models"][name] = study["models"]["linear6"]
    with pytest.raises(ConfigError, match=rf"models\.{name}: errors of several models together"):
        load_study(study, SCHEMA)
    study["models"] |= {name: study["models"]["linear6"], "ace": study["models"]["ace224"]}
    study["models"].pop(name if name != "ace" else "ace224")
    assert "ace" in load_study(study, SCHEMA)["models"]


@pytest.mark.parametrize("block", ["reference_models", "labellers"])
def test_nothing_else_is_called_as_a_potential_of_the_study(study, block):
    zero = {"kind": "lammps", "pair_style": "zero 1", "pair_coeff": ["* *"]}
    study[block]["expert-linear6-0"] = zero
    with pytest.raises(ConfigError, match=rf"{block}\.expert-linear6-0: a potential that is train"):
        load_study(study, SCHEMA)
    study[block]["expert-linear6"] = study[block].pop("expert-linear6-0")
    assert "expert-linear6" in load_study(study, SCHEMA)[block]


def test_two_potentials_have_two_names(study):
    datasets = study["datasets"]
    study["datasets"] = {"a": datasets["random"], "a-b": datasets["random"]}
    study["models"] = {"c": study["models"]["linear6"], "b-c": study["models"]["linear6"]}
    del study["learning_curve"]
    sentence = "'c' trained on 'a-b' and 'b-c' trained on 'a' would both be the potential a-b-c"
    with pytest.raises(ConfigError, match=sentence):
        load_study(study, SCHEMA)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("https://host/a b.tar", "holds a space; a URL has %20 in its place"),
        ("https://höst/a.tar", "is not ASCII; percent-encode"),
        ("https:///a.tar", "is no URL; it begins with https://HOST/"),
        ("http://[::1/a", "is no URL"),
        ("gopher://host/a", "is no URL"),
        ("", "this is empty; name a file, a folder or a URL"),
        ("a" * 300, "a{59}… is too long for a file"),
    ],
)
def test_sources_that_are_no_path_and_no_url_are_refused(study, source, sentence):
    study["datasets"]["published"] = {"family": "literature", "source": source, "sha256": "0" * 64}
    with pytest.raises(ConfigError, match=f"datasets.published.source: .*{sentence}"):
        load_study(study, SCHEMA)


@pytest.mark.parametrize(
    ("lattice", "sentence"),
    [
        ({}, "lattice: the key 'structure' is missing"),
        ({"structure": "bcc"}, "lattice: the key 'a' is missing"),
        ({"structure": "hcp", "a": 3.2}, "lattice: hcp has a and c; add the key 'c'"),
        ({"structure": "fcc", "a": 3.2, "c": 5}, "lattice: fcc has a, no c; take away the key 'c'"),
        ({"structure": "hcp", "a": 2.0, "c": 20}, "lattice: c/a is 10.00; correct a or c"),
        ({"structure": "hpc", "a": 2.0}, "lattice.structure: 'hpc' is not one of"),
        ({"file": "absent.xyz"}, "lattice.file: there is no structure file 'absent.xyz'"),
        ({"file": "absent.xyz", "a": 3.0}, "lattice: file stands alone; take away a"),
        ({"file": "config/config.yaml"}, "lattice.file: ASE cannot read the structure file"),
        ({"file": "x" * 300}, "lattice.file: there is no structure file 'x{80}'"),
    ],
)
def test_lattices_that_cannot_be_are_refused(study, lattice, sentence, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(ConfigError, match=sentence) as error:
        load_study(study | {"lattice": lattice}, SCHEMA)
    assert "\n" not in str(error.value)


def test_dynamics_start_from_the_reference_lattice(study):
    groups = load_study(study, SCHEMA)["datasets"]["hot"]["groups"]
    assert groups["md"]["lattices"] == ["bcc"]
    magnesium = yaml.safe_load((ROOT / "config/magnesium.yaml").read_text())
    groups = load_study(magnesium, SCHEMA)["datasets"]["expert"]["groups"]
    assert groups["md"]["lattices"] == ["hcp"]


def test_a_study_depends_on_what_the_file_of_its_lattice_holds(study, tmp_path):
    path = tmp_path / "cell.xyz"
    study["lattice"] = {"file": str(path)}
    for name in ("interstitials", "md", "liquid"):
        study["datasets"]["expert"]["groups"].pop(name)
    del study["datasets"]["large_expert"]  # has interstitials too
    found = []
    for a in (3.1, 3.2):
        write(path, bulk("W", cubic=True, a=a))
        full = load_study(study, SCHEMA)
        assert reference_lattice(full).nearest_neighbour == pytest.approx(3**0.5 / 2 * a)
        assert load_study(full, SCHEMA) == full
        found.append(full["lattice"]["sha256"])
    assert len(set(found)) == 2
