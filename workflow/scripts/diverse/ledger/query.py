"""What is in ledgers: what is here, what failed and why, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
from ase import Atoms

from diverse.ledger import Ledger, label_key

COLUMNS = [
    *("dataset", "config_type", "trajectory", "atoms", "d_min", "labeller", "code", "protocol"),
    *("status", "cause", "attempts", "iterations", "seconds", "key"),
]


def table(rows: Iterable[Atoms]) -> pd.DataFrame:
    """Return one line per row: what it is of, how it was made and what came of it."""
    lines = [{**row.info, "atoms": len(row)} for row in rows]
    return pd.DataFrame(lines).reindex(columns=COLUMNS)


def failures(rows: Iterable[Atoms]) -> pd.DataFrame:
    """Return the rows without a label, with the cause."""
    lines = table(rows)
    return lines[lines["status"] == "failed"].drop(columns=["status", "iterations"])


def summary(rows: Iterable[Atoms]) -> pd.DataFrame:
    """Return how many rows there are, by data set, labeller and protocol.

    Core seconds are those spent on all cells, failed ones included.
    """
    lines = table(rows)
    groups = lines.groupby(["dataset", "labeller", "code", "protocol"], dropna=False)
    return groups.agg(
        cells=("key", "size"),
        environments=("atoms", "sum"),
        failed=("status", lambda status: int((status == "failed").sum())),
        core_seconds=("seconds", "sum"),
    ).reset_index()


def missing(cells: Sequence[Atoms], protocol: str, ledger: Ledger) -> list[Atoms]:
    """Return the cells that have neither a label nor a failure under a protocol."""
    return [cell for cell in cells if ledger.find(label_key(cell, protocol)) is None]
