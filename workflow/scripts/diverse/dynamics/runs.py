"""Rows of runs as the table that a study keeps of one potential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from diverse.models.export import digest


def runs_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    train: str,
    model: str,
    folder: Path,
) -> pd.DataFrame:
    """Return rows as a table that says of which potential they are.

    Parameters
    ----------
    rows : sequence of mapping
    columns : sequence of str
        Keys of the rows that are kept, in their order.
    train, model : str
        Training set and model of the potential.
    folder : Path
        Folder of the exported potential.

    Returns
    -------
    DataFrame
        ``train``, ``model``, ``potential`` (the digest of its files), and `columns`.
    """
    table = pd.DataFrame(rows, columns=list(columns))
    names = {"train": train, "model": model, "potential": digest(folder)}
    for place, (name, value) in enumerate(names.items()):
        table.insert(place, name, value)
    return table
