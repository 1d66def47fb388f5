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


MEASURES = {
    "log_det": "log det of the covariance",
    "effective_rank": "effective rank",
    "distinct": "distinct environments",
    "nn_entropy": "nearest-neighbour entropy",
    "quests_entropy": "QUESTS entropy",
    "quests_diversity": "QUESTS diversity",
    "quests_overlap": "QUESTS overlap",
    "nn_distance": "distance to the nearest environment",
}


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


def search_page(table: pd.DataFrame) -> str:
    """Return the candidates of every search of loss weights as a page, one block a model."""
    parts = [STYLE]
    for model, block in table.groupby("model", sort=False):
        shown = pd.DataFrame(
            {
                "trained on": block["train"],
                "energy weight": block["energy_weight"].map("{:g}".format),
                "energy scale (eV/atom)": block["energy_scale"].map("{:g}".format),
                "RMSE of energy (meV/atom)": (1000 * block["energy_rmse"]).map("{:.1f}".format),
                "RMSE of forces (meV/Å)": (1000 * block["force_rmse"]).map("{:.0f}".format),
                "log ratio of their product": [
                    f"{ratio:.2f} <small>± {error:.2f}</small>"
                    for ratio, error in block[["log_ratio", "standard_error"]].to_numpy()
                ],
                "cells left out": block["n_cells"],
                "chosen": block["chosen"].map({True: "<b>chosen</b>", False: ""}),
            }
        ).replace({"nan": "none"})
        parts.append(f"<h3>{model}</h3>{shown.to_html(index=False, escape=False, border=0)}")
    return "\n".join(parts)


def read_diversity(path: str | Path) -> pd.DataFrame:
    """Read a table of diversity back; measures of one set have an empty ``other``."""
    return pd.read_csv(path).fillna({"other": ""})


def diversity_page(table: pd.DataFrame) -> str:
    """Return the table of diversity as a page: measures of each set, then of each pair."""
    parts = [STYLE]
    for environments, block in table.groupby("environments", sort=False):
        single, pairs = block[block["other"] == ""], block[block["other"] != ""]
        size = f"{single['n'].iloc[0]} environments of each"
        titles = {
            "all": ("all sampled environments",) * 2,
            "equal": (f"{size} set", f"{size} column"),
        }
        of_one, of_two = titles[str(environments)]
        parts.append(f"<h3>Diversity of each set, {of_one}</h3>")
        parts.append(_matrix(single.assign(row=_labels(single)), "row", "dataset"))
        parts.append(f"<h3>Coverage, {of_two}</h3>")
        for label, part in pairs.groupby(_labels(pairs), sort=False):
            covering = "covered by " + part["other"]
            parts.append(f"<p>{label}</p>{_matrix(part.assign(by=covering), 'dataset', 'by')}")
    return "\n".join(parts)


def ablation_page(summary: pd.DataFrame) -> str:
    """Return the ablation as a page: mean [95 % interval] of each set, then of each pair."""
    single, pairs = summary[summary["other"] == ""], summary[summary["other"] != ""]
    n, seeds = summary["n"].iloc[0], summary["seeds"].max()
    parts = [STYLE, f"<h3>Each set, {n} environments, {seeds} seeds</h3>"]
    parts.append(_matrix(single.assign(row=_labels(single)), "row", "dataset"))
    parts.append("<h3>Coverage of each other</h3>")
    for label, part in pairs.groupby(_labels(pairs), sort=False):
        covering = "covered by " + part["other"]
        parts.append(f"<p>{label}</p>{_matrix(part.assign(by=covering), 'dataset', 'by')}")
    return "\n".join(parts)


def _labels(block: pd.DataFrame) -> pd.Series:
    """Return what each row measures, with its settings and unit."""
    unit = block["unit"].replace({"1": ""}).map(lambda unit: unit and f", {unit}")
    return block["measure"].replace(MEASURES) + " (" + block["setting"] + unit + ")"


def _matrix(block: pd.DataFrame, rows: str, columns: str) -> str:
    """Return values as a table, with their standard deviation or interval where there is one."""
    shown: dict[str, dict[str, str]] = {}
    for entry in block.to_dict("records"):
        shown.setdefault(entry[columns], {})[entry[rows]] = _uncertain(entry)
    return str(pd.DataFrame(shown).to_html(border=0, escape=False, na_rep=""))


def _uncertain(entry: dict[str, float]) -> str:
    value = entry["value"]
    if np.isfinite(entry.get("ci_low", np.nan)):
        return _interval(value, entry["ci_low"], entry["ci_high"])
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    spread = entry.get("spread", np.nan)
    return text if np.isnan(spread) else text + f" <small>± {spread:.2g}</small>"


def _interval(value: float, low: float, high: float) -> str:
    return f"<b>{value:.3g}</b> <small>[{low:.3g}, {high:.3g}]</small>"
