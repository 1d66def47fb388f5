"""Release of the default study: its labels, tables, figures and potentials."""

from __future__ import annotations

import lzma
import re
import shutil
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

import pandas as pd

from diverse.errors.ratios import verdicts_table
from diverse.labels.ledger import Ledger, LedgerError, write_rows

LARGEST_TABLE = 1_000_000  # bytes; git keeps every version of it for ever
VERDICTS = re.compile(r"(?<=<!-- verdicts).*?(?=<!-- end of verdicts -->)", re.DOTALL)
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
    convergence, where there is one, the labels and the table of errors are copied. Labels that lay
    ahead (`release_ahead`) and are among these now are not kept twice.
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
    release_ahead(results, target)


def release_ahead(results: Path, target: Path) -> dict[str, int]:
    """Keep the labels of a study's ledgers beyond its released ones, and write the manifest.

    Labels of further steps are computed long before the study takes them. They are added to
    ``target/labels-ahead/<dataset>.xyz.xz``, where later runs look them up too; failures are not.

    Parameters
    ----------
    results : Path
        Folder of the study, with its ``ledger/<dataset>/<chunk>.xyz``; they may end within a row.
    target : Path
        Folder of the released files.

    Returns
    -------
    dict of str to int
        Cells kept of each data set.

    Raises
    ------
    LedgerError
        If a file of ``labels-ahead`` is damaged; nothing of it is overwritten.
    """
    chunks: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(results.glob("ledger/*/[0-9]*.xyz")):
        chunks[path.parent.name].append(path)
    ahead, kept = target / "labels-ahead", {}
    for name in sorted({*chunks, *(path.name.split(".")[0] for path in ahead.glob("*.xyz.xz"))}):
        file = ahead / f"{name}.xyz.xz"
        if notices := Ledger(None, [file]).notices:
            raise LedgerError(f"{notices[0]}, unless you restore the file (git checkout {file})")
        released = Ledger(None, [target / f"labels/{name}.xyz.xz"])
        rows = [
            row
            for row in Ledger(None, [file, *chunks[name]]).rows()
            if row.calc is not None and released.find(row.info["key"]) is None
        ]
        if rows:
            write_rows(file, rows)
            kept[name] = len(rows)
        else:
            file.unlink(missing_ok=True)
    write_manifest(target)
    return kept


def show_verdicts(readme: Path, verdicts: pd.DataFrame) -> None:
    """Write the verdicts on the training sets between the two marks for them in the README."""
    title = " of tables/verdicts.csv, written by snakemake release -->"
    shown = f"{title}\n\n{verdicts_table(verdicts)}\n\n"
    readme.write_text(VERDICTS.sub(lambda _: shown, readme.read_text()))


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
