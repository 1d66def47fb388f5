"""Lint, format and types of everything, and the pins that must agree."""

import re
import subprocess
import sys

import pytest
import yaml

from paths import ROOT, snakemake

COMMANDS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "snakefmt": ["snakefmt", "--check", "Snakefile", "workflow"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_code_is_clean(name):
    command = [sys.executable, "-m", *COMMANDS[name]]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_snakemake_lint(tmp_path):
    result = snakemake(tmp_path, "--lint")
    assert "Congratulations" in result.stdout


def test_scripts_do_not_hide_packages():
    """Scripts lie on the import path of every job: their names must not be those of modules."""
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    pins = (ROOT / "envs/requirements.txt").read_text()
    packages = {name.lower().replace("-", "_") for name in re.findall(r"^([\w-]+)==", pins, re.M)}
    assert not scripts & (set(sys.stdlib_module_names) | packages)


def test_conda_environment_has_the_same_pins():
    environment = yaml.safe_load((ROOT / "envs/study.yaml").read_text())
    requirements = (ROOT / "envs/requirements.txt").read_text().splitlines()
    pins = {line for line in requirements if line and not line.startswith("#")}
    conda = environment["dependencies"]
    from_pip = set(conda[-1]["pip"])
    from_conda = {re.sub("^(gpaw)=", r"\1==", entry) for entry in conda[:-1]}
    assert from_pip | {"gpaw==" + _version(pins, "gpaw")} == pins
    assert "gpaw==" + _version(pins, "gpaw") in from_conda


def _version(pins, package):
    return next(pin.split("==")[1] for pin in pins if pin.split("==")[0] == package)


def test_every_rule_names_its_environment_log_and_message():
    """What a rule needs of time and memory, if nothing special, stands in the profile."""
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        rules = re.split(r"^rule ", path.read_text(), flags=re.M)[1:]
        for rule in (rule for rule in rules if "output:" in rule):
            name = rule.split(":")[0]
            for directive in ("conda:", "log:", "message:"):
                assert directive in rule, f"{path.name}: rule {name} has no {directive}"


@pytest.mark.parametrize("profile", sorted((ROOT / "workflow/profiles").glob("*/config.yaml")))
def test_every_profile_says_what_a_rule_needs_that_says_nothing(profile):
    defaults = yaml.safe_load(profile.read_text())["default-resources"]
    assert {entry.split("=")[0] for entry in defaults} >= {"mem_mb", "runtime"}


def test_rule_script_and_log_share_one_name():
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^(?=(?:use )?rule )", path.read_text(), flags=re.M)[1:]:
            name = re.match(r"(?:use rule \w+ as|rule) (\w+)", rule)[1]
            for script in re.findall(r"scripts/(\w+)\.py", rule):
                assert script == name, f"{path.name}: rule {name} runs {script}.py"
            for log in re.findall(r"<logs>/(\w+)", rule):
                assert log == name, f"{path.name}: rule {name} logs to {log}"
