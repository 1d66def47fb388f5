"""Summaries of an import: sizes and checks of its groups, and the causes of what was left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.datasets.literature.pressure import check_stress
from diverse.datasets.literature.work_of_forces import check_forces

SAID = 5  # causes that a summary names


def summarise_groups(cells: Sequence[Atoms]) -> pd.DataFrame:
    """Return sizes of each group, its cells with a stress, largest force (eV/Å) and d_min (Å).

    ``stress`` and ``forces`` say how those of the group were checked by its energies.
    """
    rows = [
        {
            "group": cell.info["config_type"],
            "cells": 1,
            "environments": len(cell),
            "with_stress": int(cell.info["stress_valid"]),
            "largest_force": np.nan
            if cell.calc is None
            else float(np.abs(cell.get_forces()).max()),
            "d_min": cell.info["d_min"],
        }
        for cell in cells
    ]
    how: dict[str, Any] = {"cells": "sum", "environments": "sum", "with_stress": "sum"}
    how |= {"largest_force": "max", "d_min": "min"}
    table = pd.DataFrame(rows).groupby("group").agg(how).reset_index()
    stress = {verdict.group: verdict.sentence for verdict in check_stress(cells)}
    table["stress"] = table["group"].map(stress).fillna("missing")
    labelled = [cell for cell in cells if cell.calc is not None]
    forces = {verdict.group: verdict.sentence for verdict in check_forces(labelled)}
    table["forces"] = table["group"].map(forces).fillna("missing")
    return table


def summarise_import(cells: Sequence[Atoms], problems: pd.DataFrame, dataset: str) -> str:
    """Return one line: records read, kept and left out and why, the most frequent cause first."""
    out = problems.loc[problems["action"] == "left out", "problem"]
    of_set = problems.loc[(problems["record"] == "") & (problems["group"] == ""), "problem"]
    kept = problems.loc[problems["action"] == "kept", "problem"].drop(of_set.index)
    line = (
        f"{dataset}: {len(cells) + len(out):,} records read, {len(cells):,} kept, "
        f"{len(out):,} left out"
    )
    if len(out):
        line += f" ({causes(out)})"
    if len(kept):
        line += f"; of those kept: {causes(kept)}"
    return "; ".join([line, *of_set])


def causes(found: pd.Series) -> str:
    """Return causes with their numbers; those that differ in figures and names count as one."""
    kinds = Counter(_kind(cause) for cause in found)
    examples = {_kind(cause): _short(cause) for cause in reversed(list(found))}
    parts = [f"{count:,} {examples[kind]}" for kind, count in kinds.most_common(SAID)]
    rest = sum(kinds.values()) - sum(count for _, count in kinds.most_common(SAID))
    return "; ".join([*parts, f"{rest:,} of other causes"] if rest else parts)


def _kind(cause: str) -> str:
    return re.sub(r"[-+]?\d[\d.,e+-]*", "#", _short(cause))


def _short(cause: str) -> str:
    return re.sub("same structure as .*", "with the structure of another", cause)
