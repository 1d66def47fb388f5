"""Folders that cannot be written in end a study before it begins, in one sentence."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from diverse.study import folders
from diverse.study.folders import FolderError, check_folders
from paths import ROOT, clean_environment, snakemake_command

NOBODY = 65534
# Root is refused nothing, unless it lays its privileges down.
PLAIN = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []


def check_as_plain_user(*paths):
    """Return the error of `check_folders` as a user without privileges meets it."""
    program = (
        "import sys; from diverse.study.folders import check_folders;"
        "check_folders(sys.argv[1:], '/their/clone')"
    )
    done = subprocess.run(
        [*PLAIN, sys.executable, "-c", program, *map(str, paths)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
        capture_output=True,
        text=True,
    )
    return done.stderr.splitlines()[-1] if done.returncode else ""


def test_a_read_only_folder_is_named(tmp_path, drilled):
    results = tmp_path / "results"
    results.mkdir()
    assert check_as_plain_user(tmp_path / "absent/deeper", results) == ""
    results.chmod(0o555)
    said = check_as_plain_user(results / "smoke")
    assert f"{results} may not be written: it is another user's, or read-only." in said
    assert said.endswith(
        "/their/clone/envs/run snakemake --snakefile /their/clone/Snakefile --directory ."
    )
    drilled("a folder of results that is read-only", "one sentence says where to run instead")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_another_users_folder_ends_snakemake_in_one_sentence(tmp_path, drilled):
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    command = snakemake_command(folder, "--configfile", str(ROOT / "config/smoke.yaml"))
    done = subprocess.run(
        [*PLAIN, *command, "--dry-run"], env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"The study cannot run here: {folder} may not be written" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert list(folder.iterdir()) == []
    drilled("a folder of another user", "one sentence says where to run instead")


@pytest.fixture
def theirs():
    """A folder of another user, which they reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_runs_in_a_folder_of_theirs(theirs, drilled):
    """They may read everything, so Python and the clone wherever they are, and write here alone."""
    reads = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"]
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *reads]
    smoke = ("--configfile", str(ROOT / "config/smoke.yaml"), "--")
    cells = "results/smoke/structures/expert/0.xyz"
    environment = {**clean_environment(), "HOME": str(theirs / "home")}
    command = [*user, *snakemake_command(theirs, *smoke, cells)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (theirs / cells).stat().st_uid == NOBODY
    drilled("a user who may write nothing in the clone", "the study runs with `--directory`")


def test_a_full_disk_is_named_before_anything_begins(tmp_path, monkeypatch):
    usage = SimpleNamespace(free=10_000)
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(FolderError, match=f"the disk of {tmp_path} is full: free some space"):
        check_folders([tmp_path / "results"], Path("/clone"))
    usage.free = 10_000_000
    check_folders([tmp_path / "results"], Path("/clone"))
