"""JSON files of published sets: FitSNAP's, pymatgen's as MAML ships them, and ASE's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase.io.jsonio import object_hook

from diverse.datasets.literature.fitsnap_json import fitsnap_records
from diverse.datasets.literature.frame import FrameError, array, make_atoms, scalar, voigt
from diverse.datasets.literature.frames_of_text import TextError, decode
from diverse.datasets.literature.memory import bounded_memory
from diverse.datasets.literature.pymatgen_json import pymatgen_records
from diverse.datasets.literature.record import Record

MAX_BYTES = 100_000_000  # of one file
MEMORY = 600_000_000  # bytes, of what it holds: numbers take four times the room of their text
REASONS: dict[type[Exception], str] = {
    RecursionError: "it is nested too deeply",
    MemoryError: "it is too large; split it",
}
FORMS = (
    "FitSNAP groups (a 'Dataset'), lists of pymatgen structures with outputs (as MAML ships them) "
    "and ASE's database can be read"
)


def read_json(path: Path, name: str, group: str, folder: str) -> Iterator[Record]:
    """Yield the records of a JSON file, or why it cannot be used.

    Parameters
    ----------
    path : Path
    name : str
        Of the file, for the names of the records.
    group : str
        Of records that name none, where the form has groups inside its files.
    folder : str
        That the file lies in: the group of FitSNAP's files.
    """
    try:
        with bounded_memory(MEMORY):
            document = _load(path)
    except (TextError, ValueError, RecursionError, MemoryError) as error:
        reasons = {
            RecursionError: "it is nested too deeply",
            MemoryError: "it is too large; split it",
        }
        reason = reasons.get(type(error)) or str(error)
        yield Record(f"{folder}/{name}", folder, None, f"not JSON: {reason}")
        return
    if isinstance(document, dict) and "Dataset" in document:
        yield from fitsnap_records(document["Dataset"], f"{folder}/{name}", folder)
    elif isinstance(document, dict) and "ids" in document:
        yield from _ase_records(document, name, group)
    elif docs := _pymatgen_docs(document):
        yield from pymatgen_records(docs, name, group)
    else:
        yield Record(name, group, None, f"a JSON file of unknown form; {FORMS}")


def _pymatgen_docs(document: Any) -> list[Any]:
    if isinstance(document, dict):
        document = [document] if "structure" in document else list(document.values())
    is_known = isinstance(document, list) and any(
        isinstance(doc, dict) and "structure" in doc for doc in document
    )
    return document if is_known else []


def _load(path: Path) -> Any:
    """Return what a JSON file holds, after a comment of one or more lines if there is one."""
    if path.stat().st_size > MAX_BYTES:
        raise TextError(f"it is larger than {MAX_BYTES:,} bytes; split it")
    text = decode(path.read_bytes()).lstrip()
    while text and text[0] not in "{[":
        text = text.partition("\n")[2].lstrip()
    if not text:
        raise TextError("no line begins with { or [")
    return json.loads(text)


def _ase_records(document: dict[str, Any], name: str, group: str) -> Iterator[Record]:
    """Yield the rows of an ASE database in JSON form."""
    ids = document["ids"] if isinstance(document["ids"], list) else []
    if not ids:
        yield Record(name, group, None, "an ASE database without rows")
    for number in ids:
        row = document.get(str(number))
        where = f"{name}:{number}"
        try:
            yield _ase_record(row, where, group)
        except (FrameError, KeyError, TypeError, ValueError) as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            yield Record(where, group, None, reason)


def _ase_record(row: Any, name: str, group: str) -> Record:
    if not isinstance(row, dict):
        raise FrameError("the row is missing")
    row = {key: _decoded(value) for key, value in row.items()}
    cell = row.get("cell")
    lattice = array(np.asarray(getattr(cell, "array", cell)).tolist(), "cell", (3, 3))
    labels: dict[str, Any] = {
        key: scalar(row[key], key) for key in ("energy", "free_energy") if key in row
    }
    if "forces" in row:
        labels["forces"] = array(np.asarray(row["forces"]).tolist(), "forces")
    notes: tuple[str, ...] = ()
    try:
        if "stress" in row:
            labels["stress"] = voigt(array(np.asarray(row["stress"]).tolist(), "stress"))
    except FrameError as error:
        notes = (f"{error}: its stress is missing",)
    pbc = [bool(repeats) for repeats in np.asarray(row["pbc"]).reshape(3)]
    positions = array(np.asarray(row["positions"]).tolist(), "positions")
    atoms = make_atoms(np.asarray(row["numbers"]).tolist(), positions, lattice, pbc, labels)
    pairs = row.get("key_value_pairs")
    own = pairs.get("config_type") if isinstance(pairs, dict) else None
    group = str(own) if own not in (None, "") else group
    return Record(name, group, atoms, notes=notes, holds=tuple(labels))


def _decoded(value: Any) -> Any:
    """Return what ASE's JSON form of an array or cell stands for."""
    if isinstance(value, dict):
        return object_hook({key: _decoded(inner) for key, inner in value.items()})
    return value
