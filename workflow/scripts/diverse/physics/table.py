"""One table of all potentials: each value beside the one it is compared with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from diverse.physics.references import KINDS

NOT_MEASURED = "not measured: `snakemake physics` does it"
ORIGIN = ["potential", "train", "model", "digest"]
ORDER = ["property", "unit", *ORIGIN, "value", "reason", "atoms", "source"]


def collect_properties(
    measured: pd.DataFrame,
    potentials: Mapping[str, Mapping[str, str]],
    labeller: str,
    references: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the properties of all potentials, the labeller and the literature.

    Parameters
    ----------
    measured : DataFrame
        Rows of `diverse.physics.properties.measure_properties` with ``potential`` (its name),
        ``train`` and ``model`` (empty unless it was trained here) and ``digest``.
    potentials : mapping
        Of each potential of the study, by its name in the order of columns, ``train``, ``model``
        and ``digest``. Rows of others are left out.
    labeller : str
        Name of the potential that is the study's labeller; empty if it is none of them.
    references : DataFrame or None
        Of `diverse.physics.references.read_references`.

    Returns
    -------
    DataFrame
        Columns of `measured` with ``source`` (of the literature), ``same_potential`` (whether the
        digest is the study's), ``reference`` (the value it is compared with: the labeller's, else
        of DFT-PBE, else of experiments), ``against`` (whose that is) and ``difference``.
    """
    units = measured.drop_duplicates("property").set_index("property")["unit"]
    parts = [
        _rows_of(name, origin, measured[measured["potential"] == name], units)
        for name, origin in potentials.items()
    ]
    if references is not None:
        known = references[references["property"].isin(units.index)]
        known = known.assign(unit=known["property"].map(units), train="", model="", reason="")
        parts.append(known.assign(digest="", atoms=0))
    table = pd.concat(parts, ignore_index=True)[ORDER]
    own = {name: origin["digest"] for name, origin in potentials.items()}
    table["same_potential"] = table["digest"] == table["potential"].map(own).fillna("")
    return _with_differences(table, labeller, list(units.index))


def _rows_of(
    name: str, origin: Mapping[str, str], rows: pd.DataFrame, units: pd.Series
) -> pd.DataFrame:
    """Return the rows of a potential, or one for each property that says that it has none."""
    if rows.empty:
        rows = units.reset_index().assign(value=np.nan, reason=NOT_MEASURED, atoms=0)
        rows = rows.assign(potential=name, **origin)
    return rows.fillna({"train": "", "model": "", "reason": ""}).assign(source="")


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
