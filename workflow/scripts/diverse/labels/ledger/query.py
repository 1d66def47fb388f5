"""Contents of ledgers: what is here, what failed and why, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from ase import Atoms

from diverse.labels.ledger import Ledger, label_key
from diverse.structures.comment_line import one_line

COLUMNS = [
    *("dataset", "config_type", "trajectory", "atoms", "d_min", "labeller", "code", "protocol"),
    *("status", "cause", "attempts", "iterations", "seconds", "key"),
]


def table(rows: Iterable[Atoms]) -> pd.DataFrame:
    """Return one line per row: what it is of, how it was made and what came of it.

    Texts stand on one line each, as a table shows them (see `one_line`).
    """
    lines = [{**_shown(row.info), "atoms": len(row)} for row in rows]
    return pd.DataFrame(lines).reindex(columns=COLUMNS)


def _shown(info: Mapping[str, Any]) -> dict[str, Any]:
    return {k: one_line(value) if isinstance(value, str) else value for k, value in info.items()}


def failures(rows: Iterable[Atoms]) -> pd.DataFrame:
    """Return the rows without a label, with the cause."""
    lines = table(rows)
    return lines[lines["status"] == "failed"].drop(columns=["status", "iterations"])


def summary(rows: Iterable[Atoms]) -> pd.DataFrame:
    """Return how many rows there are, by data set and protocol.

    Core seconds are those spent on all cells, failed ones included.
    """
    lines = table(rows)
    groups = lines.groupby(["dataset", "protocol"], dropna=False)
    return groups.agg(
        cells=("key", "size"),
        environments=("atoms", "sum"),
        failed=("status", lambda status: int((status == "failed").sum())),
        core_seconds=("seconds", "sum"),
    ).reset_index()


def protocols(rows: Iterable[Atoms]) -> pd.DataFrame:
    """Return what each protocol is made of: labeller, code, and the files it rests on."""
    found = {}
    for row in rows:
        files = [
            str(value)[:12] + "..." if key.endswith("sha256") else str(value)
            for key, value in row.info.items()
            if key == "setup" or key.endswith("sha256")
        ]
        found[row.info["protocol"]] = {
            **{key: row.info.get(key, "unknown") for key in ("protocol", "labeller", "code")},
            "files, SHA-256": " ".join(files),
        }
    columns = ["protocol", "labeller", "code", "files, SHA-256"]
    return pd.DataFrame(list(found.values()), columns=columns)


def coverage(cells: Iterable[Atoms], protocol: str, ledger: Ledger) -> pd.DataFrame:
    """Return how many of the cells are labelled, failed and missing, by data set."""
    lines = []
    for cell in cells:
        row = ledger.find(label_key(cell, protocol))
        status = "missing" if row is None else row.info["status"]
        lines.append({"dataset": cell.info.get("dataset"), "status": status})
    table = pd.DataFrame(lines, columns=["dataset", "status"])
    counts = pd.crosstab(table["dataset"], table["status"])
    return counts.reindex(columns=["converged", "failed", "missing"], fill_value=0).reset_index()


def missing(cells: Sequence[Atoms], protocol: str, ledger: Ledger) -> list[Atoms]:
    """Return the cells that have neither a label nor a failure under a protocol."""
    return [cell for cell in cells if ledger.find(label_key(cell, protocol)) is None]
