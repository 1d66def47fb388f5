"""One table of all potentials: each value beside the one it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from diverse.physics.references import KINDS

ORDER = ["property", "unit", "potential", "train", "model", "value", "reason", "source"]


def collect_properties(
    tables: Mapping[str, pd.DataFrame],
    potentials: Mapping[str, Mapping[str, Any]],
    labeller: str,
    references: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the properties of all potentials, the labeller and the literature.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Of `diverse.physics.properties.measure_properties`, by the name of the potential.
    potentials : mapping
        Of `diverse.study.potentials.measured_potentials`.
    labeller : str
        Name of the potential that is the study's labeller; empty if it is none of them.
    references : DataFrame or None
        Of `diverse.physics.references.read_references`.

    Returns
    -------
    DataFrame
        Columns ``property``, ``unit``, ``potential``, ``train`` and ``model`` (empty unless it was
        trained here), ``value``, ``reason``, ``source`` (of the literature), ``reference`` (the
        value it is compared with: the labeller's, else of DFT-PBE, else of experiments),
        ``against`` (whose that is) and ``difference``.
    """
    parts = []
    for name, table in tables.items():
        origin = {key: potentials[name].get(key, "") for key in ("train", "model")}
        parts.append(table.assign(potential=name, source="", **origin))
    units = pd.concat(parts).drop_duplicates("property").set_index("property")["unit"]
    if references is not None:
        known = references[references["property"].isin(units.index)]
        known = known.assign(unit=known["property"].map(units), train="", model="", reason="")
        parts.append(known)
    table = pd.concat(parts, ignore_index=True)[ORDER]
    table["reason"] = table["reason"].fillna("")
    return _with_differences(table, labeller, list(units.index))


def _with_differences(table: pd.DataFrame, labeller: str, order: list[str]) -> pd.DataFrame:
    """Return the table with the reference of each property, rows in the order of properties."""
    chosen: dict[str, tuple[float, str]] = {}
    for name in reversed([labeller, *KINDS]):
        rows = table[(table["potential"] == name) & table["value"].notna()]
        chosen |= {p: (v, name) for p, v in zip(rows["property"], rows["value"], strict=True)}
    nothing = (np.nan, "")
    table["reference"] = [chosen.get(name, nothing)[0] for name in table["property"]]
    table["against"] = [chosen.get(name, nothing)[1] for name in table["property"]]
    table["difference"] = table["value"] - table["reference"]
    return table.sort_values("property", key=lambda names: names.map(order.index), kind="stable")
