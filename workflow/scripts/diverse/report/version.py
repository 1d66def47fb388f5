"""Version of the repository: one number in three files, a commit, and what is changed since."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

import yaml

RELEASE_WRITES = ("results/", "README.md")  # what a release itself changes


class VersionError(RuntimeError):
    """The repository cannot be released as it is; the message says what to do."""


class Version(NamedTuple):
    """Version of the code in a folder.

    `folder` holds it; `commit` is empty outside a clone; `changed` are the paths, relative to the
    folder, of files that are not as they were committed, without those that a release writes.
    """

    folder: Path
    number: str
    commit: str
    changed: list[str]

    def __str__(self) -> str:
        """Return number, commit and number of changes in words."""
        commit = f"commit {self.commit}" if self.commit else "not from a clone, commit unknown"
        changes = f", with changes in {len(self.changed)} files" if self.changed else ""
        return f"version {self.number} ({commit}{changes})"


def read_version(root: Path) -> Version:
    """Return the version of the repository in a folder.

    Raises
    ------
    VersionError
        If ``pyproject.toml`` and ``CITATION.cff`` name different versions, ``CHANGELOG.md`` has no
        section of it, or the folder is a clone that git cannot read.
    """
    number = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    cited = str(yaml.safe_load((root / "CITATION.cff").read_text())["version"])
    if cited != number:
        raise VersionError(
            f"pyproject.toml says version {number}, CITATION.cff {cited}: write the same into both"
        )
    if not re.search(rf"^## {re.escape(number)}\b", (root / "CHANGELOG.md").read_text(), re.M):
        raise VersionError(f"CHANGELOG.md has no section '## {number}': write what is new in it")
    top = _git(root, "rev-parse", "--show-toplevel").strip()
    if not top and (root / ".git").exists():
        raise VersionError(
            f"git says nothing of {root}: see what 'git -C {root} status' says, and mend it"
        )
    if not top or Path(top).resolve() != root.resolve():
        return Version(root, number, "", [])
    status = _git(root, "status", "--porcelain", "--no-renames", "-z").split("\0")
    paths = [line[3:] for line in status if line]
    changed = [path for path in paths if not path.startswith(RELEASE_WRITES)]
    return Version(root, number, _git(root, "rev-parse", "HEAD").strip(), changed)


def check_clean(version: Version, target: Path) -> None:
    """See to it that what is released into a repository was made by code that is committed there.

    Raises
    ------
    VersionError
        If `target` lies in the repository, and files of it are changed or new.
    """
    if version.changed and target.resolve().is_relative_to(version.folder.resolve()):
        names = ", ".join(version.changed[:5]) + (", ..." if len(version.changed) > 5 else "")
        raise VersionError(
            f"{len(version.changed)} files are not as they were committed ({names}): commit them, "
            "or take the changes back, and release again, so that the release can be made again"
        )


def _git(root: Path, *arguments: str) -> str:
    """Return what git says; nothing where there is no git or no clone."""
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
