"""The table of packages: complete, with a licence each, and an advisory where a version has one."""

import shutil
from importlib import metadata

import pandas as pd
import pytest
from packaging.specifiers import SpecifierSet

from diverse.study.dependencies import NO_LICENCE, dependencies, licence
from paths import ROOT

ENVS = ROOT / "envs"


@pytest.fixture(scope="module")
def table():
    return dependencies(ENVS).set_index("package")


def test_every_pin_is_there_in_its_version_with_a_licence(table):
    lines = (ENVS / "requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    own = table[table["environment"] == "study"]
    assert own["version"].to_dict() == pins
    assert not (table["licence"] == NO_LICENCE).any()


def test_no_pin_has_an_advisory_that_the_repository_knows_of(table):
    affected = table[table["advisories"] != ""]
    assert affected.empty, f"move the pins, or say in the table why not:\n{affected}"


def test_an_advisory_is_found_by_the_version(tmp_path):
    for file in ("requirements.txt", "universal.txt", "ace.txt", "requirements-gpu.txt"):
        shutil.copy(ENVS / file, tmp_path)
    version = metadata.version("numpy")
    lines = [f"NumPy,<={version},A-1", f"numpy,<{version},A-2", f'numpy,"{version},<99",A-3']
    header = "package,affected,advisory\n"
    (tmp_path / "advisories.csv").write_text(header + "\n".join(lines).replace('"2', '">=2'))
    table = dependencies(tmp_path).set_index("package")
    assert table.loc["numpy", "advisories"] == "A-1; A-3"
    assert (table.drop(index="numpy")["advisories"] == "").all()


def test_packages_of_an_extra_are_those_of_its_folder(tmp_path, monkeypatch):
    about = tmp_path / "ace_jax-0.4.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: ace-jax\nVersion: 0.4.1\nLicense-Expression: MIT\n")
    monkeypatch.setenv("DIVERSE_ACE", str(tmp_path))
    extra = dependencies(ENVS).query("environment == 'ace'")
    assert extra[["package", "version", "licence"]].to_numpy().tolist() == [
        ["ace-jax", "0.4.1", "MIT"]
    ]


def test_every_advisory_is_complete_and_its_versions_are_readable():
    advisories = pd.read_csv(ENVS / "advisories.csv")
    assert not advisories.isna().to_numpy().any()
    assert advisories["advisory"].is_unique
    assert advisories["source"].str.startswith("https://").all()
    assert all(SpecifierSet(text) for text in advisories["affected"])


def test_a_licence_that_two_entries_name_differently_is_given_twice():
    found = licence(metadata.distribution("fitsnap3"))
    assert found == "MIT License, but also: GNU GENERAL PUBLIC LICENSE"
