"""./envs/run explains itself and says what is missing."""

import os
import shutil
import subprocess

from paths import ROOT


def run(folder, *arguments, **environment):
    return subprocess.run(
        [str(folder / "run"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def copy_of_envs(tmp_path):
    folder = tmp_path / "envs"
    shutil.copytree(ROOT / "envs", folder, ignore=shutil.ignore_patterns(".*"))
    return folder


def test_usage():
    for arguments in ((), ("--help",)):
        result = run(ROOT / "envs", *arguments)
        assert result.returncode == 0
        assert "usage: ./envs/run COMMAND" in result.stdout


def test_old_python_is_refused(tmp_path):
    result = run(copy_of_envs(tmp_path), "true", DIVERSE_PYTHON="/bin/false")
    assert result.returncode == 1
    assert "no Python >= 3.11 found" in result.stderr


def test_a_failed_install_leaves_nothing(tmp_path):
    folder = copy_of_envs(tmp_path)
    pins = folder / "requirements.txt"
    pins.write_text(pins.read_text().replace("mpich==", "mpich==999."))
    result = run(folder, "true", DIVERSE_SKIP_APT="1")
    assert result.returncode == 1
    assert "could not be made; nothing was kept" in result.stderr
    assert not list(folder.glob(".venv-*"))
