"""What goes wrong costs as little as it must: kills, and cells that do not converge."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time

import ase.io
import pandas as pd
import pytest
import yaml

from diverse.labels.ledger import Ledger
from diverse.seals import seal
from paths import ROOT, clean_environment, snakemake, snakemake_command

FURTHER = ("convergence", "subsets", "learning_curve", "mixtures", "weight_sensitivity", "dynamics")
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


def test_a_killed_run_recomputes_no_finished_cell(tmp_path, small_study):
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


def test_a_time_limit_ends_a_chunk_cleanly_and_retries_end_it(tmp_path, small_study):
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


def test_a_damaged_chunk_is_named_and_only_it_is_redone(tmp_path, small_study):
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    path = small_study(labeller="zhou", labellers={"zhou": study["labellers"]["zhou"]})
    changed = yaml.safe_load(path.read_text())
    changed["datasets"]["expert"]["chunks"] = 2
    path.write_text(yaml.safe_dump(changed))
    arguments = ("label", "--configfile", str(path))
    snakemake(tmp_path, *arguments)
    labels = tmp_path / "results/smoke/labels"
    sound = (labels / "expert/1.xyz").read_bytes()
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
    assert (labels / "expert/1.xyz").read_bytes() == sound


def test_cells_that_do_not_converge_are_rows_and_the_study_ends(tmp_path, small_study):
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


SMOKE = ("--configfile", str(ROOT / "config/smoke.yaml"))


def change_a_digit(path):
    """Change the first digit behind the middle of a file."""
    content = bytearray(path.read_bytes())
    place = next(i for i in range(len(content) // 2, len(content)) if chr(content[i]).isdigit())
    content[place] = ord(str((int(chr(content[place])) + 1) % 10))
    path.write_bytes(bytes(content))


@pytest.fixture
def copy(study, tmp_path):
    """Copy the study to beside itself, as one copies a clone: all its files are new."""
    target = tmp_path.with_name(f"{tmp_path.name}, \"quoted\" and 'ü'")
    return shutil.copytree(study, target, copy_function=shutil.copy)


def test_a_copied_study_has_nothing_to_do_wherever_it_lies(copy):
    assert "Nothing to be done" in snakemake(copy, *SMOKE, "--dry-run").stdout


DAMAGED = [
    "structures/expert/1.xyz",
    "labels/random/0.xyz",
    "labels/expert.xyz.xz",
    "datasets/entropy/train.xyz",
    "predictions/random/linear4/0/hot.npz",
    "models/expert/linear4/search.csv",
    "potentials/expert-quadratic4-0/potential.snapcoeff",
    "tables/scores.csv",
]


def test_a_digit_changed_in_any_stage_is_found_and_mended_by_the_command_that_is_named(copy):
    results = copy / "results/smoke"
    sound = {name: (results / name).read_bytes() for name in DAMAGED}
    for name in DAMAGED:
        change_a_digit(results / name)
    said = snakemake(copy, *SMOKE, "--", "verify", check=False)
    assert said.returncode == 1
    assert f"{len(DAMAGED)} files of results/smoke are not as their jobs wrote them" in said.stdout
    remove, make = re.search(
        r"rm -f (.*); \./envs/run snakemake --cores all (.*)", said.stdout
    ).groups()
    for name in shlex.split(remove):
        (copy / name).unlink()
    option, config, *names = shlex.split(make)
    snakemake(copy, option, str(copy / config), *names)
    snakemake(copy, *SMOKE)  # "then run the study once more"
    assert {name: (results / name).read_bytes() for name in DAMAGED} == sound
    assert "Nothing to be done" in snakemake(copy, *SMOKE, "--dry-run").stdout
    said = snakemake(copy, *SMOKE, "--", "verify")
    assert "every file is as its job wrote it; made again with the same bytes" in said.stdout


def test_a_job_that_reads_a_damaged_file_names_it(copy):
    change_a_digit(copy / "results/smoke/datasets/hot/test.xyz")
    export = "results/smoke/models/expert/linear4/0/export.csv"
    said = snakemake(copy, *SMOKE, "--", export, check=False)
    assert said.returncode == 1
    sentence = "results/smoke/datasets/hot/test.xyz is not what its job wrote"
    assert f"check_export: {sentence}" in said.stdout
    assert sentence in (copy / "results/smoke/logs/check_export/linear4/0.log").read_text()


def test_a_changed_potential_fails_the_study(copy):
    path = copy / "results/smoke/models/expert/quadratic4/0/potential.snapcoeff"
    *lines, last = path.read_text().splitlines()
    path.write_text("\n".join([*lines, repr(1.001 * float(last))]) + "\n")
    result = snakemake(copy, *SMOKE, check=False)
    assert result.returncode == 1
    assert (
        "models/expert/quadratic4/0/potential.snapcoeff is not what its job wrote" in result.stdout
    )
    seal([path])  # as if it had been written so
    result = snakemake(copy, *SMOKE, check=False)
    assert "models/expert/quadratic4/0 differs from the model that was trained by" in result.stdout
    assert "its files were changed, or the export is wrong" in result.stdout
