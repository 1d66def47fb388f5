"""Rates of molecular dynamics by form of model, as the benchmark has measured them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.answers import options_text

FORM = ["family", "type", "twojmax"]
RATES = ["options", "rate"]


def read_speeds(path: str | Path) -> pd.DataFrame:
    """Return the table that ``tests/benchmarks/md.py`` wrote; no rows without a path."""
    columns = [*FORM, "n_parameters", "lammps_rate"]
    return pd.read_csv(path) if path else pd.DataFrame(columns=columns)


def speed_of(
    speeds: pd.DataFrame, model: Mapping[str, Any], n_parameters: int
) -> dict[str, Any] | None:
    """Return the rates with models of a form; None where they were not measured.

    Parameters
    ----------
    speeds : DataFrame
        Of `read_speeds`; ``lammps_rate`` and ``ase_rate`` are atoms times steps a second.
    model : mapping
        Entry of the study, whose ``family``, ``type`` and ``twojmax`` are its form.
    n_parameters : int
        Of the model: two of POD, or of networks of given widths, differ in nothing else.
    """
    form = {name: model[name] for name in FORM if name in model} | {"n_parameters": n_parameters}
    rows = speeds.to_dict("records")
    return next((dict(row) for row in rows if form == {name: row[name] for name in form}), None)


def costs_of(
    speeds: pd.DataFrame,
    models: Mapping[str, Mapping[str, Any]],
    parameters: Mapping[str, int],
) -> dict[str, float]:
    """Return microseconds an atom and step of each model; NaN where not measured.

    In LAMMPS, or by ASE for forms that the LAMMPS of the environment does not run.
    """
    found = {name: speed_of(speeds, models[name], number) for name, number in parameters.items()}
    return {name: 1e6 / _rate(row) if row else np.nan for name, row in found.items()}


def _rate(row: Mapping[str, Any]) -> float:
    rate = row["lammps_rate"]
    return float(rate if np.isfinite(rate) else row["ase_rate"])


def reference_costs(
    path: str | Path | None, options: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """Return microseconds an atom and step of each reference model; NaN where not measured.

    Parameters
    ----------
    path : path or None
        Table that ``tests/benchmarks/md_references.py`` wrote, with columns ``options`` and
        ``rate``, atoms times steps a second.
    options : mapping
        Options of every reference model; the rate was measured with these very options.
    """
    table = pd.read_csv(path) if path else pd.DataFrame(columns=RATES)
    rates = dict(zip(table["options"], table["rate"], strict=True))
    return {name: 1e6 / rates.get(options_text(block), np.nan) for name, block in options.items()}
