"""Parts that all pages share: their style, and tables of values with intervals."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd

from diverse.report.numbers import digits

STYLE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {font: 14px sans-serif; margin: 1.5em}
table {border-collapse: collapse; margin-bottom: 2em}
th, td {padding: .35em .8em; border-bottom: 1px solid #ddd; text-align: right}
th {background: #f4f4f4}
small {color: #666}
</style>"""


def escaped(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts, in cells and column names, are escaped for HTML.

    Pages that write markup of their own do so in an escaped table: names of groups come from users.
    """

    def text(value: Any) -> Any:
        return escape(value) if isinstance(value, str) else value

    cells = {
        name: column.map(text) if column.dtype.kind not in "biuf" else column
        for name, column in table.items()
    }
    return pd.DataFrame(cells, index=table.index).rename(columns=text)


def matrix(block: pd.DataFrame, rows: str, columns: str) -> str:
    """Return values as a table, with their standard deviation or interval where there is one."""
    shown: dict[str, dict[str, str]] = {}
    for entry in block.to_dict("records"):
        shown.setdefault(entry[columns], {})[entry[rows]] = _uncertain(entry)
    return str(pd.DataFrame(shown).to_html(border=0, escape=False, na_rep=""))


def _uncertain(entry: dict[str, float]) -> str:
    value = entry["value"]
    if np.isfinite(entry.get("ci_low", np.nan)):
        return bold_interval(value, entry["ci_low"], entry["ci_high"])
    text, spread = digits(value), entry.get("spread", np.nan)
    return text if np.isnan(spread) else text + f" <small>± {spread:.2g}</small>"


def bold_interval(value: float, low: float, high: float) -> str:
    """Return a value and the ends of its interval as HTML."""
    return f"<b>{digits(value)}</b> <small>[{digits(low)}, {digits(high)}]</small>"
