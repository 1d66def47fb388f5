"""Rates of molecular dynamics by form of model, as the benchmark has measured them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FORM = ["family", "type", "twojmax"]


def read_speeds(path: str | Path) -> pd.DataFrame:
    """Return the table that ``tests/benchmarks/md.py`` wrote; no rows without a path."""
    return pd.read_csv(path) if path else pd.DataFrame(columns=[*FORM, "lammps_rate"])


def speed_of(speeds: pd.DataFrame, model: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the rates with models of a form; None where they were not measured.

    Parameters
    ----------
    speeds : DataFrame
        Of `read_speeds`; ``lammps_rate`` and ``ase_rate`` are atoms times steps a second.
    model : mapping
        Entry of the study, whose ``family``, ``type`` and ``twojmax`` are its form.
    """
    form = {name: model[name] for name in FORM if name in model}
    rows = speeds.to_dict("records")
    return next((dict(row) for row in rows if form == {name: row[name] for name in form}), None)


def costs_of(speeds: pd.DataFrame, models: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return microseconds an atom and step in LAMMPS of each model; NaN where not measured."""
    found = {name: speed_of(speeds, model) for name, model in models.items()}
    return {name: 1e6 / row["lammps_rate"] if row else np.nan for name, row in found.items()}
