"""Engines other than Slurm: the same study through other plugins, which no study installs."""

import subprocess
from importlib.util import find_spec

import pytest
import yaml

from paths import ROOT, clean_environment, snakemake_command

SITES = {  # what a user adds to the Slurm profile, for each plugin of envs/pip-tests.txt
    "cluster-generic": {"cluster-generic-submit-cmd": "qsub"},  # PBS, SGE and the like
    "lsf": {"default-resources": ["lsf_project=physics", "lsf_queue=normal"]},
}


@pytest.mark.parametrize("engine", SITES)
def test_a_study_is_planned_through_another_plugin(engine, tmp_path):
    plugin = f"snakemake_executor_plugin_{engine.replace('-', '_')}"
    if find_spec(plugin) is None:
        pytest.skip(f"no {plugin}: .ci/run installs what envs/pip-tests.txt names")
    slurm = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    profile = {name: value for name, value in slurm.items() if not name.startswith("slurm-")}
    (tmp_path / "site").mkdir()
    (tmp_path / "site/config.yaml").write_text(
        yaml.safe_dump(profile | {"executor": engine} | SITES[engine])
    )
    command = snakemake_command(tmp_path, "--workflow-profile", str(tmp_path / "site"))
    command += ["--configfile", str(ROOT / "config/smoke.yaml"), "--dry-run", "--", "label"]
    run = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert run.returncode == 0, run.stderr
    assert "label_chunk" in run.stdout + run.stderr
