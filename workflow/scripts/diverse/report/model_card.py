"""Model cards: what a potential rests on, how far off it is, where it holds, how to run it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from jinja2 import Environment, StrictUndefined

from diverse.errors.scores import data_hash
from diverse.labels.target import free_energy
from diverse.report.numbers import interval

PROVENANCE = (
    *("code", "code_sha256", "imports_sha256", "packages", "files_sha256"),
    *("setup", "setup_sha256", "potential_sha256"),
)


@dataclass(frozen=True)
class TrainingSet:
    """Sizes and ranges that the labelled cells of a training set span.

    Attributes
    ----------
    cells, environments : int
    data_hash : str
        Hash of the label keys, in order.
    protocols : dict of str to str
        Labeller and provenance of each label protocol, as its labels carry them.
    volume : tuple of float, Å^3
        Smallest and largest volume per atom.
    energy : tuple of float, eV/atom
        Smallest and largest free energy per atom.
    force : tuple of float, eV/Å
        Smallest and largest length of a force vector.
    d_min : float, Å
        Shortest interatomic distance.
    """

    cells: int
    environments: int
    data_hash: str
    protocols: dict[str, str]
    volume: tuple[float, float]
    energy: tuple[float, float]
    force: tuple[float, float]
    d_min: float

    @classmethod
    def of(cls, cells: Iterable[Atoms]) -> TrainingSet:
        """Survey labelled cells, one by one; the structures are not kept.

        Raises
        ------
        ValueError
            If there are no cells.
        """
        keys, rows, protocols = [], [], {}
        for cell in cells:
            n, force = len(cell), np.linalg.norm(cell.get_forces(), axis=1)
            energy = free_energy(cell)
            volume, d_min = cell.get_volume(), cell.info["d_min"]
            keys.append(cell.info["key"])
            rows.append([n, volume / n, energy / n, force.min(), force.max(), d_min])
            protocols[cell.info["protocol"]] = _provenance(cell.info)
        if not rows:
            raise ValueError("there are no labelled training cells: see tables/failures.csv")
        low, high = np.min(rows, axis=0), np.max(rows, axis=0)
        return cls(
            cells=len(rows),
            environments=int(np.sum(rows, axis=0)[0]),
            data_hash=data_hash(keys),
            protocols=protocols,
            volume=(low[1], high[1]),
            energy=(low[2], high[2]),
            force=(low[3], high[4]),
            d_min=low[5],
        )


def settings_rows(schema: Mapping[str, Any], kind: str, block: Mapping[str, Any]) -> list[Any]:
    """Return name, value and meaning of the settings in a block of the study.

    Parameters
    ----------
    schema : mapping
        ``study.schema.yaml``: it says what every key means, and in which unit.
    kind : str
        Definition in the schema that describes the block, for example ``gpaw`` or ``network``.
    block : mapping
        Settings that are null, and those that only choose the definition, are left out.
    """
    definitions = schema["$defs"]
    rows = []
    for name, entry in definitions[kind]["properties"].items():
        value = block.get(name)
        if not entry or value is None:
            continue
        shared = definitions[entry["$ref"].split("/")[-1]] if "$ref" in entry else {}
        meaning = {**shared, **entry}.get("description", "").strip()
        text = value if isinstance(value, str) else json.dumps(value)
        rows.append({"name": name, "value": f"`{text}`", "meaning": meaning})
    return rows


def error_rows(scores: pd.DataFrame, seed: str, families: Mapping[str, str]) -> list[Any]:
    """Return the root-mean-square errors of one seed on each test set, with their intervals.

    Parameters
    ----------
    scores : DataFrame
        Rows of ``scores.csv`` of one model on one training set.
    seed : str
    families : mapping
        Family of each test set.
    """
    chosen = scores[(scores["group"] == "all") & (scores["metric"] == "rmse")]
    chosen = chosen[chosen["seed"].astype(str) == seed]
    rows: dict[str, dict[str, Any]] = {}
    for entry in chosen.to_dict("records"):
        test = entry["test"]
        row = {"name": test, "family": families[test], "cells": entry["n_cells"]}
        row["aligned"] = entry["energy_aligned"]
        rows.setdefault(test, row)[entry["quantity"]] = interval(
            entry["value"], entry["ci_low"], entry["ci_high"], 4
        )
    return list(rows.values())


def render_card(template: str | Path, **facts: Any) -> str:
    """Fill in the template of a card; a fact that it needs and does not get is an error."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(Path(template).read_text()).render(facts)


def _provenance(info: Mapping[str, Any]) -> str:
    known = [f"{name} {info[name]}" for name in PROVENANCE if name in info]
    return ", ".join([f"labeller {info['labeller']}", *known])
