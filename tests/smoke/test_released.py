"""Released labels are reused unless the study asks to recompute: then nothing of them is read."""

import shutil

import ase.io
import numpy as np
import pytest
import yaml

from diverse.labels.labellers import Label
from diverse.labels.ledger import Ledger, attach, merge, write_rows
from paths import ROOT, snakemake

ERROR = 1.0  # eV, by which the released labels are wrong


@pytest.fixture
def repository(tmp_path):
    """Copy of the repository whose released labels, of a reference potential, are all wrong."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in ("workflow", "envs"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "Snakefile", folder)
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    groups = {"eos": {"lattices": ["bcc", "fcc"], "volumes": [0.9, 1.0, 1.1]}}
    study["datasets"] = {"expert": {"family": "expert", "groups": groups}}
    for key in ("convergence", "subsets", "mixtures", "weight_sensitivity"):
        del study[key]
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    label(folder)
    rows = Ledger(None, [folder / "results/smoke/labels/expert/0.xyz"]).rows()
    for row in rows:
        energy = row.get_potential_energy() + ERROR
        attach(row, Label(energy, energy, row.get_forces(), row.get_stress()))
    write_rows(folder / "wrong.xyz", rows)
    shutil.rmtree(folder / "results/smoke")
    merge([folder / "wrong.xyz"], folder / "results/release/labels/expert.xyz.xz")
    return folder


def label(folder, *arguments):
    """Run the stage `label` of the copied repository and return the energies."""
    study = ("--configfile", str(folder / "study.yaml"))
    snakemake(folder, "--snakefile", str(folder / "Snakefile"), "label", *study, *arguments)
    cells = ase.io.read(folder / "results/smoke/labels/expert/0.xyz", index=":")
    return np.array([cell.get_potential_energy() for cell in cells])


def test_recomputed_labels_owe_nothing_to_released_ones(repository):
    reused = label(repository)
    assert list((repository / "results/smoke/ledger").rglob("*.xyz")) == []
    recomputed = label(repository, "--config", "labels=recompute")
    np.testing.assert_allclose(reused - recomputed, ERROR, rtol=1e-12)
    ledger = Ledger(None, [repository / "results/smoke/ledger/expert/0.xyz"])
    assert len(ledger.rows()) == len(recomputed) == 6
