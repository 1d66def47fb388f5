"""Summary of the data sets, and tables as HTML pages for the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

STYLE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {font: 14px sans-serif; margin: 1.5em}
table {border-collapse: collapse; margin-bottom: 2em}
th, td {padding: .35em .8em; border-bottom: 1px solid #ddd; text-align: right}
th {background: #f4f4f4}
small {color: #666}
</style>"""


def transferability_page(table: pd.DataFrame) -> str:
    """Return the transferability table as a page: one block per quantity and metric."""
    tests = [c for c in table.columns[5:] if not c.endswith(("_low", "_high"))]
    parts = [STYLE]
    for (quantity, metric, unit), block in table.groupby(["quantity", "metric", "unit"], sort=True):
        shown = block[["train", "model"]].rename(columns={"train": "trained on"})
        for test in tests:
            shown[f"on {test}"] = [
                _interval(*row)
                for row in block[[test, f"{test}_low", f"{test}_high"]].itertuples(index=False)
            ]
        parts.append(f"<h3>{metric.upper()} of {quantity} ({unit})</h3>")
        parts.append(shown.to_html(index=False, escape=False, border=0))
    return "\n".join(parts)


def summarise(cells: dict[str, list[Atoms]]) -> pd.DataFrame:
    """Return one row per data set: its size, the ranges of its labels, and what they cost.

    Energies are free energies in eV/atom, forces in eV/Å, ``d_min`` (the shortest interatomic
    distance of all) in Å, ``seconds`` of one core.
    """
    rows = []
    for name, members in cells.items():
        energies = [c.get_potential_energy(force_consistent=True) / len(c) for c in members]
        forces = np.concatenate([c.get_forces() for c in members])
        rows.append(
            {
                "dataset": name,
                "cells": len(members),
                "environments": len(forces),
                "d_min": min(c.info["d_min"] for c in members),
                "energy_low": min(energies),
                "energy_high": max(energies),
                "force_rms": float(np.sqrt((forces**2).mean())),
                "seconds": sum(c.info["seconds"] for c in members),
            }
        )
    return pd.DataFrame(rows)


def datasets_page(summary: pd.DataFrame) -> str:
    """Return the summary of the data sets as a page."""
    names = {
        "d_min": "shortest distance (Å)",
        "energy_low": "lowest energy (eV/atom)",
        "energy_high": "highest energy (eV/atom)",
        "force_rms": "force rms (eV/Å)",
        "seconds": "labelling (core s)",
    }
    shown = summary.rename(columns=names).set_index("dataset").T
    return STYLE + shown.to_html(border=0, float_format="{:.4g}".format)


def read_diversity(path: str | Path) -> pd.DataFrame:
    """Read a table of diversity back; measures of one set have an empty ``other``."""
    return pd.read_csv(path).fillna({"other": ""})


def diversity_page(table: pd.DataFrame) -> str:
    """Return the table of diversity as a page: measures of each set, then of each pair."""
    parts = [STYLE]
    for environments, block in table.groupby("environments", sort=False):
        size = block.loc[block["other"] == "", "n"].iloc[0]
        where = {"all": "all sampled environments", "equal": f"{size} environments of each set"}
        for single, kind in ((True, "Diversity of each set"), (False, "Coverage")):
            part = block[(block["other"] == "") == single]
            parts.append(f"<h3>{kind}, {where[str(environments)]}</h3>")
            parts += [_pivot(part, "measure", "dataset")] if single else _coverage_tables(part)
    return "\n".join(parts)


def _coverage_tables(pairs: pd.DataFrame) -> list[str]:
    """Return one table per measure of a pair: rows the covered set, columns the covering one."""
    tables = []
    for (measure, setting, _), block in pairs.groupby(["measure", "setting", "unit"], sort=False):
        tables += [f"<p>{measure} ({setting})</p>", _pivot(block, "dataset", "other")]
    return tables


def _pivot(block: pd.DataFrame, row: str, column: str) -> str:
    """Return values and, where there are draws, their standard deviations as a table."""
    shown: dict[str, dict[str, str]] = {}
    for entry in block.to_dict("records"):
        label = f"{entry['measure']} ({entry['setting']}; {entry['unit']})"
        spread = "" if np.isnan(entry["spread"]) else f" <small>± {entry['spread']:.2g}</small>"
        heading = entry[column] if column == "dataset" else f"by {entry[column]}"
        shown.setdefault(heading, {})[label if row == "measure" else entry[row]] = (
            f"{entry['value']:.3g}{spread}"
        )
    return str(pd.DataFrame(shown).to_html(border=0, escape=False, na_rep=""))


def _interval(value: float, low: float, high: float) -> str:
    return f"<b>{value:.3g}</b> <small>[{low:.3g}, {high:.3g}]</small>"
