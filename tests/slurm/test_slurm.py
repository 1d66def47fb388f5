"""The smoke study on a real Slurm through the profile, while everything goes wrong."""

import os
import re
import subprocess
import sys
import time

import pandas as pd
import pytest

from paths import ROOT, clean_environment
from slurm_cluster import Cluster, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no Slurm: {missing()}")

PROFILE = ("--workflow-profile", str(ROOT / "workflow/profiles/slurm"), "--slurm-no-account")
QUICK = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10")
SCORES = "results/smoke/tables/scores.csv"
LIMIT = 900  # s
# In the first attempt, one chunk stops after a cell, and one job has not the memory it needs.
FIRST = "if attempt == 1 and wildcards.dataset == '{}' else"
LITTLE = (
    *("--set-threads", "label_chunk=1", "--set-resources"),
    *(f"label_chunk:time_limit=1 {FIRST.format('dft')} 0", "label_chunk:mem_mb=2000"),
    f"split:mem_mb=60 {FIRST.format('expert')} 2000",
)
NOISE = (
    1e-6  # relative; labels of DFT differ by 1e-13 eV from run to run, errors are 0.1 eV and more
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start a cluster of two nodes, and end it."""
    own = Cluster(tmp_path_factory.mktemp("slurm") / "cluster")
    try:
        own.start()
        yield own
    finally:
        own.stop()


def begin(folder, *arguments):
    """Start the smoke study on the cluster; its words go to the file `log` of the folder."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", str(ROOT / "config/smoke.yaml"), *PROFILE, *QUICK, *arguments]
    environment = clean_environment()
    environment.pop("SNAKEMAKE_PROFILE", None)
    environment["PATH"] = f"{os.path.dirname(sys.executable)}:{environment['PATH']}"
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment
        )


class Trouble:
    """A node that dies, two jobs that are cancelled, one that hangs until its time is over."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.struck = []  # names of jobs, each of them once
        self.coming = [self._fail, cluster.cancel, cluster.cancel, cluster.hang]

    def _fail(self, job):
        self.struck += [other.name for other in self.cluster.jobs() if other.node == job.node]
        self.cluster.fail(job.node)

    def strike(self):
        """Let the next misfortune come, if a job runs that none has come to."""
        fresh = [job for job in self.cluster.jobs() if job.name not in self.struck]
        if self.coming and fresh:
            self.coming.pop(0)(fresh[0])
            self.struck.append(fresh[0].name)

    def mend(self):
        """Start a node again that Slurm has noticed to be dead."""
        for name in self.cluster.dead():
            self.cluster.start_node(name)


def test_the_smoke_study_ends_with_the_scores_of_a_local_run(tmp_path, cluster, study):
    run, trouble, start = begin(tmp_path, *LITTLE, "--", SCORES), Trouble(cluster), time.monotonic()
    while run.poll() is None and time.monotonic() < start + LIMIT:
        trouble.strike()
        trouble.mend()
        time.sleep(1)
    if run.poll() is None:
        run.kill()
    told = (tmp_path / "log").read_text()
    assert run.wait() == 0, told[-4000:]
    assert not trouble.coming
    for status in ("CANCELLED", "TIMEOUT", "FAILED"):
        assert f"failed, SLURM status is: '{status}'" in told
    assert "the time limit is reached and 2 of 3 cells are left" in told
    assert "exceeded memory limit" in told
    lost = told.count("Trying to restart job")
    assert lost >= 6
    assert same_scores(tmp_path / SCORES, study / SCORES)
    submitted = told.count("has been submitted with SLURM jobid")
    print(f"{submitted} jobs, {lost} of them lost, {time.monotonic() - start:.0f} s")

    logs = tmp_path / "results/smoke/logs"
    assert re.search(r"^attempt 2: 2000 MB, 30 min$", (logs / "split/expert.log").read_text(), re.M)
    stopped = (logs / "label_chunk/dft/0.log").read_text()
    assert re.match(r"on n[12] with 1 cores since \S+, Slurm job \d+, attempt 2: 2000 MB", stopped)
    assert "3 cells, 2 to label" in stopped


def same_scores(one, other):
    """Whether two tables are equal: rows of DFT labels within their noise, all others exactly."""
    tables = [pd.read_csv(path, dtype=str) for path in (one, other)]
    dft = [table.query("test == 'dft'").drop(columns="data_hash") for table in tables]
    assert len(dft[0]) > 10
    numbers = [table[["value", "ci_low", "ci_high"]].astype(float) for table in dft]
    pd.testing.assert_frame_equal(*numbers, rtol=NOISE)
    exact = [table.query("test != 'dft'").to_csv() for table in tables]
    return exact[0] == exact[1]
