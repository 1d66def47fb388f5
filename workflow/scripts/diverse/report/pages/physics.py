"""Physical properties of potentials as a page: a row a property, a column a potential."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from diverse.physics.findings import physics_findings
from diverse.report.numbers import digits
from diverse.report.pages.html import STYLE

WORST = 0.5  # difference over the reference, from which on the colour is full
WORST_LENGTH = 0.03  # the same of lengths
ZERO = 1e-6  # of the unit: what is smaller than that is rounding
SMALLEST = 0.05  # of the unit: a reference that is smaller counts as this large
COMMAND = "<code>./envs/run snakemake --cores all physics</code>"
TEXTS = ("unit", "train", "model", "digest", "reason", "source", "against")
EMPTY = dict.fromkeys(("kind", "colour", "curve", "potential", "text", "difference", "atoms"), "")
INTERSTITIAL = "interstitial "
Curves = Mapping[str, Mapping[str, Any]]


def physics_page(template: str, table: pd.DataFrame, behind: Mapping[str, Any]) -> str:
    """Return the properties of all potentials as a page of its own; see `physics_section`."""
    section = physics_section(template, table, behind)
    return f"{STYLE}\n<title>Physical properties of potentials</title>\n{section}"


def physics_section(template: str, table: pd.DataFrame, behind: Mapping[str, Any]) -> str:
    """Return the properties as a part of a page, with what each value is and its curve in it.

    Parameters
    ----------
    template : str
        Jinja template ``workflow/report/physics.html``.
    table : DataFrame
        Of `diverse.physics.table.collect_properties`, with ``origin``: this study or released.
    behind : mapping
        ``curves`` of `diverse.physics.properties.measure_properties`, by the name of the potential,
        and ``definitions`` of `diverse.physics.properties.definitions`.
    """
    table = table.fillna(dict.fromkeys(TEXTS, ""))
    reasons, curves = _texts(table["reason"]), behind["curves"]
    names = list(dict.fromkeys(table["potential"]))
    page = Environment(undefined=StrictUndefined, autoescape=True).from_string(template)
    return page.render(
        origin=Markup(_origin(table)),
        findings=physics_findings(table),
        heads=[_head(table[table["potential"] == name].iloc[0]) for name in names],
        rows=_rows(table, names, reasons, curves),
        reasons=reasons,
        sources=_texts(table["source"]),
        curves=curves,
        definitions=behind["definitions"],
        reference=next((name for name in table["against"] if name in curves), ""),
    )


def known_physics(table: Path, behind: Path, template: Path) -> str:
    """Return the known properties of a study's potentials as a part of its first page.

    Parameters
    ----------
    table, behind : Path
        ``tables/physics.csv`` and ``tables/physics.json`` of the study.
    template : Path
        ``workflow/report/physics.html``.
    """
    lines = json.loads(behind.read_text())
    values = pd.read_csv(table, dtype={"digest": str})
    return physics_section(template.read_text(), values, lines)


def _origin(table: pd.DataFrame) -> str:
    """Return as HTML whose values these are, and of which potentials."""
    if not (table["origin"] == "released").any():
        return "These values were measured with this study's potentials."
    other = table[~table["same_potential"].astype(bool) & (table["digest"] != "")]
    names = other.drop_duplicates("potential")[["potential", "digest"]]
    if names.empty:
        return "These values are released ones, of these very potentials."
    listed = ", ".join(f"{escape(name)} (released {escape(d)})" for name, d in names.to_numpy())
    return (
        "These values are released ones; this study's potentials have other bytes for "
        f"{listed}: {COMMAND} measures yours."
    )


def _rows(
    table: pd.DataFrame, names: list[str], reasons: list[str], curves: Curves
) -> list[dict[str, Any]]:
    """Return what the template shows of each property: name, unit and a cell a potential."""
    behind = {name: _rows_with_curves(curves.get(name, {})) for name in names}
    entries = {(row["property"], row["potential"]): row for row in table.to_dict("records")}
    rows = [
        {
            "name": name,
            "unit": unit,
            "cells": [_cell(entries.get((name, p)), reasons, behind[p]) for p in names],
        }
        for name, unit in dict(zip(table["property"], table["unit"], strict=True)).items()
    ]
    orders = [_interstitial_order(table[table["potential"] == name]) for name in names]
    if any(orders):
        last = max(n for n, row in enumerate(rows) if row["name"].startswith(INTERSTITIAL))
        cells = [{**EMPTY, "kind": "order" if order else "none", "text": order} for order in orders]
        rows.insert(last + 1, {"name": "interstitials by energy", "unit": "", "cells": cells})
    return rows


def _texts(column: pd.Series) -> list[str]:
    """Return the different texts of a column, in their order."""
    return list(dict.fromkeys(column[column != ""]))


def _rows_with_curves(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of the curve behind each row that has one."""
    return {row: name for name, curve in entry.items() for row in curve["rows"]}


def _head(row: Mapping[str, Any]) -> Markup:
    """Return the title of a potential's column: what it was trained on, and its model."""
    names = [row["train"], row["model"]] if row["train"] else [row["potential"]]
    if not row["same_potential"] and row["digest"]:
        names.append("other bytes")
    return Markup("<br>").join(escape(name) for name in names)


def _interstitial_order(rows: pd.DataFrame) -> str:
    """Return the self-interstitials of one potential from the lowest energy to the highest."""
    names = rows["property"]
    found = rows[names.str.startswith(INTERSTITIAL) & rows["value"].notna()]
    kinds = found.sort_values("value")["property"].str.removeprefix(INTERSTITIAL)
    return " < ".join(kind[:3] for kind in kinds) if len(kinds) > 1 else ""


def _cell(
    row: Mapping[str, Any] | None, reasons: list[str], curves: Mapping[str, str]
) -> dict[str, str]:
    """Return a value with its difference, or the number of the reason why there is none."""
    if row is None:
        return {**EMPTY, "kind": "none"}
    if pd.isna(row["value"]):
        return {**EMPTY, "kind": "none", "text": f"– [{reasons.index(row['reason']) + 1}]"}
    shown = {
        **EMPTY,
        "text": digits(row["value"], 4) if abs(row["value"]) > ZERO else "0",
        "potential": row["potential"] if row["atoms"] else "",  # the literature tells no more
        "curve": curves.get(row["property"], ""),
        "atoms": f"{row['atoms']:.0f}",
    }
    if pd.isna(row["reference"]) or row["potential"] == row["against"]:
        return shown
    part = abs(row["difference"]) / max(abs(row["reference"]), SMALLEST)
    worst = WORST_LENGTH if row["unit"] == "Å" else WORST
    sign = "+" if row["difference"] >= 0 else "−"
    return {
        **shown,
        "colour": f"rgba(213, 94, 0, {0.7 * min(part / worst, 1):.2f})",
        "difference": sign + digits(abs(row["difference"]), 2),
    }
