"""The workflow before anything runs: job counts, stages, and sentences for wrong studies."""

import json
import re
import subprocess
import sys
from itertools import combinations

import pytest
import yaml

from diverse.study.check import load_study
from diverse.study.fits import fit_settings, known_fits
from paths import ROOT, clean_environment, snakemake

STAGES = [
    "generate",
    "diversity",
    "label",
    "train",
    "transfer",
    "potentials",
    "dynamics",
    "physics",
]


def jobs(output: str) -> dict[str, int]:
    table = output.split("Job stats:")[1].split("\n\n")[0]
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def all_chunks() -> dict[str, int]:
    """The number of chunks that are made of each data set of the default study."""
    datasets = yaml.safe_load((ROOT / "config/config.yaml").read_text())["datasets"].items()
    return {name: entry.get("first_chunks", entry["chunks"]) for name, entry in datasets}


def test_default_study(tmp_path):
    found, chunks = jobs(snakemake(tmp_path, "--dry-run").stdout), all_chunks()
    sampled = ("entropy", "random", "complement", "large_entropy", "large_random")
    expected = {"generate_sampled": sum(chunks[name] for name in sampled), "generate_expert": 1}
    expected |= {"label_chunk": sum(chunks.values())}
    expected |= {"split": len(chunks), "whiten": 1, "start_statistics": 1}
    seeds = 6 + 5 + 3  # polynomials, networks of one and of three seeds
    expected |= {"fit_polynomial": 3 * 6, "fit_pod": 3 * 2, "train_network": 3 * (seeds - 6)}
    expected |= {"check_export": seeds + 2}
    expected |= {"score": 3, "calibrate": 6 + 2 + 1, "collect_potentials": 3}
    expected |= {"write_index": 1, "write_report": 1}
    expected |= {"draw_polynomials": 3, "draw_network": 3 * 6, "fit_subsets": 2}
    expected |= {"draw_ace": 3, "tabulate_ace": 1}  # as released
    expected |= {"train_subsets": 1, "select_subsets": 1, "describe_cells": 1, "measure_effects": 1}
    assert {name: found[name] for name in expected} == expected
    assert not [name for name in found if "search" in name]  # one weight, declared, for all
    assert "fit_ace" not in found


def test_physics_is_measured_on_request_alone(tmp_path):
    known = jobs(snakemake(tmp_path, "--dry-run").stdout)
    assert known["show_physics"] == 1  # the released values
    assert "measure_physics" not in known
    found = jobs(snakemake(tmp_path, "--dry-run", "physics").stdout)
    assert (
        found["measure_physics"] == 3 * 5 + 4 + 1
    )  # own potentials, reference models, the labeller
    assert (found["train_network"], found["fit_polynomial"]) == (3 * 2, 3 * 2)


def test_benchmarks_run_on_request_alone(tmp_path):
    found = jobs(snakemake(tmp_path, "--dry-run", "benchmarks").stdout)
    assert found == {"measure_speed": 5, "release_speed": 1, "benchmarks": 1, "total": 7}
    assert "measure_speed" not in jobs(snakemake(tmp_path, "--dry-run").stdout)


def test_smoke_study_does_not_inherit_from_the_default(tmp_path):
    output = snakemake(tmp_path, "--configfile", str(ROOT / "config/smoke.yaml"), "-n").stdout
    assert "results/smoke" in output
    assert "tungsten" not in output
    assert jobs(output)["label_chunk"] == 10


def test_rounds_wait_for_each_other_and_complements_come_first(tmp_path):
    arguments = ("--configfile", str(ROOT / "config/smoke.yaml"), "--dry-run", "--", "generate")
    found = jobs(snakemake(tmp_path, *arguments).stdout)
    expected = {"generate_sampled": 4, "generate_expert": 1, "start_statistics": 1}
    assert {name: found[name] for name in expected} == expected
    plan = snakemake(tmp_path, *arguments[:2], "--dag", "--", "generate").stdout
    jobs_of = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)', plan, re.M))
    chunks = re.findall(r'^\s*(\d+)\[label = "generate_sampled\\nchunk: \d"', plan, re.M)
    before = [re.findall(rf"^\s*(\d+) -> {chunk}$", plan, re.M) for chunk in chunks]
    assert [sorted(jobs_of[job] for job in needed) for needed in before] == [
        ["start_statistics", "whiten"],
        ["generate_sampled", "whiten"],
    ]


