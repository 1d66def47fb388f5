"""Seals: the SHA-256 of every file a job wrote, so that later jobs notice damage.

The seal of ``folder/name`` is the file ``folder/.sha256/name``, a line as ``sha256sum`` writes it.
It moves with the folder. A file without a seal, one that a user brought, is taken as it is. While
a job runs, the seals of what it writes say so: what a killed job leaves is known by them, with or
without Snakemake's own notes in ``.snakemake``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path

FOLDER = ".sha256"
UNFINISHED = "unfinished"  # stands for the SHA-256 of a file that a job is writing


class DamagedFileError(RuntimeError):
    """A file is not what its job wrote."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(f"{path} {cause}")
        self.path = path


def mark_unfinished(paths: Iterable[str | Path]) -> None:
    """Write seals that say of every file, there or not yet, that a job is writing it."""
    for path in map(Path, paths):
        _write_seal(path, UNFINISHED)


def seal(paths: Iterable[str | Path]) -> None:
    """Write the seal of every file, and of all files of every folder, that a job has written."""
    for path in _files(paths):
        _write_seal(path, sha256_of(path))


def check_seals(paths: Iterable[str | Path]) -> int:
    """Compare files, and all files of folders, with their seals; return how many have one.

    Raises
    ------
    DamagedFileError
        If a file differs from what was sealed, or its job was stopped before it sealed the file.
    """
    count = 0
    for path in _files(paths):
        if not _seal_of(path).exists():
            continue
        count += 1
        digest = _sealed_digest(_seal_of(path))
        if digest == UNFINISHED:
            raise DamagedFileError(path, "is not whole: the job that wrote it was stopped")
        if digest != sha256_of(path):
            raise DamagedFileError(
                path, "is not what its job wrote: it was changed or damaged since"
            )
    return count


def sealed_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every sealed file below a folder, in order, with its SHA-256; it may be missing.

    Files of jobs that were stopped are left out.
    """
    for target in sorted(folder.rglob(f"{FOLDER}/*")):
        if not target.name.startswith(".") and (digest := _sealed_digest(target)) != UNFINISHED:
            yield target.parent.parent / target.name, digest


def write_manifest(folder: Path, manifest: Path) -> None:
    """Write path (relative to `folder`), bytes and SHA-256 of every sealed file below a folder."""
    rows = ["path,bytes,sha256"]
    for path, digest in sealed_files(folder):
        if path.exists() and path != manifest:
            rows.append(f"{path.relative_to(folder)},{path.stat().st_size},{digest}")
    manifest.write_text("\n".join(rows) + "\n")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def visible_files(folder: Path) -> list[Path]:
    """Return every file below a folder, in order, but hidden ones and those in hidden folders."""
    inside = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in inside if not _is_hidden(path.relative_to(folder)))


def _files(paths: Iterable[str | Path]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from visible_files(path)
        elif path.exists():
            yield path


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _seal_of(path: Path) -> Path:
    return path.parent / FOLDER / path.name


def _sealed_digest(target: Path) -> str:
    """Return what a seal says; of a seal that is itself damaged, something no file fits."""
    return target.read_text(errors="replace").split(" ")[0]


def _write_seal(path: Path, digest: str) -> None:
    target = _seal_of(path)
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(f"{digest}  {path.name}\n")
    os.replace(temporary, target)
