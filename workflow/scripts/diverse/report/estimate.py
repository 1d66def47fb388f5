"""Estimate of a study as text: what it takes, and how long on so many nodes."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from diverse.report.numbers import digits

MARKED = re.compile(r"(?<=<!-- estimate).*?(?=<!-- end of the estimate -->)", re.DOTALL)
TITLE = " of the study {}, written by snakemake release_estimate -->"


def estimate_text(stages: pd.DataFrame, nodes: pd.DataFrame) -> str:
    """Return two tables in Markdown: stages and data sets, and hours of labelling.

    Parameters
    ----------
    stages : DataFrame
        ``estimate/stages.csv``, of `diverse.study.estimate.estimate`.
    nodes : DataFrame
        ``estimate/nodes.csv``, of `diverse.study.estimate.wall_times`.
    """
    rows = [_stage(row) for row in stages.to_dict("records")]
    hours = [
        {"nodes": int(row.nodes), "cores": f"{row.cores:,}", "hours": digits(row.hours)}
        for row in nodes.itertuples()
    ]
    first = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    second = pd.DataFrame(hours).to_markdown(index=False, disable_numparse=True)
    return f"{first}\n\n{second}"


def estimate_sentence(stages: pd.DataFrame, nodes: pd.DataFrame) -> str:
    """Return what labels take as one sentence, of the same tables as `estimate_text`."""
    labels = stages[stages["stage"] == "label"]
    ends = " to ".join(digits(labels[end].sum()) for end in ("low", "high"))
    parts = [
        f"{digits(row.hours)} hours on {row.nodes:.0f} node{'s' if row.nodes > 1 else ''}"
        for row in nodes.itertuples()
    ]
    return (
        f"{_number(labels['cells'].sum())} labels take {digits(labels['core_hours'].sum())} "
        f"core-hours ({ends}): {', '.join(parts)} of {nodes['cores'].iloc[0]:.0f} cores."
    )


def show_estimate(page: Path, study: str, text: str) -> None:
    """Write the text between the two marks for it in a page."""
    shown = f"{TITLE.format(study)}\n\n{text}\n\n"
    page.write_text(MARKED.sub(lambda _: shown, page.read_text()))


def _stage(row: dict[str, float]) -> dict[str, str]:
    return {
        "stage": str(row["stage"]),
        "of": str(row["dataset"]),
        "cells": _number(row["cells"]),
        "environments": _number(row["environments"]),
        "jobs": _number(row["jobs"]),
        "core-hours": digits(row["core_hours"]) if row["core_hours"] >= 0 else "unknown",
        "from": digits(row["low"]) if row["low"] >= 0 else "",
        "to": digits(row["high"]) if row["high"] >= 0 else "",
        "memory (MB)": _number(row["memory_mb"]),
        "disk (MB)": _number(row["disk_mb"]),
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 0 else ""
