"""Release of the default study: a choice for git, and an archive of everything else."""

from __future__ import annotations

import json
import lzma
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from diverse.errors.views import largest_models
from diverse.labels.ledger import Ledger, LedgerError, merge, write_rows
from diverse.report.archive import pack_archive
from diverse.report.contents import Contents
from diverse.report.version import Version
from diverse.seals import sha256_of, visible_files

LARGEST_TABLE = 1_000_000  # bytes; git keeps every version of it for ever
COLOURS = 256  # of a released figure
FIGURES = re.compile(r"results/release/figures/([\w.-]+)")
MANIFEST = "manifest.csv"
NOT_SHIPPED = """
The files of labels that this card tells of are not shipped with it: the study's file, given to
`./envs/run snakemake --cores all label --configfile`, makes them again.
"""


def release_study(
    results: Path,
    target: Path,
    *,
    contents: Contents,
    figures: Iterable[str],
    potentials: Iterable[str],
    version: Version,
) -> Path:
    """Copy a finished study's deliverables below `target`, pack the rest, and write the manifest.

    Git keeps every version of every file, so it gets the labels, the tables, the errors by cell
    that the claims rest on, and a choice of figures and potentials; all of them go to
    ``release.tar.xz`` in the study's folder, which is published beside the repository.
    ``target/labels/<dataset>.xyz.xz`` is a ledger that later runs look labels up in. Of a study of
    convergence, where there is one, the labels and the table of errors are copied; of dynamics all
    runs, as one table; of physical properties the table, the curves and the labels. Labels that lay
    ahead (`release_ahead`) and are among the released ones now are not kept twice.

    Parameters
    ----------
    results : Path
        Folder of the study.
    target : Path
        Folder of the released files.
    contents : Contents
        What the study has, of all that lies in its folder.
    figures : iterable of str
        Names of the figures that git gets, for example ``ratios.png``.
    potentials : iterable of str
        Names of the potentials that git gets, for example ``entropy-linear8-0``.
    version : Version
        What the archive says of the repository.

    Returns
    -------
    Path
        The archive.
    """
    _copy_findings(results, target, contents, figures, potentials)
    _release_convergence(results, target / "convergence")
    _release_dynamics(results, target / "dynamics", contents)
    _release_physics(results, target / "physics", contents)
    archive = pack_archive(results, results / "release.tar.xz", contents, version)
    write_manifest(target, archive)
    release_ahead(results, target)
    return archive


def release_beside(
    results: Path,
    target: Path,
    *,
    contents: Contents,
    figures: Iterable[str],
    potentials: Iterable[str],
) -> None:
    """Copy a study's deliverables but its labels to a folder below the release of another study.

    Labels of a set of full size are hundreds of megabytes, and made again in an hour or two. What
    every job took is copied as one table, ``benchmarks.csv``. Manifests of both releases are
    written.

    Parameters
    ----------
    results, target : Path
        Folders of the study, and of its release.
    contents : Contents
        What the study has, of all that lies in its folder.
    figures, potentials : iterable of str
        Names of those that git gets, as `release_study` takes them; of figures those that exist.
    """
    there = [name for name in figures if (results / "figures" / name).exists()]
    _copy_findings(results, target, replace(contents, labels=()), there, potentials)
    card = target / "labels/README.md"
    if card.exists():
        title, _, rest = card.read_text().partition("\n")
        card.write_text(f"{title}\n{NOT_SHIPPED}{rest}")
    shutil.copy(results / "config.yaml", target)
    folder = results / "benchmarks"
    jobs = [
        pd.read_csv(file, sep="\t").assign(job=str(file.relative_to(folder).with_suffix("")))
        for file in sorted(folder.rglob("*.tsv"))
    ]
    pd.concat(jobs).set_index("job").to_csv(target / "benchmarks.csv")
    write_manifest(target)
    write_manifest(target.parent)


def _copy_findings(
    results: Path,
    target: Path,
    contents: Contents,
    figures: Iterable[str],
    potentials: Iterable[str],
) -> None:
    """Copy labels, tables, errors, and some of the figures and potentials."""
    for folder in ("labels", "tables", "figures", "potentials", "errors"):
        shutil.rmtree(target / folder, ignore_errors=True)
        (target / folder).mkdir(parents=True)
    for path in contents.files_of_labels(results):  # none in a study of published sets alone
        shutil.copy(path, target / "labels")
    for path in sorted((results / "tables").glob("*.csv")):
        _copy_table(path, target / "tables")
    for path in contents.files_of_errors(results):
        if path.name.endswith(".csv.xz") and "subsets" not in path.relative_to(results).parts:
            copy = target / path.relative_to(results)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    for name in figures:
        _copy_figure(results / "figures" / name, target / "figures" / name)
    for name in potentials:
        hidden = shutil.ignore_patterns(".*")  # Snakemake's own
        shutil.copytree(results / "potentials" / name, target / "potentials" / name, ignore=hidden)


def readme_figures(readme: Path) -> list[str]:
    """Return the names of the released figures that a README shows, each once; none without it."""
    if not readme.exists():
        return []
    return list(dict.fromkeys(FIGURES.findall(readme.read_text())))


def chosen_potentials(scores: pd.DataFrame, families: Mapping[str, str]) -> list[str]:
    """Return the names of the potentials that git gets.

    Those of the largest model of each family on the first data set of family entropy and of family
    expert, seed 0. None of ACE: its files are megabytes of tables, which ``snakemake ace`` makes
    and the archive holds.

    Parameters
    ----------
    scores : DataFrame
        ``scores.csv``.
    families : mapping
        Family of each training set, in the order of the study.
    """
    trains = {family: name for name, family in reversed(list(families.items()))}
    wanted = [trains[family] for family in ("entropy", "expert") if family in trains]
    models = [model for model, family in largest_models(scores).items() if family != "ace"]
    return [f"{train}-{model}-0" for train in wanted for model in models]