def test_the_paper_at_full_size_is_planned(tmp_path):
    arguments = ("--configfile", str(ROOT / "config/paper-surrogate.yaml"), "--dry-run")
    found = jobs(snakemake(tmp_path, *arguments, "--config", "labels=recompute").stdout)
    assert found["generate_sampled"] == 2 * 210
    assert found["label_chunk"] == 2 * 210 + 2 + 3
    assert found["sum_block"] == 3 * 2 * 21  # of quadratic8, which holds every SNAP, and of POD
    assert (found["fit_sums"], found["fit_sums_of_pod"], found["draw_sums"]) == (18, 3, 21)
    assert not {"fit_polynomial", "fit_pod", "draw_polynomials", "draw_network"} & found.keys()
    # Fits that are released of the study file as it is are not made again.
    study = load_study(
        yaml.safe_load((ROOT / "config/paper-surrogate.yaml").read_text()),
        str(ROOT / "workflow/schemas/study.schema.yaml"),
    )
    tests = [name for name, dataset in study["datasets"].items() if dataset["use"] != "pool"]
    released = known_fits(
        ROOT / "results/release/paper-surrogate/fits", fit_settings(study, study["models"]), tests
    )
    left = jobs(snakemake(tmp_path, *arguments).stdout)
    assert left.get("take_fits", 0) == bool(released)
    trained = {"fit_sums": 18, "fit_sums_of_pod": 3, "train_network": 18, "fit_subsets": 3}
    per_record = [1 if name.endswith("-subsets") else 3 for name in released]
    made = sum(left.get(rule, 0) for rule in trained)
    assert made == sum(trained.values()) - sum(per_record)


MADE = {  # what record_fit asks for of each training set
    "linear4": [
        *(f"models/{{0}}/linear4/0/potential.snap{end}" for end in ("coeff", "param")),
        *(f"models/{{0}}/linear4/0/{name}" for name in ("trained.npz", "ridge.csv", "fit.csv")),
        *("errors/draws/{0}/linear4.csv.xz", "calibration/{0}/linear4.csv"),
    ],
    "stepdown4": [
        f"models/{{0}}/stepdown4/0/{name}"
        for name in ("potential.nn", "potential.descriptor", "trained.npz", "history.csv")
    ],
}


def test_released_fits_are_taken_unless_settings_differ_or_labels_are_recomputed(tmp_path):
    for name in ("Snakefile", "workflow", "config", "envs"):
        (tmp_path / name).symlink_to(ROOT / name)
    study = yaml.safe_load((ROOT / "config/paper-surrogate.yaml").read_text())
    del study["learning_curve"], study["beside"]
    study["models"] = {name: study["models"][name] for name in (*MADE, "pod80")}
    for name in ("entropy", "random"):
        study["datasets"][name] |= {"cells": 100, "chunks": 1}
    study["datasets"]["entropy"]["rounds"] = 1

    def plan(**changes):
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(study | changes))
        arguments = ("--snakefile", "Snakefile", "--configfile", "study.yaml", "--dry-run", "fits")
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        run = {"cwd": tmp_path, "env": clean_environment(), "text": True, "check": True}
        found = jobs(subprocess.run(command, capture_output=True, **run).stdout)
        names = ("take_fits", "sum_block", "fit_sums", "draw_sums", "train_network", "calibrate")
        return [found.get(name, 0) for name in names]

    anew = [0, 2 * 3 * 21, 3, 2 * 3, 3, 2]
    assert plan() == anew
    loaded = load_study(study, str(ROOT / "workflow/schemas/study.schema.yaml"))
    tests = [name for name, dataset in loaded["datasets"].items() if dataset["use"] != "pool"]
    fits = tmp_path / "results/release/paper-surrogate/fits"
    for model, names in MADE.items():
        files = [name.format(train) for train in ("entropy", "random", "expert") for name in names]
        for file in files:
            (fits / file).parent.mkdir(parents=True, exist_ok=True)
            (fits / file).touch()
        settings = fit_settings(loaded, [model])[model]
        record = {"settings": settings, "files": dict.fromkeys(files, "")}
        record |= {"cells": dict.fromkeys(tests, ""), "benchmarks": {}}
        (fits / f"{model}.json").write_text(json.dumps(record))
    assert plan() == [1, 3 * 21, 0, 3, 0, 1]  # those of POD alone
    assert plan(labels="recompute") == anew
    other = study["models"] | {"linear4": study["models"]["linear4"] | {"energy_weight": 30}}
    assert plan(models=other) == [1, 2 * 3 * 21, 3, 2 * 3, 0, 2]
    # Another test set: released fits have no errors on it.
    more = study["datasets"] | {"further": study["datasets"]["hot"]}
    assert plan(datasets=more) == anew


