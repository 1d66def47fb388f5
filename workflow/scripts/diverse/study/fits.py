"""Released fits: finished models of a study, and the records by which another run takes them.

A record is a JSON file beside the files of the fits, which keep their paths below the study's
folder. Its ``settings`` are the parts of the study that the fits follow from beside the cells, its
``cells`` the SHA-256 of the table of draws of every data set, which holds the key of each labelled
cell, its ``files`` the SHA-256 of each, and its ``benchmarks`` what the jobs behind it took.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from diverse.seals import sha256_of

Record = dict[str, Any]
SOLVER = 2  # of polynomials: raised when the same settings and cells make other coefficients
SUBSET_FITS = "-subsets"  # end of the name of a model's fits to subsets
FOLLOWED = ("seed", "element", "cutoff", "zbl", "split", "device")  # parts of a study
SELECTED = ("lattice", "optimiser")  # what cells are selected by, beside the subsets


class OtherFitsError(RuntimeError):
    """Released fits are not of the study's cells, or damaged; the message says what to do."""


def fit_settings(study: Mapping[str, Any], models: Iterable[str]) -> dict[str, Record]:
    """Return the parts of a study that fits follow from, beside the cells, by name.

    Fits of a model to training sets are named after it, those to subsets ``<model>-subsets``.
    """
    found = {}
    for model in models:
        entry = study["models"][model]
        own = {**{name: study[name] for name in FOLLOWED}, "model": entry}
        if entry["family"] != "network":
            own["solver"] = SOLVER
        if "auto" in {entry.get("energy_weight"), entry.get("energy_scale")}:
            own["search"] = study["search"]
        subsets = {n: part for n, part in study["subsets"].items() if model in part["models"]}
        found[model] = own
        if subsets:
            chosen_by = {name: study[name] for name in SELECTED}
            found[f"{model}{SUBSET_FITS}"] = {**own, **chosen_by, "subsets": subsets}
    return found


def make_record(
    model: str,
    settings: Mapping[str, Any],
    draws: Mapping[str, str],
    results: Path,
    files: Iterable[str],
) -> Record:
    """Return the record of fits of a model.

    Parameters
    ----------
    model : str
        Name of the model, by which Snakemake's benchmark files of its jobs are found.
    settings : mapping
        Parts of the study that the fits follow from.
    draws : mapping
        Path of the table of draws by data set.
    results : Path
        Folder of the study.
    files : iterable of str
        Paths of their files, below `results`.
    """
    relative = [str(Path(file).relative_to(results)) for file in files]
    jobs = sorted((results / "benchmarks").rglob("*.tsv"))
    return {
        "settings": _plain(settings),
        "cells": _cells(draws),
        "files": {name: sha256_of(results / name) for name in relative},
        "benchmarks": {
            str(job.relative_to(results)): job.read_text()
            for job in jobs
            if model in job.relative_to(results).with_suffix("").parts
        },
    }


def known_fits(
    folder: str | Path, settings: Mapping[str, Mapping[str, Any]], tests: Collection[str]
) -> dict[str, list[str]]:
    """Return the files, by name, of fits that lie in a folder whole and have these settings.

    Fits that were tested on other data sets than the study's are left out: their errors on a set
    that came since are not there.

    Parameters
    ----------
    folder : path
        Folder of released fits; it need not exist.
    settings : mapping
        Of `fit_settings`.
    tests : collection of str
        Data sets that the study tests on.

    Raises
    ------
    OtherFitsError
        If a record cannot be read, or names files outside the folder.
    """
    found = {}
    for fit, wanted in settings.items():
        path = Path(folder, f"{fit}.json")
        if path.exists():
            record = _read_record(path)
            whole = all(Path(folder, name).exists() for name in record["files"])
            tested = set(record["cells"]) == set(tests)
            if whole and tested and record["settings"] == _plain(wanted):
                found[fit] = list(record["files"])
    return found


def take_fits(records: Iterable[str | Path], draws: Mapping[str, str], results: Path) -> None:
    """Copy the files of released fits, and what they took, to the folder of a study.

    Parameters
    ----------
    records : iterable of path
        Records; the files lie beside them.
    draws : mapping
        Path of the study's table of draws by data set.
    results : Path
        Folder of the study.

    Raises
    ------
    OtherFitsError
        If the fits are of other cells, or a file is not what its record says; nothing is copied.
    """
    cells = _cells(draws)
    folders: dict[str, Path] = {}
    benchmarks: dict[str, str] = {}
    for path in map(Path, records):
        record = _read_record(path)
        for name, digest in record["cells"].items():
            if cells.get(name) != digest:
                raise OtherFitsError(
                    f"{path} is a record of fits to other cells of {name} than the study's: say "
                    "labels: recompute in the study file, or move the record away, to fit anew"
                )
        folders |= dict.fromkeys(_checked_files(path.parent, record), path.parent)
        benchmarks |= record["benchmarks"]
    for name in (*folders, *benchmarks):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
    for name, folder in folders.items():
        shutil.copyfile(folder / name, results / name)
    for name, text in benchmarks.items():
        (results / name).write_text(text)


def release_fits(results: Path, target: Path) -> list[str]:
    """Copy the fits of a study that have a record; return their names.

    Raises
    ------
    OtherFitsError
        If a file is not what its record says: it was made anew since.
    """
    names = []
    for path in sorted((results / "fits").glob("*.json")):
        record = _read_record(path)
        for name in _checked_files(results, record):
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(results / name, copy)
        shutil.copyfile(path, target / path.name)
        names.append(path.stem)
    return names


def _read_record(path: Path) -> Record:
    """Read a record; an error where it is damaged."""
    try:
        record: Record = json.loads(path.read_text())
        outside = [name for name in record["files"] if Path(name).is_absolute() or ".." in name]
        whole = {"settings", "cells", "benchmarks"} <= record.keys() and not outside
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise OtherFitsError(
            f"{path} is not a record of fits, or damaged: restore it (git checkout {path}), or "
            "move it away, to fit anew"
        )
    return record


def _checked_files(folder: Path, record: Record) -> list[str]:
    """Return the files of a record, which lie in a folder; an error where one differs."""
    for name, digest in record["files"].items():
        file = folder / name
        if not file.exists() or sha256_of(file) != digest:
            raise OtherFitsError(
                f"{file} is not what its record tells of: restore a released file (git checkout "
                f"{file}); of a study's own, remove the record in fits/ and run snakemake fits"
            )
    return list(record["files"])


def _cells(draws: Mapping[str, str]) -> dict[str, str]:
    return {name: sha256_of(Path(path)) for name, path in draws.items()}


def _plain(settings: Mapping[str, Any]) -> Any:
    """Return settings as JSON gives them back."""
    return json.loads(json.dumps(settings))