def release_ahead(results: Path, target: Path) -> dict[str, int]:
    """Keep the labels of a study's ledgers beyond its released ones, and write the manifest.

    Labels of further steps are computed long before the study takes them, and those of a study of
    convergence in several sittings. They are added to ``target/labels-ahead/<dataset>.xyz.xz`` and
    ``convergence.xyz.xz``, where later runs look them up too, also of cells that failed where they
    are released; failures are not.

    Parameters
    ----------
    results : Path
        Folder of the study, with its ``ledger/<dataset>/<chunk>.xyz`` and
        ``ledger/convergence/<variant>.xyz``; they may end within a row.
    target : Path
        Folder of what is released.

    Returns
    -------
    dict of str to int
        Cells kept of each data set, and of ``convergence``.

    Raises
    ------
    LedgerError
        If a file of ``labels-ahead`` is damaged; nothing of it is overwritten.
    """
    files = sorted((target / "labels-ahead").glob("*.xyz.xz"))
    for file in files:
        if notices := Ledger(None, [file]).notices:
            raise LedgerError(f"{notices[0]}, unless you restore the file (git checkout {file})")
    ledgers = [*results.glob("ledger/*/[0-9]*.xyz"), *results.glob("ledger/convergence/*.xyz")]
    known = [*target.glob("labels/*.xyz.xz"), *target.glob("convergence/*.xyz.xz")]
    released = Ledger(None, sorted(known))
    ahead: dict[str, dict[str, Any]] = defaultdict(dict)
    for ledger in [*files, *sorted(ledgers)]:
        name = ledger.name.removesuffix(".xyz.xz") if ledger in files else ledger.parent.name
        for row in Ledger(None, [ledger]).rows():
            known_row = released.find(row.info["key"])
            if row.calc is not None and (known_row is None or known_row.calc is None):
                ahead[name][row.info["key"]] = row
    for name, rows in ahead.items():
        write_rows(target / f"labels-ahead/{name}.xyz.xz", rows.values())
    for file in files:
        if file.name.removesuffix(".xyz.xz") not in ahead:
            file.unlink()
    write_manifest(target)
    return {name: len(rows) for name, rows in sorted(ahead.items())}


def write_manifest(target: Path, archive: Path | None = None) -> None:
    """Write ``manifest.csv``: path, bytes and SHA-256 of every released file.

    Paths are relative to `target`. The archive lies outside it, and its row stays until another
    archive takes its place. Manifests of other studies below `target` are left out.
    """
    manifest = target / MANIFEST
    files = [path for path in visible_files(target) if path.name != MANIFEST]
    rows = [_manifest_row(path, target) for path in files]
    if archive is not None:
        rows.append(_manifest_row(archive, target))
    elif manifest.exists():
        known = pd.read_csv(manifest)
        rows += known[known["path"].str.startswith("..")].to_dict("records")
    pd.DataFrame(rows).to_csv(manifest, index=False)


def _manifest_row(path: Path, target: Path) -> dict[str, Any]:
    return {
        "path": os.path.relpath(path, target),
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
    }


def _copy_table(path: Path, folder: Path) -> None:
    """Copy a table; a large one is packed, as pandas reads it just as well."""
    if path.stat().st_size > LARGEST_TABLE:
        packed = lzma.compress(path.read_bytes())
        (folder / f"{path.name}.xz").write_bytes(packed)
    else:
        shutil.copy(path, folder)


def _copy_figure(path: Path, target: Path) -> None:
    """Copy a figure with a palette of colours: a third of the bytes, hardly another picture."""
    with Image.open(path) as image:
        image.convert("RGB").quantize(COLOURS).save(target, optimize=True)


def _release_physics(results: Path, target: Path, contents: Contents) -> None:
    """Join what ``snakemake physics`` made, named after the study; add the labels behind it.

    Labels that were found among the released ones stand in no ledger of the study, and stay.
    """
    tables = contents.tables_of_physics(results)
    if tables:
        target.mkdir(exist_ok=True)
        values = pd.concat(pd.read_csv(path, dtype={"digest": str}) for path in tables)
        values.to_csv(target / f"{results.name}.csv", index=False)
        curves: dict[str, Any] = {}
        for path in tables:
            curves |= json.loads(path.with_suffix(".json").read_text())
        text = json.dumps(curves, separators=(",", ":"))
        (target / f"{results.name}.json").write_text(text)
        labels = target / f"{results.name}.xyz.xz"
        ledgers = [*sorted(results.glob("ledger/physics/*.xyz")), labels]
        if known := [path for path in ledgers if path.exists()]:
            merge(known, labels)


def _release_convergence(results: Path, target: Path) -> None:
    """Copy what ``snakemake convergence`` made, named after the study."""
    if (results / "convergence/errors.csv").exists():
        target.mkdir(exist_ok=True)
        shutil.copy(results / "convergence/errors.csv", target / f"{results.name}.csv")
        shutil.copy(results / "convergence/labels.xyz.xz", target / f"{results.name}.xyz.xz")


def _release_dynamics(results: Path, target: Path, contents: Contents) -> None:
    """Copy runs that ``snakemake dynamics`` and ``ramps`` made as one table each."""
    for folder, end in (("nve", ""), ("ramps", "-ramps")):
        if paths := contents.runs_of(folder, results):
            target.mkdir(exist_ok=True)
            rows = pd.concat(pd.read_csv(path, dtype={"potential": str}) for path in paths)
            rows.to_csv(target / f"{results.name}{end}.csv.xz", index=False)
