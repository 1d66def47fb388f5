"""Page of the reference models: their errors, what they are, and the cells they did not answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from diverse.report.numbers import digits
from diverse.report.pages.effects import METRICS, ratio_texts
from diverse.report.pages.html import STYLE, escaped

CAUSES = 5  # of each model that are shown
ASK = "./envs/run --with universal snakemake --cores all references"


def references_page(
    table: pd.DataFrame, answers: Mapping[str, pd.DataFrame], trained_on: Mapping[str, str]
) -> str:
    """Return the page.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.errors.references.measure_references`, with ``microseconds`` an atom and step.
    answers : mapping of str to DataFrame
        Answers of every model that was asked.
    trained_on : mapping of str to str
        What every reference model of the study was trained on, as the study file says.
    """
    shown = escaped(table)
    parts = [STYLE]
    for (quantity, metric, unit), block in shown.groupby(
        ["quantity", "metric", "unit"], sort=False
    ):
        parts.append(f"<h3>{METRICS[metric]} of {quantity} ({unit})</h3>")
        parts.append(_errors(block).to_html(index=False, escape=False, border=0))
    parts.append("<h3>The reference models</h3>")
    models = escaped(_models(table, answers, trained_on))
    parts.append(models.to_html(index=False, escape=False, border=0))
    causes = escaped(_causes(answers))
    if len(causes):
        parts.append("<h3>Cells without an answer</h3>")
        parts.append(causes.to_html(index=False, escape=False, border=0))
    return "\n".join(parts)


def _errors(block: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each model and ground: the error, and its ratio to every training set's."""
    shown = block[["model", "test"]].rename(columns={"test": "on"})
    shown["error"] = [digits(value) if np.isfinite(value) else "" for value in block["error"]]
    for name in [name for name in block if name.startswith("over_") and f"{name}_low" in block]:
        ends = {f"{name}_low": "ci_low", f"{name}_high": "ci_high"}
        texts = pd.Series(ratio_texts(block.rename(columns=ends), name), block.index)
        shown[f"over {name.removeprefix('over_')}"] = texts.where(block[name].notna(), "")
    return shown.assign(cells=block["n_cells"], failures=block["failures"])


def _models(
    table: pd.DataFrame, answers: Mapping[str, pd.DataFrame], trained_on: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row for each reference model of the study, asked or not."""
    rows = []
    for name, data in trained_on.items():
        own = table[(table["model"] == name) & (table["quantity"] == "energy")]
        constants, costs = (own[name].dropna().unique() for name in ("constant", "microseconds"))
        sources = [
            "released: made elsewhere, not by this run" if source == "released" else source
            for source in own["source"].unique()
        ]
        rows.append(
            {
                "model": name,
                "trained on": data or "not told",
                "answers": sources[0] if sources else f"none; {ASK} makes them",
                "made by": answers[name]["code"].iloc[0] if name in answers else "",
                "constant (eV/atom)": ", ".join(f"{value:.4f}" for value in constants),
                "dynamics (µs an atom and step)": ", ".join(f"{value:,.1f}" for value in costs),
            }
        )
    return pd.DataFrame(rows)


def _causes(answers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the most frequent causes, with the number of cells of all data sets, by model."""
    rows = []
    for name, table in answers.items():
        counts = table["cause"][table["energy_error"].isna()].value_counts()
        rows += [
            {"model": name, "cells": count, "cause": cause}
            for cause, count in counts.head(CAUSES).items()
        ]
    return pd.DataFrame(rows, columns=["model", "cells", "cause"])
