"""Pages of data sets: their sizes and labels, their diversity, and the ablation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from diverse.labels.facts import LabelFacts
from diverse.report.pages.html import STYLE, escaped, matrix

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


def summarise(labels: Mapping[str, Sequence[LabelFacts]]) -> pd.DataFrame:
    """Return one row per data set: its size, the ranges of its labels, and what they cost.

    Energies are free energies in eV/atom, forces in eV/Å, ``d_min`` (the shortest interatomic
    distance of all) in Å, ``seconds`` of one core.
    """
    rows = []
    for name, members in labels.items():
        energies = [label.energy for label in members]
        forces = np.concatenate([label.forces for label in members])
        rows.append(
            {
                "dataset": name,
                "cells": len(members),
                "environments": len(forces),
                "d_min": min(label.info["d_min"] for label in members),
                "energy_low": min(energies),
                "energy_high": max(energies),
                "force_rms": float(np.sqrt((forces**2).mean())),
                "seconds": sum(label.info["seconds"] for label in members),
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
    parts, table = [STYLE], escaped(table)
    for environments, block in table.groupby("environments", sort=False):
        single, pairs = block[block["other"] == ""], block[block["other"] != ""]
        size = f"{single['n'].iloc[0]} environments of each"
        titles = {
            "all": ("all sampled environments",) * 2,
            "equal": (f"{size} set", f"{size} column"),
        }
        of_one, of_two = titles[str(environments)]
        parts.append(f"<h3>Diversity of each set, {of_one}</h3>")
        parts.append(matrix(single.assign(row=_labels(single)), "row", "dataset"))
        parts.append(f"<h3>Coverage, {of_two}</h3>")
        for label, part in pairs.groupby(_labels(pairs), sort=False):
            covering = "covered by " + part["other"]
            parts.append(f"<p>{label}</p>{matrix(part.assign(by=covering), 'dataset', 'by')}")
    return "\n".join(parts)


def ablation_page(summary: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """Return the ablation as a page: notes, mean [95 % interval] of each set, then of each pair."""
    summary = escaped(summary)
    single, pairs = summary[summary["other"] == ""], summary[summary["other"] != ""]
    n, seeds = summary["n"].iloc[0], summary["seeds"].max()
    parts = [STYLE, *(f"<p>{escape(note)}</p>" for note in notes)]
    parts += [f"<h3>Each set, {n} environments, {seeds} seeds</h3>"]
    parts.append(matrix(single.assign(row=_labels(single)), "row", "dataset"))
    parts.append("<h3>Coverage of each other</h3>")
    for label, part in pairs.groupby(_labels(pairs), sort=False):
        covering = "covered by " + part["other"]
        parts.append(f"<p>{label}</p>{matrix(part.assign(by=covering), 'dataset', 'by')}")
    return "\n".join(parts)


def _labels(block: pd.DataFrame) -> pd.Series:
    """Return the name of the measure in each row, with its settings and unit."""
    unit = block["unit"].replace({"1": ""}).map(lambda unit: unit and f", {unit}")
    return block["measure"].replace(MEASURES) + " (" + block["setting"] + unit + ")"
