"""Engines other than Slurm: the same study through another plugin, of which nothing is pinned."""

import subprocess
from importlib.util import find_spec

import pytest
import yaml

from paths import ROOT, clean_environment, snakemake_command

PLUGIN = "snakemake_executor_plugin_cluster_generic"  # LSF, PBS and the like, by their own commands


@pytest.mark.skipif(find_spec(PLUGIN) is None, reason=f"no {PLUGIN}: pip install --target it")
def test_a_study_is_planned_through_the_generic_plugin(tmp_path):
    slurm = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    profile = {name: value for name, value in slurm.items() if not name.startswith("slurm-")}
    profile |= {"executor": "cluster-generic", "cluster-generic-submit-cmd": "qsub"}
    (tmp_path / "site").mkdir()
    (tmp_path / "site/config.yaml").write_text(yaml.safe_dump(profile))
    command = snakemake_command(tmp_path, "--workflow-profile", str(tmp_path / "site"))
    command += ["--configfile", str(ROOT / "config/smoke.yaml"), "--dry-run", "--", "label"]
    run = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert run.returncode == 0, run.stderr
    assert "label_chunk" in run.stdout + run.stderr
