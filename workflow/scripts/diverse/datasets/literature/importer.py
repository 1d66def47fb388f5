"""Checked import of a published data set, with a table of what was found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.datasets.literature.records import Record
from diverse.kernel import GeometryError
from diverse.labels.labellers import Label
from diverse.labels.ledger import attach, label_key
from diverse.neighbours import find_pairs
from diverse.structures import tagged

COLUMNS = ["record", "group", "problem", "action"]


def import_records(
    records: Iterable[Record], *, dataset: str, element: str, protocol: str, block: int
) -> tuple[list[Atoms], pd.DataFrame]:
    """Turn records into labelled cells like those of every other data set.

    Parameters
    ----------
    records : iterable of Record
    dataset : str
        Name of the data set in the study.
    element : str
        The study's element; records with others are left out.
    protocol : str
        Stands for the code and settings that made the labels: labels of one source are comparable,
        unless its records name protocols of their own (as those of this workflow do).
    block : int
        Published sets rarely name trajectories: this many consecutive records of a group count as
        one trajectory, which is never split between training and test. A structure that repeats
        one of its group joins that one's trajectory.

    Returns
    -------
    cells : list of Atoms
        With ``stress_valid`` in `info`: an all-zero stress means that it is missing.
    problems : DataFrame
        Columns ``record``, ``group``, ``problem``, ``action`` (``left out`` or ``kept``).

    Raises
    ------
    ValueError
        If no record can be used.
    """
    cells: list[Atoms] = []
    problems: list[tuple[str, str, str, str]] = []
    seen: dict[str, Atoms] = {}
    counts: dict[str, int] = {}
    for record in records:
        problem = record.problem or _unusable(record.atoms, element)
        if record.atoms is None or problem:
            problems.append((record.name, record.group, problem, "left out"))
            continue
        number = counts[record.group] = counts.get(record.group, -1) + 1
        cell = _cell(record, dataset, protocol, f"{record.group}_{number // block}")
        key = cell.info["key"]
        if key in seen:
            same = f"same structure as {seen[key].info['record']}"
            problems.append((record.name, record.group, same, "kept"))
            if seen[key].info["config_type"] == record.group:
                cell.info["trajectory"] = seen[key].info["trajectory"]
        seen.setdefault(key, cell)
        cells.append(cell)
    table = pd.DataFrame(problems, columns=COLUMNS)
    if not cells:
        reasons = "; ".join(
            f"{n} {reason}" for reason, n in table["problem"].value_counts().items()
        )
        raise ValueError(
            f"none of the {len(table)} records of the published data set {dataset} can be used "
            f"({reasons or 'it is empty'}): take another source, or leave the data set out"
        )
    return cells, table


def without_labels(cells: Iterable[Atoms]) -> list[Atoms]:
    """Return the structures under their names, and nothing of the published labels."""
    bare = []
    for cell in cells:
        bare.append(tagged(cell, cell.info["config_type"], cell.info["trajectory"]))
        bare[-1].info.update(dataset=cell.info["dataset"], record=cell.info["record"])
    return bare


def summarise_groups(cells: Iterable[Atoms]) -> pd.DataFrame:
    """Return sizes of each group, its cells with a stress, largest force (eV/Å) and d_min (Å)."""
    rows = [
        {
            "group": cell.info["config_type"],
            "cells": 1,
            "environments": len(cell),
            "with_stress": int(cell.info["stress_valid"]),
            "largest_force": float(np.abs(cell.get_forces()).max()),
            "d_min": cell.info["d_min"],
        }
        for cell in cells
    ]
    how: dict[str, Any] = {"cells": "sum", "environments": "sum", "with_stress": "sum"}
    how |= {"largest_force": "max", "d_min": "min"}
    return pd.DataFrame(rows).groupby("group").agg(how).reset_index()


def _unusable(atoms: Atoms | None, element: str) -> str:
    """Return why a configuration cannot be part of the study, or an empty string."""
    if atoms is None:
        return "unreadable"
    others = sorted(set(atoms.get_chemical_symbols()) - {element})
    if others:
        return f"holds {', '.join(others)}, the study is of {element}"
    if atoms.calc is None or not {"energy", "forces"} <= set(atoms.calc.results):
        return "has no energy or no forces"
    results = atoms.calc.results
    if not (np.isfinite(results["energy"]) and np.isfinite(results["forces"]).all()):
        return "a label is not finite"
    try:
        find_pairs([atoms], 0.5)
    except GeometryError as error:
        return str(error)
    return ""


def _cell(record: Record, dataset: str, protocol: str, trajectory: str) -> Atoms:
    atoms = record.atoms
    assert atoms is not None
    if "protocol" in atoms.info:
        protocol = f"{protocol}-{atoms.info['protocol']}"
    results = atoms.calc.results
    stress = np.asarray(results.get("stress", np.zeros(6)))
    cell = tagged(atoms, record.group, trajectory)
    cell.info.update(
        dataset=dataset,
        key=label_key(cell, protocol),
        record=record.name,
        labeller="literature",
        protocol=protocol,
        status="converged",
        stress_valid=bool(stress.any()),
        d_min=_shortest(cell),
        seconds=0.0,
    )
    energy = float(results["energy"])
    free_energy = float(results.get("free_energy", energy))
    attach(cell, Label(free_energy, energy, np.asarray(results["forces"]), stress))
    return cell


def _shortest(cell: Atoms) -> float:
    """d_min up to 4 Å, beyond which nothing touches."""
    distance = find_pairs([cell], 4.0).distance
    return round(float(distance.min()), 6) if len(distance) else 4.0
