"""Tables that sort where they are read: the page carries DataTables, as itables bundles it."""

from __future__ import annotations

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
VALUES = ("effect", "ratio", "value", "slope")  # columns that an interval ci_low to ci_high is of
TITLES = {
    "theta": "log effect",
    "sigma_set": "SD, training sets",
    "sigma_test": "SD, test cells",
    "ci_groups_low": "were groups drawn, too, from",
    "ci_groups_high": "to",
    "p_holm": "p (Holm)",
    "n_cells": "cells",
    "dropped": "left out",
    "d_min": "shortest distance (Å)",
    "energy_low": "lowest energy (eV/atom)",
    "energy_high": "highest energy (eV/atom)",
    "force_rms": "force rms (eV/Å)",
    "core_hours": "core hours",
    "seconds": "labelling (core s)",
    "deviation": "deviation at 1 fs (meV/atom)",
    "departure": "departure (fs)",
    "drift": "drift (meV/atom/ps)",
    "largest": "largest step (fs)",
    "microseconds": "dynamics (µs an atom and step)",
    "reached": "first end (part of the ramp)",
    "warned": "failures warned of",
    "novelty_0": "novelty at the start",
    "lead": "warned before (fs)",
    "alarmed": "false alarms",
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

    Columns ``x_low`` and ``x_high`` are shown in brackets behind column ``x``; those called
    ``ci_low`` and ``ci_high``, or ``low`` and ``high``, behind the first column of `VALUES` that
    the table has.

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
    shown = {name: _ends(table, name) for name in table}
    inside = {end for ends in shown.values() for end in ends}
    for name, ends in shown.items():
        column, title = table[name], TITLES.get(name, name.replace("_", " "))
        if name in inside:
            continue
        if ends:
            yield title, list(map(interval_cell, column, *(table[end] for end in ends)))
        elif name == "p" or name.startswith("p_"):
            yield title, [number_cell(p, _probability(p)) for p in column]
        elif column.dtype.kind in "iuf":
            yield title, [number_cell(value, digits(value)) for value in column]
        else:
            yield title, [f"<td>{_text(value)}</td>" for value in column]


def _ends(table: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Return the two columns that hold the ends of a column's interval, if there are any."""
    stems = [f"{name}_"]
    if name == next((value for value in VALUES if value in table), None):
        stems += ["ci_", ""]
    pairs = ((f"{stem}low", f"{stem}high") for stem in stems)
    return next((pair for pair in pairs if set(pair) <= set(table)), ())


def _probability(p: float) -> str:
    return f"&lt; {SMALLEST_P}" if p < SMALLEST_P else digits(p)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else escape(str(value))
