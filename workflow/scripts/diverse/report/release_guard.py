"""Guard of the released copy: the release of one study never takes the place of another's."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

NAME = "study.txt"  # in a release: the name of the study that it is of
TITLE = re.compile(r"# Labels of the study (\S+)")  # of the data card, in releases without the file


class OtherStudyError(RuntimeError):
    """Another study is released already; the message says what to do."""


def check_same_study(config: Path, target: Path) -> str:
    """Return the name of the study to release, if nothing of another study is released.

    Parameters
    ----------
    config : Path
        ``config.yaml`` among the results of the study.
    target : Path
        Folder of what is released, ``results/release``.

    Raises
    ------
    OtherStudyError
        If `target` holds the release of another study.
    """
    name = str(yaml.safe_load(config.read_text())["study"])
    released = released_study(target)
    if released not in (name, ""):
        raise OtherStudyError(
            f"{target} holds the release of the study {released}; the study {name} would take its "
            f"place. Move {target} elsewhere, or remove it (git rm -r {target}; git keeps it), and "
            "run the same command again"
        )
    return name


def released_study(target: Path) -> str:
    """Return the name of the study that is released in a folder; empty if none is."""
    file, card = target / NAME, target / "labels/README.md"
    if file.exists():
        return file.read_text().strip()
    title = TITLE.match(card.read_text()) if card.exists() else None
    return title[1] if title else ""


def release_folder(study: str, release: Path) -> Path:
    """Return the folder that a study is released in: below the release of another, if there is one.

    Parameters
    ----------
    study : str
        Name of the study.
    release : Path
        Folder of what is released, ``results/release``.
    """
    return release if released_study(release) in ("", study) else release / study


def remember_study(name: str, target: Path) -> None:
    """Write the name of the study that is released into its folder."""
    target.mkdir(parents=True, exist_ok=True)
    (target / NAME).write_text(f"{name}\n")
