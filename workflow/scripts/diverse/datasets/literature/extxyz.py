"""Frames of (extended) XYZ as labelled cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms

from diverse.datasets.literature.frame import (
    Array,
    FrameError,
    make_atoms,
    number,
    numbers,
    numbers_of,
    voigt,
    volume,
)
from diverse.datasets.literature.frames_of_text import Block, TextError, lines_of, split
from diverse.datasets.literature.keys import ENERGIES, MODELS, Choice, choose, spelled
from diverse.datasets.literature.record import Record
from diverse.structures.comment_line import CommentError, pairs, text

SPECIES = ("species", "symbols", "symbol", "element")
POSITIONS = ("pos", "positions", "position")
PLAIN = "species:S:1:pos:R:3"  # of an XYZ file that says nothing
TRUTH = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}


class Column(NamedTuple):
    """Place of a property in the lines of atoms."""

    kind: str  # R, I, S or L
    first: int
    width: int


def read_extxyz(path: Path, name: str, group: str, keys: Mapping[str, str]) -> Iterator[Record]:
    """Yield every frame of an XYZ file, or why it cannot be used.

    Parameters
    ----------
    path : Path
    name : str
        Of the file, for the names of the records.
    group : str
        Of frames that name none (``config_type``).
    keys : mapping of str to str
        Keys of labels that the study file names.
    """
    index = -1
    try:
        for index, block in enumerate(split(lines_of(path))):
            yield _record(block, f"{name}:{index}", group, keys)
    except TextError as error:
        yield Record(f"{name}:{index + 1}", group, None, str(error))


def _record(block: Block, name: str, group: str, keys: Mapping[str, str]) -> Record:
    comment: dict[str, str] = {}
    try:
        if block.problem:
            raise FrameError(block.problem)
        comment, twice = _comment(block.comment)
        group = text(comment.get("config_type", "")) or group
        atoms, notes, holds, energy = _atoms(block, comment, twice, keys)
        return Record(name, group, atoms, notes=notes, holds=holds, energy=energy)
    except (FrameError, CommentError) as error:
        where = "" if block.problem else f" (the frame starts at line {block.line})"
        return Record(name, group, None, f"{error}{where}")


def _comment(line: str) -> tuple[dict[str, str], set[str]]:
    """Return the comment line's values by key, and the keys that come twice with two values."""
    values: dict[str, str] = {}
    twice = set()
    for key, value in pairs(line):
        plain = key.casefold()
        key = plain if plain in ("lattice", "properties", "pbc", "config_type") else key
        if values.setdefault(key, value) != value:
            twice.add(key)
    return values, twice


def _atoms(
    block: Block, comment: dict[str, str], twice: set[str], keys: Mapping[str, str]
) -> tuple[Atoms, tuple[str, ...], tuple[str, ...], str]:
    columns = _columns(comment.get("properties", PLAIN))
    rows = _rows(block, columns)
    known = {"lattice", "properties", "pbc", "config_type"}
    in_comment = [key for key in comment if key not in known]
    choice = choose(in_comment, columns, keys)
    if used := sorted(twice & (known | set(choice.keys.values()))):
        raise FrameError(f"the comment line has two values of {', '.join(used)}")
    lattice = None
    if "lattice" in comment:
        lattice = numbers(comment["lattice"].replace(",", " ").split())
        if lattice.shape != (9,):
            raise FrameError(f"Lattice holds {lattice.size} numbers, 9 are needed")
        lattice = lattice.reshape(3, 3)
    pbc = _pbc(comment.get("pbc", "F F F" if lattice is None else "T T T"))
    labels, notes = _labels(comment, columns, rows, choice, lattice)
    positions = _floats(rows, columns, _one_of(POSITIONS, columns, "positions"), 3)
    atoms = make_atoms(_species(rows, columns), positions, lattice, pbc, labels)
    atoms.info.update({key: text(comment[key]) for key in ("protocol",) if key in comment})
    energy = next((choice.keys[name] for name in ENERGIES if name in choice.keys), "")
    return atoms, notes, (*in_comment, *columns), energy


def _columns(properties: str) -> dict[str, Column]:
    fields = properties.split(":")
    if len(fields) % 3:
        raise FrameError(f"Properties is no list of name:type:columns: {properties[:80]}")
    columns: dict[str, Column] = {}
    first = 0
    for name, kind, width in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        if not (kind.upper() in ("R", "I", "S", "L") and width.isascii() and width.isdigit()):
            shown = f"{name}:{kind}:{width}"[:60]
            raise FrameError(f"Properties has '{shown}', which is no property")
        if name in columns or not 0 < int(width[:6]) < 1000:
            raise FrameError(f"Properties names {name} twice, or with {width[:9]} columns")
        columns[name] = Column(kind.upper(), first, int(width))
        first += int(width)
    return columns


