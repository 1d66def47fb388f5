"""Reproduction: a study's tables against released ones, with what differs and by how much."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from diverse.seals import visible_files

COMPARED = ("tables", "errors")  # folders of tables in a release


class Difference(NamedTuple):
    """Difference of a table from a released one; rows are told apart by all that are no fractions.

    `numbers` fractional numbers stand in rows of both, `different` of them are unequal, by at most
    `largest` of the larger one's size, in column and row `where`.
    """

    only_here: int
    only_released: int
    numbers: int
    different: int
    largest: float
    where: str


def compare_tables(own: pd.DataFrame, released: pd.DataFrame) -> Difference:
    """Compare two tables number by number, in whatever order their rows and columns are.

    Rows belong together whose names and whole numbers are equal; of several such rows, the first
    with the first. Numbers that are missing in both tables are equal.

    Raises
    ------
    ValueError
        If the tables have not the same columns; the message names those that only one of them has.
    """
    if strange := set(own.columns) ^ set(released.columns):
        raise ValueError(f"columns in one of the two alone: {', '.join(sorted(strange))}")
    fractions = [
        name
        for name in own.columns
        if {own[name].dtype.kind, released[name].dtype.kind} <= {"f", "i"}
        and "f" in (own[name].dtype.kind, released[name].dtype.kind)
    ]
    keys = [name for name in own.columns if name not in fractions]
    tables = [_numbered(table, keys) for table in (own, released)]
    pairs = tables[0].merge(
        tables[1], on=[*keys, "_number"], how="outer", suffixes=("", "_released"), indicator=True
    )
    both = pairs[pairs["_merge"] == "both"].reset_index(drop=True)
    here = both[fractions].to_numpy(float).reshape(len(both), len(fractions))
    there = both[[f"{name}_released" for name in fractions]].to_numpy(float).reshape(here.shape)
    apart = _relative_differences(here, there)
    sides = pairs["_merge"].value_counts()
    largest, where = 0.0, ""
    if apart.any():
        row, column = np.unravel_index(np.argmax(apart), apart.shape)
        largest = float(apart[row, column])
        names = " ".join(str(both.loc[row, key]) for key in keys)
        where = f"{fractions[column]} of {names}" if keys else fractions[column]
    return Difference(
        only_here=int(sides["left_only"]),
        only_released=int(sides["right_only"]),
        numbers=apart.size,
        different=int(np.count_nonzero(apart)),
        largest=largest,
        where=where,
    )


def compare_release(results: Path, released: Path) -> tuple[pd.DataFrame, list[str]]:
    """Compare the tables of a study with those of a release, without changing either.

    Parameters
    ----------
    results : Path
        Folder of the study.
    released : Path
        Folder of the release, with the folders `COMPARED`; tables may be packed (``.xz``).

    Returns
    -------
    DataFrame
        A row for each table: ``table`` and the fields of `Difference`.
    list of str
        A sentence for each table that cannot be compared.

    Raises
    ------
    FileNotFoundError
        If nothing is released.
    """
    paths = [path for name in COMPARED for path in _tables(released / name)]
    if not paths:
        raise FileNotFoundError(
            f"there are no released tables in {released}: compare in a clone of the repository, or "
            "release a study first (snakemake release)"
        )
    rows, sentences = [], []
    for path in paths:
        name = str(path.relative_to(released))
        own = next((p for p in _names(results / name) if p.exists()), None)
        if own is None:
            sentences.append(f"{name}: released, but not made here")
            continue
        try:
            rows.append({"table": name, **compare_tables(_read(own), _read(path))._asdict()})
        except ValueError as error:
            sentences.append(f"{name}: {error}")
    known = {path.name.removesuffix(".xz") for path in paths}
    more = [path.name for path in _tables(results / "tables") if path.name not in known]
    sentences += [f"tables/{name}: made here, but not released" for name in more]
    return pd.DataFrame(rows, columns=["table", *Difference._fields]), sentences


def comparison_text(table: pd.DataFrame, sentences: Iterable[str]) -> str:
    """Return what a person reads: the tables that are equal as a count, the others one a line."""
    alike = (table[["only_here", "only_released", "different"]] == 0).all(axis=1)
    lines = [
        f"{alike.sum()} of {len(table)} tables are equal number for number "
        f"({table.loc[alike, 'numbers'].sum()} numbers)"
    ]
    for row in table[~alike].sort_values("largest", ascending=False).itertuples():
        parts = [f"{row.only_here} rows only here"] if row.only_here else []
        parts += [f"{row.only_released} rows only released"] if row.only_released else []
        if row.different:
            most = f"by at most {row.largest:.1e} of their size"
            size = most if np.isfinite(row.largest) else "or one of the two is missing"
            parts.append(f"{row.different} of {row.numbers} numbers differ, {size} ({row.where})")
        lines.append(f"{row.table}: {'; '.join(parts)}")
    return "\n".join([*lines, *sentences])


def _numbered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return a table with keys as text, and a number for each of several rows with equal keys."""
    text = table.assign(**{key: table[key].astype(str) for key in keys})
    number = text.groupby(keys).cumcount() if keys else np.arange(len(table))
    return text.assign(_number=number)


def _relative_differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return |a - b| / max(|a|, |b|), 0 where equal or both missing, infinite where one is."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second) / np.maximum(np.abs(first), np.abs(second))
    equal = (first == second) | (np.isnan(first) & np.isnan(second))
    return np.where(equal, 0.0, np.where(np.isnan(apart), np.inf, apart))


def _tables(folder: Path) -> list[Path]:
    return [path for path in visible_files(folder) if path.name.endswith((".csv", ".csv.xz"))]


def _names(path: Path) -> list[Path]:
    """Return the names that a table may have: packed or not."""
    plain = path.with_name(path.name.removesuffix(".xz"))
    return [plain, plain.with_name(f"{plain.name}.xz")]


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, low_memory=False)
