"""Packages that a study runs with: version, licence, and advisories known of that very version."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
from packaging.specifiers import SpecifierSet

from diverse.labels.labellers.extra import extra_folder

EXTRAS = {"universal": "universal.txt", "ace": "ace.txt", "gpu": "requirements-gpu.txt"}
PIN = re.compile(r"^([\w.-]+)===?(\S+)", re.M)
NO_LICENCE = "none named"
COLUMNS = ["package", "version", "environment", "licence", "advisories"]


def dependencies(envs: Path) -> pd.DataFrame:
    """Return a row for each package that ``./envs/run`` installs, of the extras if they are here.

    Parameters
    ----------
    envs : Path
        Folder with the pins, and with ``advisories.csv``: ``package``, ``affected`` (versions, as a
        specifier of PEP 440), ``advisory``, ``what``, ``source``.

    Returns
    -------
    DataFrame
        ``package``, ``version`` (the installed one), ``environment`` (``study`` or an extra),
        ``licence`` (as the package says it) and ``advisories`` (the numbers of those that affect
        this version, with semicolons between them; empty where the file knows of none).

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If a package of the study's own environment is not installed.
    """
    advisories = pd.read_csv(envs / "advisories.csv")
    rows = [
        (name, "study", metadata.distribution(name)) for name in _pins(envs, "requirements.txt")
    ]
    for extra, file in EXTRAS.items():
        rows += [(name, extra, found) for name, found in _installed(extra, _pins(envs, file))]
    table = []
    for name, environment, found in rows:
        version = found.version.split("+")[0]  # one version of torch has many builds
        known = _affecting(advisories, name, version)
        table.append((name, version, environment, licence(found), known))
    return pd.DataFrame(table, columns=COLUMNS).drop_duplicates("package")


def licence(package: metadata.Distribution) -> str:
    """Return the licence that a package names: its expression, else its classifiers or its words.

    Of a licence that is given in full, or as a file alone, the first line stands for it. Words that
    name a licence of GNU beside classifiers that do not are given, too.
    """
    known: dict[str, Any] = package.metadata.json
    classifiers = [line.split(" :: ") for line in known.get("classifier", [])]
    classified = ", ".join(c[-1] for c in classifiers if c[0] == "License" and len(c) > 2)
    words = _first_line(known.get("license", ""))
    if classified and "GNU" in words and "GNU" not in classified:
        classified += f", but also: {words}"
    named = known.get("license_expression") or classified or words
    return named or _first_line(_licence_file(package)) or NO_LICENCE


def _pins(envs: Path, file: str) -> list[str]:
    return [name for name, _ in PIN.findall((envs / file).read_text())]


def _installed(extra: str, names: list[str]) -> Iterator[tuple[str, metadata.Distribution]]:
    """Yield packages of an extra environment: those of its folder or, called with it, of here."""
    folders = [extra_folder(extra)] if extra_folder(extra) else sys.path
    for name in names:
        yield from ((name, found) for found in metadata.distributions(name=name, path=folders))


def _affecting(advisories: pd.DataFrame, name: str, version: str) -> str:
    own = advisories[advisories["package"].str.lower() == name.lower()]
    return "; ".join(
        row.advisory for row in own.itertuples() if version in SpecifierSet(str(row.affected))
    )


def _licence_file(package: metadata.Distribution) -> str:
    for file in package.files or []:
        if re.match(r"(licen[cs]e|copying)", file.name, re.I) and "dist-info" in str(file):
            return file.read_text()
    return ""


def _first_line(text: str) -> str:
    return next((line.strip(" =") for line in text.splitlines() if line.strip(" =")), "")
