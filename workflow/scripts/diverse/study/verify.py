"""Verification of a finished study: its files against its manifest, and a sample made again."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from diverse.seals import DamagedFileError, check_seals, sha256_of
from diverse.study.settings import own_files

MANIFEST = "manifest.csv"
# Files of which one each is made again: their bytes follow from the study and from the files before
# them. Labels have an audit of their own; networks take their time, and rest on the machine.
MADE_AGAIN = (
    "structures/*/*.xyz",
    "datasets/*/train.xyz",
    "models/*/*/0/covariance.npz",
    "predictions/*/*/0/*.npz",
    "errors/cells.csv.xz",
)


def changed_files(results: Path) -> pd.DataFrame:
    """Compare the files of a study with its manifest.

    Returns
    -------
    DataFrame
        ``path`` and ``problem`` (``missing`` or ``changed``) of every file that is not as its job
        wrote it; only the manifest, if it is itself not as it was written.

    Raises
    ------
    FileNotFoundError
        If the study has no manifest.
    """
    manifest = results / MANIFEST
    if not manifest.exists():
        raise FileNotFoundError(
            f"there is no {manifest}: finish the study first (./envs/run snakemake --cores all)"
        )
    try:
        check_seals([manifest])
    except DamagedFileError:
        return pd.DataFrame([(MANIFEST, "changed")], columns=["path", "problem"])
    found = []
    for row in pd.read_csv(manifest).itertuples():
        path = results / str(row.path)
        if not path.exists():
            found.append((row.path, "missing"))
        elif sha256_of(path) != row.sha256:
            found.append((row.path, "changed"))
    return pd.DataFrame(found, columns=["path", "problem"])


def targets(paths: Iterable[str]) -> list[str]:
    """Return, each once, the files to name to Snakemake for it to make `paths` again.

    They are the paths themselves, but for a potential, all files of which are made with its card.
    """
    names = (
        str(Path(path).with_name("README.md")) if path.startswith("potentials/") else path
        for path in paths
    )
    return list(dict.fromkeys(names))


def draw_sample(results: Path, rng: np.random.Generator) -> list[str]:
    """Return paths, relative to the study's folder, of one file of each kind in `MADE_AGAIN`."""
    paths = pd.read_csv(results / MANIFEST)["path"]
    kinds = [[path for path in paths if _matches(path, kind)] for kind in MADE_AGAIN]
    return [str(rng.choice(members)) for members in kinds if members]


def differing_files(results: Path, sample: Sequence[str], snakefile: Path, log: Path) -> list[str]:
    """Make a sample of files again, from those before them, and return which come out different.

    Parameters
    ----------
    results : Path
        Folder of the study, relative to the working directory; nothing in it is changed.
    sample : sequence of str
        Paths relative to `results`.
    snakefile : Path
    log : Path
        What Snakemake says goes there.

    Raises
    ------
    subprocess.CalledProcessError
        If Snakemake fails.
    """
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
        folder = _inside(Path(scratch), Path.cwd())
        copy = folder / results
        _link_tree(results, copy, leave_out=set(sample))
        _link_own_files(results, Path(scratch))
        command = ["snakemake", "--snakefile", str(snakefile.resolve())]
        command += ["--directory", str(folder)]
        command += ["--configfile", str((results / "config.yaml").resolve()), "--cores", "1"]
        command += ["--rerun-triggers", "params", "--", *(str(results / path) for path in sample)]
        with log.open("a") as file:
            subprocess.run(command, check=True, stdout=file, stderr=file)
        return [path for path in sample if sha256_of(copy / path) != sha256_of(results / path)]


def _matches(path: str, kind: str) -> bool:
    """Return whether a path is of a kind, a pattern whose stars stand for one name each."""
    names, patterns = path.split("/"), kind.split("/")
    return len(names) == len(patterns) and all(map(fnmatch, names, patterns))


def _inside(scratch: Path, path: str | Path) -> Path:
    """Return the place below a scratch folder that stands for a path of this machine."""
    return scratch.joinpath(*Path(os.path.abspath(path)).parts[1:])


def _link_own_files(results: Path, scratch: Path) -> None:
    """Link what a study names by paths from here to where the same paths lead in the scratch."""
    for path in own_files(yaml.safe_load((results / "config.yaml").read_text())):
        place, own = _inside(scratch, path), Path(os.path.abspath(path))
        if own.exists() and not own.is_relative_to(results.absolute()) and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(own)


def _link_tree(source: Path, target: Path, leave_out: set[str]) -> None:
    """Make a folder of links to all files of another one, without logs and what is left out."""
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name not in ("logs", "benchmarks")]
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in files:
            path = Path(folder) / name
            if str(path.relative_to(source)) not in leave_out:
                (place / name).symlink_to(path.resolve())
