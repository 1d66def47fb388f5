"""FitSNAP's JSON: one file a configuration, one folder a group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diverse.datasets.literature.frame import (
    Array,
    FrameError,
    array,
    make_atoms,
    scalar,
    voigt,
)
from diverse.datasets.literature.record import Record
from diverse.datasets.literature.units import pressure_unit

UNITS = {
    "LatticeStyle": ("angstrom", "ang", "a", "å", "metal"),
    "EnergyStyle": ("electronvolt", "ev", "electron_volt", "metal"),
    "PositionsStyle": ("angstrom", "ang", "a", "å", "metal"),
    "ForcesStyle": ("electronvoltperangstrom", "ev/angstrom", "ev/ang", "ev/a", "ev/å", "metal"),
    "AtomTypeStyle": ("chemicalsymbol",),
}


def fitsnap_records(dataset: Any, name: str, group: str) -> Iterator[Record]:
    """Yield the configurations of what FitSNAP calls a data set.

    Its stress is a pressure tensor, positive when the cell wants to grow, in the unit that
    ``StressStyle`` names (bar where it names none).

    Parameters
    ----------
    dataset : dict
        What the file holds under ``Dataset``.
    name, group : str
    """
    try:
        if not isinstance(dataset, dict):
            raise FrameError("Dataset is no object")
        _check_units(dataset)
        unit: float | str = _pressure(dataset)
        entries = dataset.get("Data")
        if not isinstance(entries, list) or not entries:
            raise FrameError("Data is no list of configurations")
    except FrameError as error:
        yield Record(name, group, None, f"not FitSNAP JSON: {error}")
        return
    for index, entry in enumerate(entries):
        where = name + (f":{index}" if len(entries) > 1 else "")
        try:
            yield _record(entry, where, group, unit)
        except FrameError as error:
            yield Record(where, group, None, str(error))


def _check_units(dataset: dict[str, Any]) -> None:
    for key, spellings in UNITS.items():
        unit = dataset.get(key, spellings[0])
        if not isinstance(unit, str) or unit.casefold() not in spellings:
            raise FrameError(f"{key} is {str(unit)[:40]}, only {spellings[0]} can be read")


def _pressure(dataset: dict[str, Any]) -> float | str:
    """Return the unit of stress in eV/Å^3, or why it is not known."""
    try:
        return pressure_unit(str(dataset.get("StressStyle", "bar")))
    except FrameError as error:
        return str(error)


def _record(entry: Any, name: str, group: str, unit: float | str) -> Record:
    if not isinstance(entry, dict):
        raise FrameError("the configuration is no object")
    missing = [key for key in ("AtomTypes", "Positions", "Lattice") if key not in entry]
    if missing:
        raise FrameError(f"it has no {', '.join(missing)}")
    symbols = entry["AtomTypes"]
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise FrameError("AtomTypes is no list of chemical symbols")
    count = _count(entry, len(symbols))
    labels: dict[str, Any] = {}
    if "Energy" in entry:
        labels["energy"] = scalar(entry["Energy"], "Energy")
    positions = _per_atom(entry, "Positions", count)
    if "Forces" in entry:
        labels["forces"] = _per_atom(entry, "Forces", count)
    notes: tuple[str, ...] = ()
    try:
        stress, note = _stress(entry.get("Stress"), unit)
        notes = (note,) if note else ()
        if stress is not None:
            labels["stress"] = stress
    except FrameError as error:
        notes = (f"{error}: its stress is missing",)
    lattice = array(entry["Lattice"], "Lattice", (3, 3))
    atoms = make_atoms(symbols, positions, lattice, (True, True, True), labels)
    return Record(name, group, atoms, notes=notes, holds=tuple(entry))


def _count(entry: dict[str, Any], symbols: int) -> int:
    """Return the number of atoms; FitSNAP itself does without NumAtoms."""
    if "NumAtoms" not in entry:
        return symbols
    count = scalar(entry["NumAtoms"], "NumAtoms")
    if count != symbols:
        raise FrameError(f"NumAtoms is {count:g}, but there are {symbols} atom types")
    return symbols


def _per_atom(entry: dict[str, Any], key: str, count: int) -> Array:
    found = array(entry[key], key)
    if found.shape != (count, 3):
        raise FrameError(f"there are {count} atoms, but {key} has shape {found.shape}")
    return found


def _stress(value: Any, unit: float | str) -> tuple[Array | None, str]:
    """Return the stress (6,) in eV/Å^3 in ASE's sign, None without one, and a note."""
    if value is None or value == []:
        return None, ""
    found = voigt(array(value, "Stress"), "Stress")
    if not found.any():
        return None, ""
    if isinstance(unit, str):
        return None, f"{unit}: its stress is missing"
    note = "Stress has 6 numbers, read as xx, yy, zz, yz, xz, xy" if len(value) == 6 else ""
    return -unit * found, note
