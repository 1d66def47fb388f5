"""What the repository ships of its default study: labels, tables, figures, potentials."""

from __future__ import annotations

import lzma
import shutil
from hashlib import sha256
from pathlib import Path

import pandas as pd

LARGEST_TABLE = 1_000_000  # bytes; git keeps every version of it for ever
PATTERNS = (
    ("labels", "*.xyz.xz"),
    ("labels", "README.md"),
    ("tables", "*.csv"),
    ("figures", "*.png"),
)


def release_study(results: Path, target: Path) -> None:
    """Copy a finished study's deliverables below `target` and write their SHA-256 manifest.

    ``target/labels/<dataset>.xyz.xz`` is a ledger that later runs look labels up in, the data card
    lies beside it. Of the potentials, one seed of each is enough to use and to check. Of a study of
    convergence, where there is one, the labels and the table of errors are copied.
    """
    for folder in ("labels", "tables", "figures", "potentials"):
        shutil.rmtree(target / folder, ignore_errors=True)
        (target / folder).mkdir(parents=True)
    for folder, pattern in PATTERNS:
        for path in sorted((results / folder).glob(pattern)):
            _copy(path, target / folder)
    for potential in sorted((results / "potentials").glob("*-0")):
        hidden = shutil.ignore_patterns(".*")  # Snakemake's own
        shutil.copytree(potential, target / "potentials" / potential.name, ignore=hidden)
    _release_convergence(results, target / "convergence")
    write_manifest(target)


def _copy(path: Path, folder: Path) -> None:
    """Copy a file; a large table is packed, as pandas reads it just as well."""
    if path.suffix == ".csv" and path.stat().st_size > LARGEST_TABLE:
        packed = lzma.compress(path.read_bytes())
        (folder / f"{path.name}.xz").write_bytes(packed)
    else:
        shutil.copy(path, folder)


def _release_convergence(results: Path, target: Path) -> None:
    """Copy what ``snakemake convergence`` made, named after the study."""
    if (results / "convergence/errors.csv").exists():
        target.mkdir(exist_ok=True)
        shutil.copy(results / "convergence/errors.csv", target / f"{results.name}.csv")
        shutil.copy(results / "convergence/labels.xyz.xz", target / f"{results.name}.xyz.xz")


def write_manifest(target: Path) -> None:
    """Write ``manifest.csv``: path, bytes and SHA-256 of every released file."""
    files = sorted(p for p in target.rglob("*") if p.is_file() and p.name != "manifest.csv")
    rows = [
        {
            "path": str(path.relative_to(target)),
            "bytes": path.stat().st_size,
            "sha256": sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]
    pd.DataFrame(rows).to_csv(target / "manifest.csv", index=False)
