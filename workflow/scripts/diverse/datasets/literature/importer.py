"""Checked import of a published data set, with a table of what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.datasets.literature.mixtures import kind_of, mixtures
from diverse.datasets.literature.pressure import ABSURD, check_stress
from diverse.datasets.literature.record import Record
from diverse.datasets.literature.repeats import without_repeats
from diverse.datasets.literature.spacing import sparse_sentence
from diverse.datasets.literature.summary import causes
from diverse.datasets.literature.vacuum import boxed, geometry_problem
from diverse.datasets.literature.work_of_forces import check_forces
from diverse.labels.labellers import Label
from diverse.labels.ledger import attach, label_key
from diverse.neighbours import find_pairs
from diverse.structures import tagged

COLUMNS = ["record", "group", "problem", "action"]
LARGEST = 1e10  # eV or eV/Å, of any label


def import_records(
    records: Iterable[Record],
    *,
    dataset: str,
    element: str,
    protocol: str,
    block: int,
    reach: float,
    nearest: float | None = None,
    labels: bool = True,
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
        one of its group joins that one's trajectory, one of another group is left out.
    reach : float, Å
        Largest distance at which a model of the study sees an atom: clusters and slabs are put in
        a box with so much vacuum that their images are farther away.
    nearest : float, Å, optional
        Distance of nearest neighbours in the reference lattice, by which positions in another unit
        are noticed.
    labels : bool
        Whether a record needs energy and forces; not if it is to be labelled anew.

    Returns
    -------
    cells : list of Atoms
        With ``stress_valid`` in `info`: a stress is missing where the source has none, has zeros,
        or has one that its energies contradict.
    problems : DataFrame
        Columns ``record``, ``group``, ``problem``, ``action`` (``left out`` or ``kept``).

    Raises
    ------
    ValueError
        If no record can be used.
    """
    cells: list[Atoms] = []
    problems: list[tuple[str, str, str, str]] = []
    counts: dict[str, int] = {}
    kinds = []
    for record in map(_named, records):
        atoms, problem, notes = _usable(record, element, reach, labels)
        if atoms is None or problem:
            problems.append((record.name, record.group, problem, "left out"))
            continue
        number = counts[record.group] = counts.get(record.group, -1) + 1
        cell = _cell(record, atoms, dataset, protocol, f"{record.group}_{number // block}")
        problems += [(record.name, record.group, note, "kept") for note in notes]
        cells.append(cell)
        kinds.append(kind_of(record))
    if labels:
        problems = [("", "", said, "kept") for said in mixtures(kinds)] + problems
        cells, doubts = _without_wrong_forces(cells)
        problems += doubts
    cells, repeated = without_repeats(cells)
    problems += repeated
    problems += _without_wrong_stress(cells)
    if nearest is not None and (said := sparse_sentence(cells, nearest)):
        problems.append(("", "", said, "kept"))
    table = pd.DataFrame(problems, columns=COLUMNS)
    if not cells:
        raise ValueError(
            f"none of the {len(table)} records of the published data set {dataset} can be used "
            f"({causes(table['problem']) or 'it is empty'}): take another source, or leave the "
            "data set out"
        )
    return cells, table


def without_labels(cells: Iterable[Atoms]) -> list[Atoms]:
    """Return the structures under their names, and nothing of the published labels."""
    bare = []
    for cell in cells:
        bare.append(tagged(cell, cell.info["config_type"], cell.info["trajectory"]))
        bare[-1].info.update(dataset=cell.info["dataset"], record=cell.info["record"])
    return bare


def _named(record: Record) -> Record:
    """Return a record whose group is not ``all``, which means every group in tables of errors."""
    if record.group != "all":
        return record
    note = "its group is called all, which means every group here: it is called group all"
    return replace(record, group="group all", notes=(*record.notes, note))


def _usable(
    record: Record, element: str, reach: float, labels: bool
) -> tuple[Atoms | None, str, list[str]]:
    """Return a record as a periodic cell, why it cannot be part of the study, and notes."""
    atoms, notes = record.atoms, list(record.notes)
    if atoms is None or record.problem:
        return None, record.problem or "unreadable", notes
    others = sorted(set(atoms.get_chemical_symbols()) - {element})
    if others:
        return None, f"holds {', '.join(others)}, the study is of {element}", notes
    problem = _missing_labels(atoms, record.holds)
    if problem and labels:
        return None, problem, notes
    try:
        if not atoms.pbc.all():
            repeats = " ".join("FT"[int(direction)] for direction in atoms.pbc)
            atoms = boxed(atoms, reach)
            notes.append(f"repeats as pbc {repeats} says: in a box with vacuum, without stress")
    except ValueError as error:
        return None, str(error), notes
    return atoms, geometry_problem(tagged(atoms, record.group, "")), notes  # as it is stored


