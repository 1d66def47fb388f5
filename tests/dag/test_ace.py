"""ACE before anything runs: fitted with its extra environment, as released without it."""

import re

import yaml

from paths import ROOT, snakemake


def plan(folder, *arguments):
    """Return the names of the jobs, with the number of each, and what Snakemake says of them."""
    output = snakemake(folder, "--dry-run", *arguments).stdout
    table = output.split("Job stats:")[1].split("\n\n")[0]
    return dict(re.findall(r"^(\w+) +(\d+)$", table, re.M)), output


def test_without_its_environment_nothing_is_fitted(tmp_path):
    found, _ = plan(tmp_path, "ace")
    assert (found["draw_ace"], found["tabulate_ace"]) == ("3", "1")
    assert not {"fit_ace", "check_export", "collect_potentials"} & found.keys()


def test_with_it_all_is_fitted_here_and_cards_are_written(tmp_path, monkeypatch):
    monkeypatch.setenv("DIVERSE_ACE", str(tmp_path))
    found, output = plan(tmp_path, "ace")
    assert (found["draw_ace"], found["fit_ace"]) == ("3", "6")
    assert found["collect_potentials"] == "3"
    assert "results/tungsten/potentials/expert-ace224-0/README.md" in output


def test_a_study_without_ace_has_no_job_of_it(tmp_path):
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    del study["models"]["ace12"]
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    found, _ = plan(tmp_path, "--configfile", str(path))
    assert not [name for name in found if "ace" in name]