def test_the_paper_with_dft_is_the_surrogate_with_other_labels_and_few_jobs(tmp_path):
    studies = {
        name: yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
        for name in ("paper", "paper-surrogate")
    }
    paper, surrogate = studies["paper"], studies["paper-surrogate"]
    for key in ("element", "lattice", "sampler", "split", "learning_curve", "models"):
        assert paper[key] == surrogate[key]
    for name, dataset in surrogate["datasets"].items():
        differs = {"chunks"} if dataset["family"] == "expert" else set()  # dealt out, not drawn
        assert {k: v for k, v in paper["datasets"][name].items() if k not in differs} == {
            k: v for k, v in dataset.items() if k not in differs
        }
    arguments = ("--configfile", str(ROOT / "config/paper.yaml"), "--dry-run")
    found = jobs(snakemake(tmp_path, *arguments).stdout)
    expert = sum(d["chunks"] for d in paper["datasets"].values() if d["family"] == "expert")
    expected = {"generate_sampled": 2 * 210, "label_chunk": 2 * 210 + expert}
    expected |= {"sum_block": 3 * 2 * 21, "fit_sums": 3 * 6, "draw_sums": 3 * 7}
    expected |= {"train_network": 3 * 6, "fit_subsets": 3, "measure_effects": 1}
    assert {name: found[name] for name in expected} == expected
    assert found["total"] < 2000


def test_subsets_train_but_do_not_test(tmp_path):
    arguments = ("--configfile", str(ROOT / "config/smoke.yaml"), "--dry-run")
    found = jobs(snakemake(tmp_path, *arguments).stdout)
    assert found["select_subsets"] == 1
    assert found["split"] == 7
    assert found["train_network"] == 3 * (2 + 1)
    assert found["fit_polynomial"] == 3 * 3
    assert found["fit_pod"] == 3
    assert found["fit_subsets"] == found["train_subsets"] == 1
    assert found["show_learning_curves"] == found["show_groups"] == 1
    assert found["show_mixtures"] == 1


def test_only_models_with_auto_weights_are_searched(tmp_path):
    arguments = ("--configfile", str(ROOT / "config/smoke.yaml"), "--dry-run")
    found = jobs(snakemake(tmp_path, *arguments).stdout)
    assert found["search_polynomial"] == 3
    assert found["search_network"] == 3


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_a_target(tmp_path, stage):
    assert jobs(snakemake(tmp_path, "--dry-run", stage).stdout)[stage] == 1


@pytest.mark.parametrize(("target", "models"), [("dynamics", 2), ("ramps", 5)])
def test_dynamics_run_on_request_alone(tmp_path, target, models):
    """One job a potential; a study without released runs shows none, and runs none by itself."""
    smoke = ("--configfile", str(ROOT / "config/smoke.yaml"), "--dry-run")
    found = jobs(snakemake(tmp_path, *smoke, "--", target).stdout)
    assert (found[f"measure_{target}"], found[f"show_own_{target}"]) == (3 * models, 1)
    found = jobs(snakemake(tmp_path, *smoke).stdout)
    assert not [name for name in found if target in name]