def _missing_labels(atoms: Atoms, holds: Sequence[str]) -> str:
    """Return which label is missing or not finite, or an empty string."""
    results = {} if atoms.calc is None else atoms.calc.results
    missing = [] if {"energy", "free_energy"} & set(results) else ["energy"]
    missing += [] if "forces" in results else ["forces"]
    if missing:
        return (
            f"has no {' and no '.join(missing)}; it holds {', '.join(holds) or 'no labels'} (of an "
            "XYZ file, keys in the study file can name others)"
        )
    numbers = [results[key] for key in ("energy", "free_energy", "forces") if key in results]
    if not all((np.abs(part) < LARGEST).all() for part in numbers):
        return f"a label is not finite, or over {LARGEST:.0e} eV or eV/Å"
    return ""


def _cell(record: Record, atoms: Atoms, dataset: str, protocol: str, trajectory: str) -> Atoms:
    if "protocol" in atoms.info:
        protocol = f"{protocol}-{atoms.info['protocol']}"
    results = {} if _missing_labels(atoms, ()) else atoms.calc.results
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
    if not results:
        return cell
    energy = float(results["energy" if "energy" in results else "free_energy"])
    free_energy = float(results.get("free_energy", energy))
    attach(cell, Label(free_energy, energy, np.asarray(results["forces"]), stress))
    if not stress.any():
        del cell.calc.results["stress"]
    return cell


def _without_wrong_forces(
    cells: Sequence[Atoms],
) -> tuple[list[Atoms], list[tuple[str, str, str, str]]]:
    """Leave out groups whose forces their energies contradict; return the others, and rows.

    Where that holds of all groups that can be checked, no group is believed; zeros in place of
    forces say nothing of other groups.
    """
    verdicts = {verdict.group: verdict for verdict in check_forces(cells)}
    wrong = {group for group, verdict in verdicts.items() if verdict.agrees is False}
    forced = {c.info["config_type"] for c in cells if c.calc.results["forces"].any()}
    contradicted = wrong & forced
    nothing_agrees = not any(verdict.agrees for verdict in verdicts.values())
    doubt = ", and the forces of other groups contradict their energies"
    left, rows = [], []
    for cell in cells:
        group = cell.info["config_type"]
        said = verdicts[group].sentence
        if group in wrong - forced:
            said += ": zeros stand in place of forces"
        elif group in wrong:
            said += ": a wrong unit or sign of energies, forces or positions, or energies per atom"
        elif contradicted:
            said += doubt
        if group in wrong or (contradicted and nothing_agrees):
            rows.append((cell.info["record"], group, said, "left out"))
        else:
            left.append(cell)
    doubtful = {cell.info["config_type"] for cell in left if contradicted}
    for group in sorted(group for group in doubtful if verdicts[group].agrees is None):
        rows.append(("", group, verdicts[group].sentence + doubt, "kept"))
    return left, rows


def _without_wrong_stress(cells: Sequence[Atoms]) -> list[tuple[str, str, str, str]]:
    """Mark stress that physics contradicts as missing, and return rows that say so."""
    rows = []
    verdicts = check_stress(cells)
    in_doubt = any(verdict.agrees is False for verdict in verdicts)
    for verdict in verdicts:
        if verdict.agrees is None and in_doubt:
            said = f"{verdict.sentence}, and the stress of other groups contradicts their energies"
            rows.append(("", verdict.group, said, "kept"))
        if verdict.agrees is False:
            members = [c for c in cells if c.info["config_type"] == verdict.group]
            with_stress = [cell for cell in members if cell.info["stress_valid"]]
            for cell in with_stress:
                _drop_stress(cell)
            said = f"{verdict.sentence}: the stress of {len(with_stress)} cells is missing"
            rows.append(("", verdict.group, said, "kept"))
    for cell in cells:
        if cell.info["stress_valid"] and np.abs(cell.calc.results["stress"]).max() > ABSURD:
            _drop_stress(cell)
            said = f"the stress is over {ABSURD:g} eV/Å^3: it is missing"
            rows.append((cell.info["record"], cell.info["config_type"], said, "kept"))
    return rows


def _drop_stress(cell: Atoms) -> None:
    cell.info["stress_valid"] = False
    del cell.calc.results["stress"]


def _shortest(cell: Atoms) -> float:
    """d_min up to 4 Å, beyond which nothing touches."""
    distance = find_pairs([cell], 4.0).distance
    return round(float(distance.min()), 6) if len(distance) else 4.0
