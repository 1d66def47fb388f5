"""Results that are shown where they exist, and that no rule computes by itself."""

from __future__ import annotations

from pathlib import Path


def first_whole(*choices: list[Path]) -> list[Path]:
    """Return the first list of files that all exist; an empty list where no choice is whole.

    An empty choice is none.
    """
    return next((files for files in choices if files and all(map(Path.exists, files))), [])


def first_known(*paths: Path) -> Path | list[Path]:
    """Return the first of these files that exists; an empty list, which is no input, for none."""
    return next((path for path in paths if path.exists()), [])
