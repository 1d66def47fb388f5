"""Labels follow what made them, an audit ends with its verdict, and -n runs nothing of a study."""

import os
import re
import shutil
import time
from pathlib import Path

import ase.io
import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from diverse.lammps_library import potentials
from diverse.study.verify import differing_files
from paths import ROOT, snakemake
from small_studies import STUDY as SMALL
from small_studies import write_study

STUDY = {
    "study": "mine",
    "element": "Cu",
    "lattice": {"structure": "fcc", "a": 3.61},
    "labeller": "mine",
    "labellers": {"mine": {"kind": "ase", "factory": "maker:make"}},
    "datasets": {"expert": {"family": "expert", "groups": {}}},
    "models": {"linear4": {"family": "linear", "twojmax": 4}},
}
STUDY["datasets"]["expert"]["groups"] = {"eos": {"lattices": ["fcc"], "volumes": [0.9, 1.0, 1.1]}}
MAKER = """
from pathlib import Path
import sys
from ase.calculators.emt import EMT
import helper
with open("ran", "a") as file: print(sys.argv[-1], file=file)
def make(): return EMT()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder with a study whose factory says when its module is imported."""
    (tmp_path / "maker.py").write_text(MAKER)
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def study(folder):
    return "--configfile", str(folder / "study.yaml")


def planned(folder):
    """Return how many chunks are to be labelled, and why."""
    output = snakemake(folder, "label", *study(folder), "--dry-run").stdout
    assert not (folder / "ran").exists()  # nothing of a study file runs under -n
    number = re.search(r"^label_chunk +(\d+)$", output, re.M)
    return int(number[1]) if number else 0


def test_an_edited_factory_is_labelled_with_again_and_nothing_else_is(folder):
    assert planned(folder) == 1
    snakemake(folder, "label", *study(folder))
    assert (folder / "ran").exists()
    (folder / "ran").unlink()
    assert planned(folder) == 0
    os.utime(folder / "maker.py")  # its content is what it was
    assert planned(folder) == 0
    for module in ("maker.py", "helper.py"):
        time.sleep(1)
        path = folder / module
        path.write_text(f"{path.read_text()}# edited\n")
        assert planned(folder) == 1
        snakemake(folder, "label", *study(folder))
        assert "3 cells, 3 to label" in next(folder.rglob("logs/label_chunk/*/0.log")).read_text()
        (folder / "ran").unlink()
        assert planned(folder) == 0


def test_an_edited_local_source_is_imported_again(folder):
    changed = STUDY | {"datasets": {"own": {"family": "literature", "source": "own.xyz"}}}
    (folder / "study.yaml").write_text(yaml.safe_dump(changed))
    cell = bulk("Cu", cubic=True)
    cell.calc = EMT()
    cell.get_forces()
    target = "results/mine/structures/own/0.xyz"
    for place in (0.1, 0.2):
        cell.rattle(place, seed=1)
        cell.get_forces()
        cell.write(folder / "own.xyz")
        snakemake(folder, target, *study(folder))
        (read,) = ase.io.read(folder / target, index=":")
        np.testing.assert_allclose(read.positions, cell.positions, atol=1e-6)
        assert "Nothing to be done" in snakemake(folder, target, *study(folder)).stdout
        time.sleep(1)


def test_an_edited_potential_of_an_expert_group_makes_its_cells_anew(tmp_path):
    potential = tmp_path / "my.eam.alloy"
    shutil.copy(potentials() / "W_zhou.eam.alloy", potential)
    dynamics = {"pair_style": "eam/alloy", "pair_coeff": ["* * my.eam.alloy W"]}
    dynamics |= {"supercell": [2, 2, 1], "temperatures": [3000], "snapshots": 1}
    dynamics |= {"equilibration": 2, "interval": 2}
    arguments = write_study(tmp_path, {"hot": {"family": "expert", "groups": {"md": dynamics}}})
    target = "results/mine/structures/hot/0.xyz"
    snakemake(tmp_path, target, *arguments)
    assert "Nothing to be done" in snakemake(tmp_path, target, *arguments, "-n").stdout
    time.sleep(1)
    comment, _, rest = potential.read_text().partition("\n")
    potential.write_text(f"{comment} edited\n{rest}")
    assert "generate_expert" in snakemake(tmp_path, target, *arguments, "-n").stdout


def test_a_study_that_names_files_from_here_is_made_again(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "none")  # so that the log names rules
    shutil.copy(potentials() / "W_zhou.eam.alloy", tmp_path / "my.eam.alloy")
    cell = bulk("W", cubic=True)
    cell.calc = LennardJones()
    cell.get_forces()
    cell.write(home / "own.xyz")
    bulk("W", a=3.165).write(home / "bcc.cif")
    labeller = {"kind": "lammps", "pair_style": "eam/alloy"}
    labeller |= {"pair_coeff": ["* * ../my.eam.alloy W"]}
    own = {"family": "literature", "source": "own.xyz"}
    (home / "study.yaml").write_text(
        yaml.safe_dump(
            SMALL
            | {"lattice": {"file": "bcc.cif"}, "labellers": {"zhou": labeller}}
            | {"datasets": {"own": own, "random": {"family": "random", "cells": 2}}}
        )
    )
    paths = ["structures/own/0.xyz", "config.yaml"]
    snakemake(home, *(f"results/mine/{path}" for path in paths), *study(home))
    results, log = Path("results/mine"), home / "log"
    assert differing_files(results, paths[:1], ROOT / "Snakefile", log) == []
    assert "import_literature" in log.read_text()


@pytest.mark.parametrize(("difference", "within"), [(0.01, True), (0.2, False)])
def test_an_audit_beyond_its_limits_ends_with_an_error_and_its_page(folder, difference, within):
    tables = folder / "results/mine/tables"
    tables.mkdir(parents=True)
    check = {"dataset": "expert", "check": "stress", "cell": "a", "atoms": 2, "unit": "GPa"}
    check |= {"difference": difference, "limit": 0.05, "within": within}
    energy = check | {"check": "energy", "within": True}
    pd.DataFrame([energy, check]).to_csv(tables / "audit.csv", index=False)
    (tables / "audit.html").write_text("the page")
    result = snakemake(folder, "audit", *study(folder), "--allowed-rules", "audit", check=False)
    assert result.returncode == (0 if within else 1)
    verdict = "All 2 checks of the audit are within their limits."
    if not within:
        verdict = "1 of 2 checks of the audit are beyond their limits: expert (stress)."
    assert verdict in result.stdout
    assert verdict in (folder / "results/mine/logs/audit.log").read_text()
    assert (tables / "audit.html").exists() and (tables / "audit.csv").exists()
