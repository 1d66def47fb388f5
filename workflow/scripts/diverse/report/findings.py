"""The findings of a study as the README shows them: in words, or beside another study's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from diverse.errors.larger import SIDES
from diverse.report.marks import show_table
from diverse.report.numbers import digits, interval
from diverse.report.readings import WORDS

FINDINGS = re.compile(r"(?<=<!-- findings).*?(?=<!-- end of findings -->)", re.DOTALL)
EFFECT = ("effect", "ci_low", "ci_high")
TITLE = " of tables/claims.csv, written by snakemake release -->"


def show_study(readme: Path, tables: Path) -> None:
    """Write what a study found in the README, as far as there are tables and marks for it.

    Parameters
    ----------
    readme : Path
    tables : Path
        Folder of the released tables; a study of one training set has no claims.
    """
    claims, sizes = tables / "claims.csv", tables / "cell_sizes.csv"
    if claims.exists():
        show_findings(readme, pd.read_csv(claims))
    if sizes.exists() and len(table := pd.read_csv(sizes)):
        show_larger(readme, table)


def findings(claims: pd.DataFrame) -> str:
    """Return the claims as a list in Markdown: name, verdict, and the sentence that reads it.

    Parameters
    ----------
    claims : DataFrame
        ``tables/claims.csv`` with columns ``claim``, ``quantity``, ``verdict`` and ``reading``.
    """
    return "\n".join(
        f"- **{claim_name(row)}: {row['verdict']}.** {_escaped(row['reading'])}"
        for row in claims.to_dict("records")
    )


def claim_name(row: Any) -> str:
    """Return the name of a claim with the quantity that it is about, if it is about one."""
    quantity = WORDS.get(row["quantity"])
    return f"{row['claim']}, {quantity}" if quantity else str(row["claim"])


def show_findings(readme: Path, claims: pd.DataFrame) -> None:
    """Write the findings between the two marks for them in the README."""
    shown = f"{TITLE}\n\n{findings(claims)}\n\n"
    readme.write_text(FINDINGS.sub(lambda _: shown, readme.read_text()))


def show_larger(readme: Path, sizes: pd.DataFrame) -> None:
    """Write errors on larger cells over those on small ones between the marks for them.

    Parameters
    ----------
    readme : Path
        Without marks named ``larger cells`` nothing is written.
    sizes : DataFrame
        Of `diverse.errors.larger.size_effects`, not empty.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in sizes.to_dict("records"):
        key = (WORDS[row["quantity"]], _escaped(row["cells"]))
        atoms = {f"atoms, {side}": digits(row[f"atoms_{side}"], 2) for side in SIDES}
        entry = rows.setdefault(key, {**atoms, "larger cells": str(row["n_cells_larger"])})
        text = interval(row["effect"], row["ci_low"], row["ci_high"], 2)
        entry[_escaped(f"trained on {row['train']}")] = text
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["errors of", "cells like those of"])
    text = str(table.reset_index().to_markdown(index=False))
    show_table(readme, "larger cells", "snakemake release", text)


def show_beside(
    readme: Path, study: str, other: str, claims: pd.DataFrame, sizes: pd.DataFrame
) -> None:
    """Write the claims of a study beside those of another between the marks for them in the README.

    Parameters
    ----------
    readme : Path
        Without marks named ``claims of <study>`` nothing is written.
    study, other : str
        Names of the studies.
    claims, sizes : DataFrame
        ``tables/beside.csv`` and ``tables/equal_sizes.csv``, which may be empty.
    """
    rows = [
        {
            "claim": _escaped(claim_name(row)),
            **_found(row, "", study),
            **_found(row, "other_", other),
            "verdicts": row["agreement"],
        }
        for row in claims.to_dict("records")
    ]
    parts = [pd.DataFrame(rows).to_markdown(index=False)]
    if len(sizes):
        parts.append(_sizes(sizes).to_markdown(index=False))
    show_table(readme, f"claims of {study}", "snakemake release", "\n\n".join(parts))


def _found(row: Any, prefix: str, study: str) -> dict[str, str]:
    """Return effect and verdict of a claim in one of the studies; nothing if it was not asked."""
    effect, low, high = (row[f"{prefix}{name}"] for name in EFFECT)
    return {
        f"effect, {study}": "" if pd.isna(effect) else interval(effect, low, high),
        f"verdict, {study}": _escaped(row[f"{prefix}verdict"]),
    }


def _sizes(sizes: pd.DataFrame) -> pd.DataFrame:
    """Return ratios of errors, a column for each size of the training sets."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for entry in sizes.to_dict("records"):
        key = (WORDS[entry["quantity"]], _escaped(entry["of"]), _escaped(entry["model"]))
        rows.setdefault(key, {})[str(entry["size"])] = digits(entry["ratio"], 2)
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["errors of", "set", "model"])
    order = sorted(table.columns, key=lambda size: (size == "whole", len(size), size))
    return table[order].sort_index().fillna("").reset_index()


def _escaped(text: Any) -> str:
    """Return a sentence whose names, which come from users, are no markup in Markdown."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", "" if pd.isna(text) else str(text))