@pytest.mark.parametrize(
    ("target", "model"),
    [
        ("dynamics", {"family": "quadratic", "twojmax": 4}),
        ("ramps", {"family": "pod", "radial_functions": [4, 3], "angular_degrees": [2]}),
    ],
)
def test_dynamics_of_no_model_end_in_a_sentence(tmp_path, target, model):
    study = small_study(["random"])
    study["models"] = {"other": model}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    arguments = ("--configfile", str(tmp_path / "study.yaml"), "--dry-run", "--", target)
    said = snakemake(tmp_path, *arguments, check=False)
    assert said.returncode == 1
    assert "no model of those that it stands for by default" in said.stdout


def test_released_dynamics_are_shown(tmp_path):
    found = jobs(snakemake(tmp_path, "--dry-run").stdout)
    assert found["show_dynamics"] == found["show_ramps"] == 1
    assert not {"measure_dynamics", "measure_ramps"} & set(found)
    assert found["total"] <= 400


def test_labels_can_be_recomputed(tmp_path):
    output = snakemake(tmp_path, "--dry-run", "--config", "labels=recompute", "--", "label").stdout
    assert jobs(output)["label_chunk"] == sum(all_chunks().values())


def test_recomputed_labels_have_no_released_convergence(tmp_path):
    assert "show_convergence" in jobs(snakemake(tmp_path, "--dry-run").stdout)
    found = jobs(snakemake(tmp_path, "--dry-run", "--config", "labels=recompute").stdout)
    assert "show_convergence" not in found
    assert found["measure_noise"] == found["write_card"] == 1


def test_own_errors_of_labels_come_before_released_ones(tmp_path):
    assert "release/convergence/tungsten.csv" in files_behind_noise(tmp_path)
    own = tmp_path / "results/tungsten/convergence/errors.csv"
    own.parent.mkdir(parents=True)
    own.touch()
    found = files_behind_noise(tmp_path)
    assert ">results/tungsten/convergence/errors.csv<" in found and "release" not in found


