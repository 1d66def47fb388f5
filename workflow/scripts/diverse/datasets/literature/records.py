"""Records of published data sets: FitSNAP JSON groups and (extended) XYZ."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

from diverse.labels.labellers import Label
from diverse.labels.ledger import attach
from diverse.lammps_library import BAR

UNITS = {
    "LatticeStyle": "angstrom",
    "EnergyStyle": "electronvolt",
    "PositionsStyle": "angstrom",
    "ForcesStyle": "electronvoltperangstrom",
    "AtomTypeStyle": "chemicalsymbol",
}


@dataclass(frozen=True)
class Record:
    """One configuration of a source, or why it cannot be used.

    Attributes
    ----------
    name : str
        Where it comes from: file, and number inside the file.
    group : str
    atoms : Atoms or None
        With its labels attached (eV, eV/Å, eV/Å^3 in ASE's sign).
    problem : str
        Why `atoms` is None; empty otherwise.
    """

    name: str
    group: str
    atoms: Atoms | None
    problem: str = ""


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a folder or tar archive of FitSNAP JSON groups, or of an XYZ file."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json"), key=_natural):
            yield from _json_records(file.parent.name, file.name, file.read_text())
    elif tarfile.is_tarfile(path):
        yield from _tar_records(path)
    else:
        for index, atoms in enumerate(ase.io.iread(path, index=":", format="extxyz")):
            group = str(atoms.info.get("config_type", path.stem.split(".")[0]))
            yield Record(f"{path.name}:{index}", group, atoms)


def _tar_records(path: Path) -> Iterator[Record]:
    texts: dict[PurePosixPath, str] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                texts[PurePosixPath(member.name)] = io.TextIOWrapper(file).read()
    for name in sorted(texts, key=_natural):
        yield from _json_records(name.parent.name, name.name, texts[name])


def _natural(path: PurePosixPath | Path) -> list[tuple[int, int | str]]:
    """Sort key that puts frame 10 after frame 9."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _json_records(group: str, file: str, text: str) -> Iterator[Record]:
    try:
        body = text[text.index("{") :]  # a comment may come first
        dataset = json.loads(body)["Dataset"]
        _check_units(dataset)
        entries = dataset["Data"]
    except (KeyError, ValueError) as error:
        yield Record(f"{group}/{file}", group, None, f"not FitSNAP JSON: {error}")
        return
    for index, entry in enumerate(entries):
        name = f"{group}/{file}" + (f":{index}" if len(entries) > 1 else "")
        try:
            yield Record(name, group, _atoms(entry))
        except (KeyError, ValueError) as error:
            yield Record(name, group, None, f"{type(error).__name__}: {error}")


def _check_units(dataset: dict[str, Any]) -> None:
    for key, unit in UNITS.items():
        if dataset.get(key, unit) != unit:
            raise ValueError(f"{key} is {dataset[key]}, only {unit} can be read")
    if dataset.get("StressStyle", "bar") not in ("bar", "kB"):
        raise ValueError(f"StressStyle is {dataset['StressStyle']}, only bar and kB can be read")


def _atoms(entry: dict[str, Any]) -> Atoms:
    """Return one JSON entry as labelled atoms; ValueError if it contradicts itself."""
    symbols, count = entry["AtomTypes"], int(entry["NumAtoms"])
    arrays = {key: np.array(entry[key], dtype=float) for key in ("Positions", "Forces", "Lattice")}
    stress = np.array(entry.get("Stress", np.zeros((3, 3))), dtype=float)
    if len(symbols) != count:
        raise ValueError(f"NumAtoms is {count}, but there are {len(symbols)} atom types")
    for key in ("Positions", "Forces"):
        if arrays[key].shape != (count, 3):
            raise ValueError(f"NumAtoms is {count}, but {key} has shape {arrays[key].shape}")
    energy = float(entry["Energy"])
    numbers = [*arrays.values(), stress, np.array(energy)]
    if not all(np.isfinite(array).all() for array in numbers):
        raise ValueError("a number is not finite")
    atoms = Atoms(symbols, positions=arrays["Positions"], cell=arrays["Lattice"], pbc=True)
    voigt = -BAR * stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]  # FitSNAP's is a pressure
    attach(atoms, Label(energy, energy, arrays["Forces"], voigt))
    return atoms
