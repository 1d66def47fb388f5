"""A release is of committed code, and its version is the same wherever it is written."""

import shutil
import subprocess

import pytest

from diverse.report.version import Version, VersionError, check_clean, read_version
from paths import ROOT

FILES = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md", "README.md")


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path):
    """Repository whose files of `FILES` are committed."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def test_the_repository_names_one_version():
    assert read_version(ROOT).number == "0.1.0"


def test_a_clean_clone_is_released_also_after_a_release(clone):
    (clone / "results/release").mkdir(parents=True)
    (clone / "results/release/study.txt").write_text("mine\n")
    (clone / "README.md").write_text("other findings\n")
    version = read_version(clone)
    assert version.changed == []
    assert str(version) == f"version 0.1.0 (commit {version.commit})"
    check_clean(version, clone / "results/release")


@pytest.mark.parametrize("name", ["CHANGELOG.md", "new.py"])
def test_what_is_not_committed_is_not_released(clone, name):
    with (clone / name).open("a") as file:
        file.write("more\n")
    version = read_version(clone)
    with pytest.raises(VersionError, match=f"1 files are not as they were committed .{name}."):
        check_clean(version, clone / "results/release")
    check_clean(version, clone.parent / "elsewhere")
    assert str(version).endswith(", with changes in 1 files)")


def test_a_folder_without_git_has_no_commit(tmp_path):
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    version = read_version(tmp_path)
    assert version == Version(tmp_path, "0.1.0", "", [])
    check_clean(version, tmp_path)


def test_a_clone_that_git_cannot_read_is_refused(clone):
    (clone / ".git/HEAD").write_text("damaged")
    with pytest.raises(VersionError, match="git says nothing of .*clone: see what"):
        read_version(clone)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("CITATION.cff", "0.1.0", "0.2.0", "pyproject.toml says version 0.1.0, CITATION.cff 0.2.0"),
        ("CHANGELOG.md", "## 0.1.0", "## 0.1", "CHANGELOG.md has no section '## 0.1.0'"),
    ],
)
def test_versions_that_differ_are_refused(clone, name, old, new, said):
    (clone / name).write_text((clone / name).read_text().replace(old, new))
    with pytest.raises(VersionError, match=said):
        read_version(clone)
