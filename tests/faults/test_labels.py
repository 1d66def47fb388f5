"""What goes wrong with labels costs as little as it must: kills, damage, cells that fail."""

import os
import re
import signal
import subprocess
import time

import ase.io
import pandas as pd
import pytest
import yaml

from diverse.labels.ledger import Ledger
from paths import ROOT, clean_environment, snakemake, snakemake_command

FURTHER = (
    *("convergence", "subsets", "learning_curve", "mixtures", "weight_sensitivity", "dynamics"),
    *("ablation", "search", "reference_models"),
)
COARSE = {"kind": "gpaw", "cutoff_energy": 200, "kpoint_density": {"1000": 1.2}, "smearing": 0.3}


@pytest.fixture
def small_study(tmp_path):
    """Write a study of six cells, labelled by GPAW, changed as asked; return its file's path."""

    def write(**changes):
        study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
        groups = {"eos": {"lattices": ["bcc", "fcc"], "volumes": [0.9, 1.0, 1.1]}}
        study["datasets"] = {"expert": {"family": "expert", "groups": groups}}
        for block in FURTHER:
            del study[block]
        study |= {"labeller": "dft", "labellers": {"dft": COARSE}} | changes
        study["models"] = {"linear2": {"family": "linear", "twojmax": 2}}
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump(study))
        return path

    return write


def untimed(path):
    """Give a file of labels without the seconds that each took, and the checksums over them."""
    return re.sub(r" (seconds|checksum)=\S+", "", path.read_text())


def test_a_killed_run_recomputes_no_finished_cell(tmp_path, small_study, drilled):
    arguments = ("label", "--configfile", str(small_study()))
    run = subprocess.Popen(
        snakemake_command(tmp_path, *arguments),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
    )
    ledger = tmp_path / "results/smoke/ledger/expert/0.xyz"
    deadline = time.monotonic() + 120
    while not (ledger.exists() and ledger.read_text().count("Lattice") >= 2):
        assert run.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    finished = ledger.read_text()
    done = finished.count("status=converged")
    assert 2 <= done < 6

    snakemake(tmp_path, *arguments, "--rerun-incomplete", "--nolock")
    rows = ledger.read_text()
    assert rows.startswith(finished)
    assert rows.count("Lattice") == 6
    keys = [cell.info["key"] for cell in ase.io.read(ledger, index=":")]
    assert len(set(keys)) == 6
    log = (tmp_path / "results/smoke/logs/label_chunk/expert/0.log").read_text()
    assert f"\n6 cells, {6 - done} to label\n" in log
    drilled(
        "SIGKILL to Snakemake and all its jobs while cells are labelled by DFT",
        "the same command goes on from the ledger",
        lost="the cell in flight",
    )


def test_a_time_limit_ends_a_chunk_cleanly_and_retries_end_it(tmp_path, small_study, drilled):
    limit = ("--set-resources", "label_chunk:time_limit=1")  # one cell an attempt
    arguments = ("label", "--configfile", str(small_study()))
    result = snakemake(tmp_path, *arguments, *limit, check=False)
    assert result.returncode == 1
    assert result.stdout.count("the time limit is reached and") >= 4  # once, and three retries
    ledger = tmp_path / "results/smoke/ledger/expert/0.xyz"
    done = len(Ledger(None, [ledger]).rows())
    assert 1 <= done < 6
    snakemake(tmp_path, *arguments)
    log = tmp_path / "results/smoke/logs/label_chunk/expert/0.log"
    assert f"6 cells, {6 - done} to label" in log.read_text()
    drilled(
        "a wall-time limit that one cell fits into",
        "no cell is cut off; every attempt goes on from the ledger",
        times=5,
    )


def test_a_damaged_chunk_is_named_and_only_it_is_redone(tmp_path, small_study, drilled):
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    path = small_study(labeller="zhou", labellers={"zhou": study["labellers"]["zhou"]})
    changed = yaml.safe_load(path.read_text())
    changed["datasets"]["expert"]["chunks"] = 2
    path.write_text(yaml.safe_dump(changed))
    arguments = ("label", "--configfile", str(path))
    snakemake(tmp_path, *arguments)
    labels = tmp_path / "results/smoke/labels"
    sound = untimed(labels / "expert/1.xyz")
    for file in (labels / "expert/1.xyz", tmp_path / "results/smoke/ledger/expert/1.xyz"):
        damaged = bytearray(file.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        file.write_bytes(damaged)
    result = snakemake(tmp_path, *arguments, "--forcerun", "merge_labels", check=False)
    assert result.returncode == 1
    assert "labels/expert/1.xyz is not what its job wrote" in result.stdout
    (labels / "expert/1.xyz").unlink()
    output = snakemake(tmp_path, *arguments).stdout
    assert "ledger/expert/1.xyz is damaged in 1 places" in output
    logs = (tmp_path / "results/smoke/logs/label_chunk/expert").glob("?.log")
    assert sum("cells, 1 to label" in log.read_text() for log in logs) == 1
    assert untimed(labels / "expert/1.xyz") == sound
    drilled(
        "one bit of a chunk of labels and of its ledger flipped",
        "named; one label is computed again, and the chunk has the same labels",
        lost="the label of the row",
    )


def test_cells_that_do_not_converge_are_rows_and_the_study_ends(tmp_path, small_study, drilled):
    hopeless = COARSE | {"maxiter": 2}
    groups = {"eos": {"lattices": ["bcc"], "volumes": [0.9, 1.1]}}
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    datasets = {name: study["datasets"][name] for name in ("random", "expert")}
    datasets["dft"] = {"family": "expert", "labeller": "dft", "use": "test", "groups": groups}
    path = small_study(
        labeller="zhou", labellers={"zhou": study["labellers"]["zhou"], "dft": hopeless}
    )
    changed = yaml.safe_load(path.read_text()) | {"datasets": datasets}
    path.write_text(yaml.safe_dump(changed))
    snakemake(tmp_path, "--configfile", str(path))
    failures = pd.read_csv(tmp_path / "results/smoke/tables/failures.csv")
    assert failures["dataset"].tolist() == ["dft", "dft"]
    assert set(failures["cause"]) == {"not self-consistent after 2 iterations"}
    assert set(failures["attempts"]) == {5}
    table = pd.read_csv(tmp_path / "results/smoke/tables/transferability.csv")
    assert {"random", "expert"} <= set(table.columns)
    assert "dft" not in table.columns
    assert (tmp_path / "results/smoke/report.html").exists()
    drilled(
        "no cell of a test set converges",
        "the study ends without that set, and lists them",
        lost="the labels of the cells",
    )
