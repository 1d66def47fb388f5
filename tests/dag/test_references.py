"""Reference models before anything runs: which are asked, which are read from the release."""

import re

import pytest
import yaml

from paths import ROOT, snakemake

LJ = {"kind": "ase", "factory": "ase.calculators.lj:LennardJones", "options": {"rc": 4.0}}


def smoke_with(folder, references):
    """Write the smoke study with other reference models; return its path."""
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    study["reference_models"] = references
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    return str(path)


def asked(output):
    """Return the numbers of jobs that are about reference models, and of all."""
    rows = re.findall(r"^(\w+) +(\d+)$", output.split("Job stats:")[1].split("\n\n")[0], re.M)
    return {name: int(n) for name, n in rows if "reference" in name or name == "total"}


def test_without_the_extra_environment_only_what_needs_none_is_asked(tmp_path):
    output = snakemake(tmp_path, "--dry-run").stdout
    found = asked(output)
    assert found.pop("total") <= 400
    assert found == {"label_reference": 4, "tabulate_references": 1}


def test_without_it_the_released_answers_are_read(tmp_path):
    """They are an input of the table, whose page calls them released (tests/unit)."""
    graph = snakemake(tmp_path, "--filegraph", "references").stdout
    assert "results/release/errors/references.csv.xz" in graph
    assert "results/tungsten/references/sevennet0.xyz" not in graph
    assert "results/tungsten/references/snap2017.xyz" in graph


def test_with_the_extra_environment_all_are_asked_by_one_target(tmp_path, monkeypatch):
    monkeypatch.setenv("DIVERSE_UNIVERSAL", str(tmp_path))
    output = snakemake(tmp_path, "--dry-run", "references").stdout
    found = asked(output)
    assert (found["label_reference"], found["tabulate_references"]) == (7, 1)


def test_a_study_without_reference_models_makes_none(tmp_path):
    arguments = ("--configfile", smoke_with(tmp_path, {}), "--dry-run")
    assert list(asked(snakemake(tmp_path, *arguments).stdout)) == ["total"]


WRONG = {
    "factory": (
        LJ | {"factory": "ase.calculators.lj:Lenard"},
        "reference_models.mine: no calculator factory 'ase.calculators.lj:Lenard'",
    ),
    "kind": (LJ | {"kind": "gpaw"}, "reference_models.mine.kind: 'gpaw' is not one of"),
    "key": (LJ | {"cutoff": 5.0}, "unknown key 'cutoff'"),
    "environment": (LJ | {"environment": "other"}, "reference_models.mine.environment: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_reference_model_ends_in_one_sentence(tmp_path, name):
    block, sentence = WRONG[name]
    path = smoke_with(tmp_path, {"mine": block})
    result = snakemake(tmp_path, "--configfile", path, "--dry-run", check=False)
    assert result.returncode == 1
    assert sentence in result.stdout
    assert "Traceback" not in result.stdout


def test_a_reference_model_has_a_name_of_its_own(tmp_path):
    path = smoke_with(tmp_path, {"linear4": LJ})
    result = snakemake(tmp_path, "--configfile", path, "--dry-run", check=False)
    assert "reference_models.linear4: a model that is trained here has this name" in result.stdout
