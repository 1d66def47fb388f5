"""The cluster of tests: what a killed run left of it is taken away, and nothing else."""

import psutil
import pytest

import slurm_cluster


@pytest.mark.parametrize(
    ("text", "running", "stays"),
    [
        (slurm_cluster.TEXT, [], False),
        (slurm_cluster.TEXT, ["slurmctld"], True),
        ("ClusterName=theirs\n", [], True),
    ],
)
def test_only_what_a_killed_run_left_is_taken_away(tmp_path, monkeypatch, text, running, stays):
    path = tmp_path / "slurm.conf"
    path.write_text(text)
    processes = [psutil.Process() for _ in running]
    for process, name in zip(processes, running, strict=True):
        process.info = {"name": name}
    monkeypatch.setattr(psutil, "process_iter", lambda names: processes)
    monkeypatch.setattr(slurm_cluster, "CONFIGURATION", path)
    slurm_cluster.clear()
    assert path.exists() == stays
    slurm_cluster.clear()  # also where there is none
