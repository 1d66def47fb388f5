"""The smoke study on a real Slurm through the profile, while everything goes wrong."""

import os
import re
import subprocess
import sys
import time

import pytest
import yaml

from diverse.labels.ledger import write_rows
from diverse.study.progress import progress
from ledger_writers import write_at_once
from paths import ROOT, clean_environment
from same_scores import same_scores
from slurm_cluster import NODES, Cluster, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no Slurm: {missing()}")

PROFILE = (
    *("--workflow-profile", str(ROOT / "workflow/profiles/slurm"), "--latency-wait", "10"),
    *("--slurm-init-seconds-before-status-checks", "2"),
)
SCORES = "results/smoke/tables/scores.csv"
LIMIT = 1200  # s; a free machine of two cores takes a quarter of it
# In the first attempt, one chunk stops after a cell, and one job has not the memory it needs.
FIRST = "if attempt == 1 and wildcards.dataset == '{}' else"
# Cells of DFT are labelled by two MPI processes, which Slurm starts.
LITTLE = (
    *("--set-threads", "label_chunk=2", "--set-resources"),
    *(f"label_chunk:time_limit=1 {FIRST.format('dft')} 0", "label_chunk:mem_mb=2000"),
    "label_chunk:cores_per_cell=2 if wildcards.dataset == 'dft' else 1",
    "label_chunk:launcher='srun --overlap --mpi=pmi2' if wildcards.dataset == 'dft' else ''",
    f"split:mem_mb=60 {FIRST.format('expert')} 2000",
)
OWN = re.compile("label_chunk.*dft|split.*expert")  # jobs with that trouble of their own


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start a cluster of two nodes, and end it."""
    own = Cluster(tmp_path_factory.mktemp("slurm") / "cluster")
    try:
        own.start()
        yield own
    finally:
        own.stop()


def begin(folder, *arguments, **environment):
    """Start Snakemake on the smoke study; its words go to the file `log` of the folder."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", str(ROOT / "config/smoke.yaml"), *PROFILE, *arguments]
    everything = {**clean_environment(), **environment}
    everything.pop("SNAKEMAKE_PROFILE", None)
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=everything
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
        jobs = [job for job in self.cluster.jobs() if not OWN.search(job.name)]
        fresh = [job for job in jobs if job.name not in self.struck]
        if self.coming and fresh:
            self.coming.pop(0)(fresh[0])
            self.struck.append(fresh[0].name)

    def mend(self):
        """Start a node again that Slurm has noticed to be dead."""
        for name in self.cluster.dead():
            self.cluster.start_node(name)


def test_of_two_nodes_that_label_one_chunk_the_first_stops(tmp_path, cluster, labelled):
    """A node that the cluster has lost sight of labels on, while its job was started again."""
    wanted, path = tmp_path / "wanted.xyz", tmp_path / "0.xyz"
    write_rows(wanted, labelled)
    nodes = [["srun", "--nodelist", name, "--mem", "1000"] for name in NODES]
    (code, said), last = write_at_once(wanted, path, nodes)
    assert last == (0, "")
    assert code == 1
    assert re.search(r"(Slurm|another) job.* has taken .*0\.xyz over: this job stops", said), said
    assert path.read_bytes() == wanted.read_bytes()


def test_the_smoke_study_ends_with_the_scores_of_a_local_run(tmp_path, cluster, study):
    start, trouble, watched = time.monotonic(), Trouble(cluster), set()
    goals = (SCORES, "results/smoke/config.yaml")
    run = begin(tmp_path, "--slurm-no-account", *LITTLE, "--", *goals)
    try:
        while run.poll() is None and time.monotonic() < start + LIMIT:
            trouble.strike()
            trouble.mend()
            watched |= watch(tmp_path / "results/smoke")
            time.sleep(1)
    finally:
        run.kill()
    told = (tmp_path / "log").read_text()
    assert run.wait() == 0, told[-4000:]
    assert not trouble.coming
    assert watched and watched <= set(NODES)
    for status in ("CANCELLED", "TIMEOUT", "FAILED"):
        assert f"failed, SLURM status is: '{status}'" in told
    assert "the time limit is reached and 2 of 3 cells are left" in told
    said = (tmp_path / ".snakemake/slurm_logs/rule_split/expert").glob("*.log")
    assert "exceeded memory limit" in "".join(path.read_text() for path in said)
    lost = told.count("Trying to restart job")
    assert lost >= 6  # the node that dies has one job or two
    assert same_scores(tmp_path / SCORES, study / SCORES)
    submitted = told.count("has been submitted with SLURM jobid")
    print(f"{submitted} jobs, {lost} of them lost, {time.monotonic() - start:.0f} s")

    logs = tmp_path / "results/smoke/logs"
    assert re.search(
        r"^attempt 2: 2000 MB, 120 min$", (logs / "split/expert.log").read_text(), re.M
    )
    stopped = (logs / "label_chunk/dft/0.log").read_text()
    assert re.match(r"on n[12] with 2 cores since \S+, Slurm job \d+, attempt 2: 2000 MB", stopped)
    assert "3 cells, 2 to label" in stopped


def watch(results):
    """The nodes that chunks run on, as who watches the study sees it while ledgers are written."""
    if not (results / "config.yaml").exists():
        return set()
    study = yaml.safe_load((results / "config.yaml").read_text())
    sets = progress(results, study).values()
    assert all(own.labelled + own.failed <= own.cells for own in sets)
    return {job.node for own in sets for job in own.running}


SENTENCES = {
    "partition": "Invalid partition name specified",
    "account": "The given account nobody appears to be invalid",
    "environment": "node n[12] does not see /nowhere: mount its file system, or exclude the node",
    "quota": r"generate_expert: the disk or a quota is full \(\[Errno 28\] .*\): free some space",
}


@pytest.fixture(scope="module")
def told(cluster, tmp_path_factory):
    """The words of four runs, each with one thing wrong, and those of their jobs."""
    folders = {name: tmp_path_factory.mktemp(name) for name in SENTENCES}
    accounts = folders["account"] / "sacctmgr"  # of a site with accounting
    accounts.write_text("#!/bin/sh\necho physics\n")
    accounts.chmod(0o755)
    disk = folders["quota"] / "results/smoke/structures"  # what the job writes, and nothing before
    disk.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    (disk / "others").write_bytes(bytes(60 * 1024))
    wrong = {
        "partition": (["--slurm-no-account", "--default-resources", "slurm_partition=no"], {}),
        "account": (
            ["--default-resources", "slurm_account=nobody"],
            {"PATH": f"{accounts.parent}:{os.environ['PATH']}"},
        ),
        "environment": (["--slurm-no-account"], {"VIRTUAL_ENV": "/nowhere"}),
        "quota": (["--slurm-no-account"], {}),
    }
    cells = "results/smoke/structures/expert/0.xyz"
    try:
        runs = [
            begin(folders[name], "--retries", "0", *arguments, "--", cells, **environment)
            for name, (arguments, environment) in wrong.items()
        ]
        assert [run.wait(LIMIT) for run in runs] == [1, 1, 1, 1]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    logs = {
        name: [*folder.glob(".snakemake/slurm_logs/**/*.log")] for name, folder in folders.items()
    }
    return {
        name: "".join(path.read_text() for path in (folders[name] / "log", *logs[name]))
        for name in SENTENCES
    }


@pytest.mark.parametrize("name", SENTENCES)
def test_what_is_wrong_is_one_sentence(told, name):
    assert re.search(SENTENCES[name], told[name]), told[name][-3000:]