def test_labels_of_another_protocol_have_no_released_errors(tmp_path):
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study["labellers"]["dft"] |= {"cutoff_energy": 450, "kpoint_density": {"1000": 1.0}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    found = files_behind_noise(tmp_path, "--configfile", str(tmp_path / "study.yaml"))
    assert "noise.csv" in found and "errors.csv" not in found and "release" not in found


def files_behind_noise(folder, *arguments):
    """Return the graph of the files that the noise of the labels is made from."""
    noise = "results/tungsten/tables/noise.csv"
    return snakemake(folder, "--filegraph", *arguments, "--", noise).stdout


WRONG = {
    "misspelt": ({"sampler": {"dmin": 2.0}}, "sampler: unknown key 'dmin'; did you mean 'd_min'?"),
    "labeller": ({"labeller": "vasp"}, "there is no labeller 'vasp'"),
    "element": ({"element": "Po"}, "GPAW has no PAW setup for element 'Po'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_study_ends_in_one_sentence(tmp_path, name):
    change, sentence = WRONG[name]
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | change
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    result = snakemake(tmp_path, "--configfile", str(path), check=False)
    assert result.returncode == 1
    assert f"The study file is not valid. {'datasets.' * ('labeller' in sentence)}" in result.stdout
    assert sentence in result.stdout
    assert "Traceback" not in result.stdout
    assert not (tmp_path / "results").exists()


FAMILIES = {
    "entropy": {"family": "entropy", "cells": 6},
    "random": {"family": "random", "cells": 6},
    "expert": {
        "family": "expert",
        "groups": {"eos": {"lattices": ["fcc"], "volumes": [0.9, 1.0, 1.1]}},
    },
    "literature": {"family": "literature", "source": "set.xyz"},
}
PRESENT = [families for number in (1, len(FAMILIES)) for families in combinations(FAMILIES, number)]


def small_study(families):
    return {
        "study": "small",
        "element": "Cu",
        "lattice": {"structure": "fcc", "a": 3.61},
        "labeller": "emt",
        "labellers": {"emt": {"kind": "ase", "factory": "ase.calculators.emt:EMT"}},
        "datasets": {f"my_{name}": FAMILIES[name] for name in families},
        "models": {"linear-4": {"family": "linear", "twojmax": 4}},
    }


@pytest.mark.parametrize("families", PRESENT, ids="-".join)
def test_any_family_may_be_absent(tmp_path, families):
    (tmp_path / "set.xyz").touch()
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(small_study(families)))
    arguments = ("--configfile", str(tmp_path / "study.yaml"), "--dry-run")
    found = jobs(snakemake(tmp_path, *arguments).stdout)
    sampled = sum(name in families for name in ("entropy", "random"))
    assert found["write_report"] == found["measure_diversity"] == 1
    assert found["split"] == found["fit_polynomial"] == found["collect_potentials"] == len(families)
    assert found.get("generate_sampled", 0) == sampled
    for rule in ("ablate", "plot_ablation", "tabulate_generation"):
        assert found.get(rule, 0) == bool(sampled)
    assert found.get("generate_expert", 0) == found.get("plot_gallery", 0) == ("expert" in families)
    assert found.get("import_literature", 0) == ("literature" in families)
    assert found["measure_effects"] == found["show_effects"] == 1


def test_magnesium_is_planned(tmp_path):
    arguments = ("--configfile", str(ROOT / "config/magnesium.yaml"), "--dry-run")
    found = jobs(snakemake(tmp_path, *arguments).stdout)
    assert (found["generate_expert"], found["generate_sampled"]) == (1, 2)
    assert found["fit_polynomial"] == 3
    assert found["train_network"] == 6


def test_a_study_file_stands_for_itself_whatever_it_holds(tmp_path):
    study = small_study(["random"])
    del study["study"]
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    arguments = ("--configfile", str(tmp_path / "study.yaml"), "--dry-run")
    result = snakemake(tmp_path, *arguments, check=False)
    assert result.returncode == 1
    assert "The study file is not valid. study file: the key 'study' is missing" in result.stdout
    assert "Job stats" not in result.stdout
    result = snakemake(tmp_path, *arguments, "--config", "study=named")
    assert "results/named" in result.stdout
    assert not (tmp_path / "results").exists()


def test_without_a_file_settings_are_those_of_the_default_study(tmp_path):
    output = snakemake(tmp_path, "--dry-run", "--config", "study=mine", "--", "label").stdout
    assert "results/mine" in output
    assert jobs(output)["label_chunk"] == sum(all_chunks().values())


DAMAGED = {
    "missing": (None, "There is no file"),
    "latin-1": (b"study: caf\xe9\n", "is not UTF-8"),
    "empty": (b"", "is empty or no mapping"),
    "no mapping": (b"- study\n", "is empty or no mapping"),
    "twice": (b"study: a\nstudy: b\n", "the key 'study' stands twice, in lines 1 and 2"),
    "path": (b"study: a\npathvars: 3\n", "the key 'pathvars' must go"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_study_file_ends_in_one_sentence(tmp_path, name):
    content, sentence = DAMAGED[name]
    path = tmp_path / "study.yaml"
    if content is not None:
        path.write_bytes(content)
    command = [ROOT / "envs/run", "snakemake", "--cores", "1", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", tmp_path, "--configfile", path, "-n"]
    result = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("The study file is not valid. ") and sentence in line
    assert not result.stdout
    assert not (tmp_path / "results").exists()


def test_keys_that_stand_twice_are_seen_without_envs_run_too(tmp_path):
    path = tmp_path / "study.yaml"
    smoke = (ROOT / "config/smoke.yaml").read_text()
    path.write_text(smoke + "element: Ta\n")
    result = snakemake(tmp_path, "--configfile", str(path), "-n", check=False)
    assert result.returncode == 1
    lines = f"in lines 4 and {smoke.count(chr(10)) + 1}; delete one"
    assert f"the key 'element' stands twice, {lines}" in result.stdout
    assert "Traceback" not in result.stdout
