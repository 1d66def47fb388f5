"""Folders that a study writes in, looked at before Snakemake stumbles over them in a traceback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

ROOM = 1_000_000  # bytes, without which Snakemake cannot even take its notes


class FolderError(RuntimeError):
    """A folder cannot be written in; the message names it and says what to do."""


def check_folders(paths: Iterable[str | Path], clone: str | Path) -> None:
    """Refuse to begin where results or the notes of Snakemake could not be written.

    Parameters
    ----------
    paths : iterable of str or Path
        Folders that will be written in, whether they are there or not.
    clone : str or Path
        Folder of the ``Snakefile``, named in the command that runs the study in another folder.

    Raises
    ------
    FolderError
        If a folder, or the nearest one above it that is there, may not be written, or its disk has
        less than 1 MB left.
    """
    elsewhere = f"{clone}/envs/run snakemake --snakefile {clone}/Snakefile --directory ."
    for path in paths:
        folder = _nearest(Path(path).absolute())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FolderError(
                f"{folder} may not be written: it is another user's, or read-only. Go to a folder "
                f"of yours and run {elsewhere}"
            )
        if shutil.disk_usage(folder).free < ROOM:
            raise FolderError(
                f"the disk of {folder} is full: free some space, or go to another folder and run "
                f"{elsewhere}"
            )


def _nearest(path: Path) -> Path:
    """Return the path, or the first folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