def _rows(block: Block, columns: dict[str, Column]) -> list[list[str]]:
    width = sum(column.width for column in columns.values())
    rows = [line.split() for line in block.atoms]
    for place, row in enumerate(rows):
        if len(row) != width:
            raise FrameError(
                f"line {block.line + 2 + place} has {len(row)} columns, Properties says {width}"
            )
    return rows


def _one_of(names: tuple[str, ...], columns: dict[str, Column], what: str) -> str:
    found = [name for name in columns if name.casefold() in names]
    if not found:
        raise FrameError(f"Properties names no {what} ({names[0]}); it has {', '.join(columns)}")
    return found[0]


def _floats(rows: list[list[str]], columns: dict[str, Column], name: str, width: int) -> Array:
    column = columns[name]
    if column.width != width:
        raise FrameError(f"{name} has {column.width} columns, {width} are needed")
    span = slice(column.first, column.first + width)
    return numbers([word for row in rows for word in row[span]]).reshape(len(rows), width)


def _species(rows: list[list[str]], columns: dict[str, Column]) -> list[int]:
    charge = next((name for name in columns if name in ("Z", "z", "numbers")), None)
    if charge is None:
        place = columns[_one_of(SPECIES, columns, "species")].first
        return numbers_of(row[place] for row in rows)
    species = numbers_of(row[columns[charge].first] for row in rows)
    named = [name for name in columns if name.casefold() in SPECIES]
    if named and numbers_of(row[columns[named[0]].first] for row in rows) != species:
        raise FrameError(f"{named[0]} and {charge} say different elements")
    return species


def _pbc(value: str) -> list[bool]:
    words = value.replace(",", " ").casefold().split()
    if len(words) not in (1, 3) or not all(word in TRUTH for word in words):
        raise FrameError(f"pbc is '{value[:40]}'; three of T and F are needed")
    return [TRUTH[word] for word in (words if len(words) == 3 else words * 3)]


def _labels(
    comment: dict[str, str],
    columns: dict[str, Column],
    rows: list[list[str]],
    choice: Choice,
    lattice: Array | None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the labels in ASE's units and sign, and what is to be known of them."""
    labels: dict[str, Any] = {}
    notes = [choice.note] if choice.note else []
    keys = choice.keys
    for quantity in ("energy", "free_energy"):
        if quantity in keys:
            labels[quantity] = _energy(comment[keys[quantity]], keys[quantity])
    if "forces" in keys:
        labels["forces"] = _floats(rows, columns, keys["forces"], 3)
    notes += _rivals(comment, keys, labels)
    try:
        stress = None if comment.get("stress_valid") == "F" else _stress(comment, keys, lattice)
    except FrameError as error:
        stress, notes = None, [*notes, f"{error}: its stress is missing"]
    if stress is not None:
        labels["stress"] = stress
    return labels, tuple(notes)


def _energy(value: str, key: str) -> float:
    words = value.split()
    if len(words) != 1:
        raise FrameError(f"{key} is '{value[:40]}', one number is needed")
    try:
        return number(words[0])
    except FrameError as error:
        raise FrameError(f"{key}: {error}") from None


def _rivals(comment: dict[str, str], keys: dict[str, str], labels: dict[str, Any]) -> list[str]:
    """Say that another key holds another energy than the one that is taken.

    Free energies stand beside energies of the same source, and models beside what they predict.
    """
    taken = [keys[name] for name in ENERGIES if name in keys]
    own = {spelled(key)[1] for key in taken}
    for key, value in comment.items():
        quantity, source = spelled(key)
        if not taken or key in taken or quantity not in ENERGIES or source in MODELS:
            continue
        if quantity not in labels and source in own:
            continue
        rival = (
            quantity if quantity in labels else next(name for name in ENERGIES if name in labels)
        )
        try:
            other = _energy(value, key)
        except FrameError:
            continue
        if abs(other - labels[rival]) > 1e-6 * max(1.0, abs(other)):
            return [f"{keys[rival]} is taken, {key} is another energy"]
    return []


def _stress(comment: dict[str, str], keys: dict[str, str], lattice: Array | None) -> Array | None:
    """Return the stress (6,), eV/Å^3, in ASE's sign; None where the frame holds none.

    Raises
    ------
    FrameError
        If there is one that cannot be used, or if stress and virial contradict each other.
    """
    found = {
        name: voigt(numbers(comment[keys[name]].replace(",", " ").split()), keys[name])
        for name in ("stress", "virial")
        if name in keys and comment[keys[name]].split()
    }
    if "virial" in found:
        found["virial"] = -found["virial"] / volume(lattice, keys["virial"])
    if len(found) == 2:
        largest = np.abs(found["virial"]).max()
        if np.abs(found["stress"] - found["virial"]).max() > 0.01 * largest + 1e-4:
            raise FrameError(f"{keys['stress']} is not minus {keys['virial']} over the volume")
    return found.get("stress", found.get("virial"))
