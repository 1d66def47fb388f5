"""Cells of a file that a data set complements: structures, no labels needed."""

from __future__ import annotations

from pathlib import Path

from ase import Atoms

from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.vacuum import geometry_problem


def complement_cells(path: Path, element: str) -> list[Atoms]:
    """Return every structure of a file, of any form that `read_records` reads.

    Parameters
    ----------
    path : Path
    element : str
        The study's element.

    Raises
    ------
    SourceError
        If the file is damaged as a whole, or of no form that can be read.
    ValueError
        If a frame is no periodic cell of `element`; the message names it. None is left out in
        silence: what is complemented must be what the file holds.
    """
    cells: list[Atoms] = []
    for record in read_records(path):
        problem = record.problem
        if record.atoms is not None:
            problem = _problem(record.atoms, element)
        if problem or record.atoms is None:
            raise ValueError(
                f"frame {record.name} of the set to complement, {path}: {problem}; take it out of "
                "the file, or mend it"
            )
        cells.append(record.atoms)
    return cells


def _problem(atoms: Atoms, element: str) -> str:
    others = sorted(set(atoms.get_chemical_symbols()) - {element})
    if others:
        return f"it holds {', '.join(others)}, the study is of {element}"
    if not atoms.pbc.all():
        repeats = " ".join("FT"[int(direction)] for direction in atoms.pbc)
        return f"it does not repeat in every direction (pbc {repeats})"
    return geometry_problem(atoms)
