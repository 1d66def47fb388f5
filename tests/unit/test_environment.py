"""./envs/run explains itself and says what is missing."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from markdown_blocks import pins_hash
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


def pin_what_is_not_there(folder):
    for name in ("requirements.txt", "hashes.txt"):
        pins = folder / name
        pins.write_text(pins.read_text().replace("mpich==", "mpich==999."))


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
    pin_what_is_not_there(folder)
    result = run(folder, "true", DIVERSE_SKIP_APT="1")
    assert result.returncode == 1
    assert "could not be made; nothing was kept" in result.stderr
    assert not list(folder.glob(".venv-*"))


def test_a_changed_pin_that_cannot_be_installed_leaves_the_old_environment(tmp_path):
    folder = copy_of_envs(tmp_path)
    old = folder / ".venv-0123456789ab"
    old.mkdir()
    (old / "complete").touch()
    pin_what_is_not_there(folder)
    assert run(folder, "true", DIVERSE_SKIP_APT="1").returncode == 1
    assert list(folder.glob(".venv-*")) == [old]


@pytest.fixture
def shared_clone():
    """Clone of another user with a made environment (of stand-ins), which nobody else may write."""
    clone = Path(tempfile.mkdtemp(prefix="shared-clone-"))
    clone.chmod(0o755)
    (clone / "workflow/scripts/diverse/kernel").mkdir(parents=True)
    python = clone / "python3"
    python.write_text("#!/bin/sh\nexit 0\n")  # what it is asked for: a version, and the kernel
    python.chmod(0o755)
    folder = clone / "envs"
    shutil.copytree(ROOT / "envs", folder, ignore=shutil.ignore_patterns(".*"))
    yield clone
    shutil.rmtree(clone)


def make_stand_in(clone):
    """Put a made environment of stand-ins where ./envs/run of the clone looks for one."""
    venv = clone / f"envs/.venv-{pins_hash(clone, str(clone / 'python3'))}"
    (venv / "bin").mkdir(parents=True)
    (venv / "complete").write_text(f"{venv}\n")
    (venv / "bin/python").symlink_to(clone / "python3")


def run_as_nobody(clone, *arguments):
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "DIVERSE_PYTHON": str(clone / "python3")}
    return subprocess.run(
        [*command, "./envs/run", *arguments],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as somebody else")
def test_another_user_runs_in_a_clone_that_is_not_theirs(shared_clone):
    refused = run_as_nobody(shared_clone, "true")
    assert refused.returncode == 1
    assert "its owner has to call ./envs/run once" in refused.stderr
    make_stand_in(shared_clone)
    before = sorted(shared_clone.rglob("*"))
    assert run_as_nobody(shared_clone, "echo", "ready").stdout == "ready\n"
    assert sorted(shared_clone.rglob("*")) == before


def test_every_pin_but_torch_has_its_hashes():
    lines = (ROOT / "envs/hashes.txt").read_text().splitlines()
    pins = (ROOT / "envs/requirements.txt").read_text().splitlines()
    wanted = [line for line in pins if line and not line.startswith(("#", "torch=="))]
    hashed = [line.split()[0] for line in lines if not line.startswith("#")]
    assert hashed == wanted
    assert all(re.fullmatch(r"\S+( --hash=sha256:[0-9a-f]{64})+", line) for line in lines[2:])


@pytest.mark.parametrize("file", ["universal.txt", "ace.txt", "requirements-gpu.txt"])
def test_extras_are_pinned_and_have_their_hashes(file):
    lines = (ROOT / "envs" / file).read_text().splitlines()[2:]
    assert len(lines) > 1
    assert all(re.fullmatch(r"\S+===?\S+( --hash=sha256:[0-9a-f]{64})+", line) for line in lines)


def test_the_torch_of_a_card_is_the_version_of_the_study():
    own = (ROOT / "envs/requirements.txt").read_text()
    torch = re.search(r"^torch===(\S+) ", (ROOT / "envs/requirements-gpu.txt").read_text(), re.M)[1]
    assert f"\ntorch=={torch}\n" in own


@pytest.mark.parametrize(
    ("extra", "wanted"), [("universal", {"sevenn", "chgnet"}), ("ace", {"ace-jax", "jaxlib"})]
)
def test_extra_packages_are_beside_those_of_the_study(extra, wanted):
    lines = (ROOT / f"envs/{extra}.txt").read_text().splitlines()[2:]
    names = {line.split("==")[0].lower() for line in lines}
    own = (ROOT / "envs/requirements.txt").read_text().lower().splitlines()
    assert names.isdisjoint(line.split("==")[0] for line in own)
    assert wanted <= names


def run_in(clone, *arguments):
    """Run something in a clone whose Python is a stand-in."""
    environment = {"DIVERSE_PYTHON": str(clone / "python3"), "DIVERSE_UNIVERSAL": "another"}
    return run(clone / "envs", *arguments, **environment)


def test_environments_of_older_pins_are_left_to_the_jobs_that_run_in_them(shared_clone):
    """Its `python` makes a stand-in for a virtual environment, into which pip puts nothing."""
    make = 'for last; do :; done; mkdir -p "$last/bin"; ln -s "$0" "$last/bin/python"'
    python = f'#!/bin/sh\ncase "$*" in *"-m venv"*) {make} ;; esac\nexit 0\n'
    (shared_clone / "python3").write_text(python)
    old = [shared_clone / f"envs/.{name}-0123456789ab" for name in ("venv", "universal")]
    for folder in old:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/gpaw").touch()
    environment = {"DIVERSE_PYTHON": str(shared_clone / "python3"), "DIVERSE_SKIP_APT": "1"}
    for arguments, folder in (((), old[0]), (("--with", "universal"), old[1])):
        made = run(shared_clone / "envs", *arguments, "echo", "ready", **environment)
        assert made.stdout == "ready\n", made.stderr
        sentence = f"older environments are left: {folder}; remove them when nothing runs in them"
        assert f"envs/run: {sentence}\n" in made.stderr
    assert all((folder / "bin/gpaw").exists() for folder in old)
    assert run(shared_clone / "envs", "true", **environment).stderr == ""


def test_packages_of_a_card_come_first_and_only_where_they_are_asked_for(shared_clone):
    make_stand_in(shared_clone)
    show = ("sh", "-c", "echo $PYTHONPATH")
    asked = run_in(shared_clone, "--with", "gpu", *show)
    assert "making the extra environment" in asked.stderr
    assert re.match(r"\S+/envs/[.]gpu-[0-9a-f]{12}/packages(:|$)", asked.stdout.strip())
    assert ".gpu-" not in run_in(shared_clone, *show).stdout


def test_an_extra_that_cannot_be_had_is_a_sentence_and_leaves_nothing(shared_clone):
    python = (
        "#!/bin/sh\ncase \"$*\" in *pip*) echo 'ERROR: no such wheel'; exit 1 ;; esac\nexit 0\n"
    )
    (shared_clone / "python3").write_text(python)
    make_stand_in(shared_clone)
    result = run_in(shared_clone, "--with", "universal", "true")
    assert result.returncode == 1
    assert "ERROR: no such wheel" in result.stderr
    assert "'universal' could not be made; nothing was kept" in result.stderr
    assert not list((shared_clone / "envs").glob(".universal-*"))
    assert run_in(shared_clone, "echo", "ready").stdout == "ready\n"


@pytest.mark.parametrize("extra", ["universal", "ace"])
def test_an_extra_is_made_once_and_is_at_hand_from_then_on(shared_clone, extra):
    make_stand_in(shared_clone)
    show = ("sh", "-c", f"echo $DIVERSE_{extra.upper()}")
    assert run_in(shared_clone, *show).stdout == "\n"
    first = run_in(shared_clone, "--with", extra, *show)
    assert "making the extra environment" in first.stderr
    assert re.search(rf"envs/[.]{extra}-[0-9a-f]{{12}}/packages$", first.stdout.strip())
    again = run_in(shared_clone, *show)
    assert (again.stdout, again.stderr) == (first.stdout, "")


def test_what_is_fetched_and_how_far_is_shown_without_flooding(shared_clone):
    lines = [
        f"Collecting p{n}==1 (from -r pins)\n  Downloading p{n}.whl (3.5 MB)" for n in range(60)
    ]
    text = "\n".join([*lines, "Installing collected packages: p0"])
    (shared_clone / "said").write_text(f"{text}\n")
    python = f'#!/bin/sh\ncase "$*" in *pip*) cat {shared_clone}/said ;; esac\nexit 0\n'
    (shared_clone / "python3").write_text(python)
    make_stand_in(shared_clone)
    told = run_in(shared_clone, "--with", "universal", "true").stderr
    number = len((ROOT / "envs/universal.txt").read_text().splitlines()) - 2
    assert re.search(rf"\b25 of {number} packages, 84 MB, \d s: p24==1$", told, re.M)
    assert re.search(rf"\b{number} of {number} packages, 210 MB, \d s: unpacking$", told, re.M)
    assert len(told.splitlines()) < 6
    assert text in (shared_clone / "envs/.install.log").read_text()


def test_an_unknown_extra_is_refused():
    result = run(ROOT / "envs", "--with", "everything", "true")
    assert result.returncode == 1
    sentence = "--with takes universal, ace or gpu, the extra environments, not 'everything'"
    assert sentence in result.stderr
