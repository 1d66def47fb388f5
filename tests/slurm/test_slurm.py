"""A study on a real Slurm through the profile, while a node dies and jobs are cancelled."""

import os
import subprocess
import sys
import time

import ase.io
import pytest
import yaml

from paths import ROOT, clean_environment, snakemake
from slurm_cluster import Cluster, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no Slurm: {missing()}")

STUDY = {
    "study": "small",
    "element": "W",
    "lattice": {"structure": "bcc", "a": 3.165},
    "labeller": "zhou",
    "labellers": {
        "zhou": {
            "kind": "lammps",
            "pair_style": "eam/alloy",
            "pair_coeff": ["* * W_zhou.eam.alloy W"],
        }
    },
    "datasets": {
        "random": {"family": "random", "cells": 8, "chunks": 2},
        "expert": {
            "family": "expert",
            "chunks": 4,
            "groups": {"distorted": {"lattices": ["bcc"], "strain": 0.1, "repeats": 8}},
        },
    },
    "models": {"linear4": {"family": "linear", "twojmax": 4}},
}
PROFILE = ("--workflow-profile", str(ROOT / "workflow/profiles/slurm"), "--slurm-no-account")
QUICK = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10")
LIMIT = 600  # s


@pytest.fixture
def cluster(tmp_path):
    """Start a cluster of two nodes, and end it."""
    own = Cluster(tmp_path / "slurm")
    try:
        own.start()
        yield own
    finally:
        own.stop()


def labels(folder):
    """The labels of a run by key: free energies and forces."""
    rows = [
        row
        for path in sorted((folder / "results/small/labels").glob("*/*.xyz"))
        for row in ase.io.read(path, index=":")
    ]
    return {
        row.info["key"]: (
            row.calc.results["free_energy"],
            row.get_forces().tolist(),
        )
        for row in rows
    }


def test_a_study_survives_a_node_that_dies_and_cancelled_jobs(tmp_path, cluster):
    folders = [tmp_path / "local", tmp_path / "shared"]
    for folder in folders:
        folder.mkdir()
        (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    study = ("label", "--configfile", "study.yaml")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += [*study, *PROFILE, *QUICK, "--set-threads", "label_chunk=1"]
    environment = clean_environment()
    environment.pop("SNAKEMAKE_PROFILE", None)
    environment["PATH"] = f"{os.path.dirname(sys.executable)}:{environment['PATH']}"
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(
            command, cwd=folders[1], stdout=log, stderr=subprocess.STDOUT, env=environment
        )
    failed, cancelled, end = False, [], time.monotonic() + LIMIT
    while run.poll() is None and time.monotonic() < end:
        jobs = cluster.jobs()
        if not failed and "n2" in jobs.values():
            cluster.fail("n2")
            failed = True
        elif failed and "n1" in jobs.values() and len(cancelled) < 2:
            number = next(number for number, node in jobs.items() if node == "n1")
            cancelled += [] if number in cancelled else [number]
            subprocess.run(["scancel", number], check=True)
        elif "n2" not in cluster.daemons and any("down" in state for state in cluster.states()):
            cluster.start_node("n2")
        time.sleep(1)
    if run.poll() is None:
        run.kill()
    told = (tmp_path / "log").read_text()
    assert run.wait() == 0, told[-4000:]
    assert failed and len(cancelled) == 2
    assert told.count("Trying to restart job") >= 2
    snakemake(folders[0], "label", "--configfile", str(folders[0] / "study.yaml"))
    assert labels(folders[1]) == labels(folders[0])
    assert len(labels(folders[0])) == 16
    job_log = (folders[1] / "results/small/logs/label_chunk/expert/0.log").read_text()
    assert ", Slurm job " in job_log and "core s, the largest" in job_log
