"""Tables that sort where they are read: the page carries DataTables, as itables bundles it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

import pandas as pd

from diverse.report.numbers import digits
from diverse.report.pages.html import bold_interval

ROWS = 10  # of a table that are shown at a time
SMALLEST_P = 0.001  # smaller ones are shown as such
ENDS = re.compile(r"(.+)_(?:low|high)$")
VALUES = ("effect", "ratio", "value")  # columns that an interval ci_low to ci_high is of
TITLES = {
    "ci": "95 % interval",
    "theta": "log effect",
    "sigma_set": "SD, training sets",
    "sigma_test": "SD, test cells",
    "p_holm": "p (Holm)",
    "n_cells": "cells",
    "dropped": "left out",
    "d_min": "shortest distance (Å)",
    "energy_low": "lowest energy (eV/atom)",
    "energy_high": "highest energy (eV/atom)",
    "force_rms": "force rms (eV/Å)",
    "core_hours": "core hours",
    "seconds": "labelling (core s)",
}
SORT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const many = table.tBodies[0].rows.length > ROWS && !table.classList.contains("whole");
  new DataTable(table, {
    order: [], autoWidth: false, pageLength: ROWS, paging: many, searching: many, info: many,
  });
}
"""


def library() -> str:
    """Return style and script that make every table of class ``sortable`` of a page sort.

    DataTables is part of the text, once a page and whatever the number of tables: nothing is
    fetched. A table of class ``whole`` shows all its rows. Without scripts, tables are what they
    are, with all rows.
    """
    folder = files("itables") / "html"
    code = b64encode((folder / "dt_bundle.js").read_bytes()).decode()
    sort = SORT.replace("ROWS", str(ROWS))
    return (
        f"<style>{(folder / 'dt_bundle.css').read_text()}</style>\n<script type='module'>"
        f"import DataTable from 'data:text/javascript;base64,{code}';{sort}</script>"
    )


def sortable_table(table: pd.DataFrame, caption: str) -> str:
    """Return a table as HTML that sorts by the numbers behind its texts.

    Columns ``x_low`` and ``x_high`` become the interval of column ``x``; ``ci_low`` and ``ci_high``
    that of the first column of `VALUES` which the table has.

    Parameters
    ----------
    table : DataFrame
        One row a line; texts are escaped.
    caption : str
        HTML.
    """
    columns = dict(_columns(table))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines = zip(*columns.values(), strict=True)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in lines)
    return (
        f'<div class="wide"><table class="sortable">\n<caption><div>{caption}</div></caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def number_cell(value: float, text: str) -> str:
    """Return a cell of a table that shows a text and sorts by a number; NaN shows nothing."""
    missing = pd.isna(value)
    return f'<td data-order="{"" if missing else value}">{"" if missing else text}</td>'


def interval_cell(value: float, low: float, high: float) -> str:
    """Return a cell that shows a value with its interval, if it has one, and sorts by the value."""
    return number_cell(value, digits(value) if pd.isna(low) else bold_interval(value, low, high))


def _columns(table: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield title and cells of every column that is shown."""
    value_of_ci = next((name for name in VALUES if name in table), "")
    for name, column in table.items():
        ends = ENDS.match(name)
        stem = value_of_ci if ends and ends[1] == "ci" else ends and ends[1]
        if stem and stem in table:
            continue  # shown beside its value
        low, high = (
            ("ci_low", "ci_high") if name == value_of_ci else (f"{name}_low", f"{name}_high")
        )
        title = TITLES.get(name, name.replace("_", " "))
        if low in table and high in table:
            yield title, list(map(interval_cell, column, table[low], table[high]))
        elif name.startswith("p_") or name == "p":
            yield title, [number_cell(p, _probability(p)) for p in column]
        elif column.dtype.kind in "iuf":
            yield title, [number_cell(value, digits(value)) for value in column]
        else:
            yield title, [f"<td>{_text(value)}</td>" for value in column]


def _probability(p: float) -> str:
    return f"&lt; {SMALLEST_P}" if p < SMALLEST_P else digits(p)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else escape(str(value))
