"""vasprun.xml: every ionic step whose electrons converged."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from diverse.datasets.literature.frame import (
    Array,
    FrameError,
    cartesian,
    make_atoms,
    number,
    numbers,
    voigt,
    volume,
)
from diverse.datasets.literature.record import Record
from diverse.datasets.literature.units import KBAR

NOT_CONVERGED = "not converged in {} iterations (NELM)"


@dataclass
class _Run:
    """Facts that all steps of a calculation share."""

    species: list[str] = field(default_factory=list)
    most_iterations: int = 0  # NELM; 0 where the file does not say it
    pressure: float = 0.0  # PSTRESS, eV/Å^3: VASP adds it to the energies of steps


def read_vasprun(path: Path, name: str, group: str) -> Iterator[Record]:
    """Yield the ionic steps of a vasprun.xml, or why they cannot be used.

    Forces belong to the free energy; the stress in the file is VASP's pressure in kB. A step
    that used all the electronic iterations it was allowed did not converge.

    Parameters
    ----------
    path : Path
    name : str
        Of the file, for the names of the records.
    group : str
    """
    run, index = _Run(), 0
    try:
        for _, element in ElementTree.iterparse(path):
            if element.tag == "atominfo":
                run.species = [
                    (entry.findtext("c") or "").strip()
                    for entry in element.findall("array[@name='atoms']/set/rc")
                ]
            elif element.tag == "parameters":
                _note_parameters(run, element)
            elif element.tag == "calculation":
                yield _record(element, run, f"{name}:{index}", group)
                index += 1
                element.clear()
    except (ParseError, ValueError, LookupError) as error:
        cause = f"the XML is damaged or cut off ({error}); the steps before it are read"
        yield Record(f"{name}:{index}", group, None, cause)
    else:
        if index == 0:
            yield Record(name, group, None, "it holds no ionic step")


def _note_parameters(run: _Run, element: Element) -> None:
    for item in element.iter("i"):
        words = (item.text or "").split()
        if item.get("name") == "NELM" and len(words) == 1 and words[0].isdigit():
            run.most_iterations = int(words[0][:9])
        if item.get("name") == "PSTRESS" and len(words) == 1:
            run.pressure = KBAR * number(words[0])


def _record(step: Element, run: _Run, name: str, group: str) -> Record:
    notes: tuple[str, ...] = ()
    try:
        iterations = step.findall("scstep")
        if run.most_iterations and len(iterations) >= run.most_iterations:
            raise FrameError(NOT_CONVERGED.format(run.most_iterations))
        lattice = _vectors(step, "structure/crystal/varray[@name='basis']", 3)
        count = len(run.species)
        places = _vectors(step, "structure/varray[@name='positions']", count)
        labels: dict[str, Any] = _energies(step, iterations, run, lattice)
        if step.find("varray[@name='forces']") is not None:
            labels["forces"] = _vectors(step, "varray[@name='forces']", count)
        try:
            if step.find("varray[@name='stress']") is not None:
                labels["stress"] = -KBAR * voigt(_vectors(step, "varray[@name='stress']", 3))
        except FrameError as error:
            notes = (f"{error}: its stress is missing",)
        atoms = make_atoms(run.species, cartesian(places, lattice), lattice, [True] * 3, labels)
    except FrameError as error:
        return Record(name, group, None, str(error))
    return Record(name, group, atoms, notes=notes, holds=tuple(labels))


def _energies(
    step: Element, iterations: list[Element], run: _Run, lattice: Array
) -> dict[str, float]:
    """Return the free energy and the one extrapolated to zero smearing.

    VASP writes a wrong ``e_0_energy`` outside the iterations: the difference is taken there.
    """
    free = step.find("energy/i[@name='e_fr_energy']")
    if free is None:
        raise FrameError("the step has no energy: it was not finished")
    free_energy = number((free.text or "").strip())
    free_energy -= run.pressure * (volume(lattice, "PSTRESS") if run.pressure else 0.0)
    last = iterations[-1] if iterations else step
    parts = [last.find(f"energy/i[@name='{key}']") for key in ("e_0_energy", "e_fr_energy")]
    at_zero, at_width = (None if p is None else number((p.text or "").strip()) for p in parts)
    if at_zero is None or at_width is None or not iterations:
        return {"free_energy": free_energy}
    return {"free_energy": free_energy, "energy": free_energy + at_zero - at_width}


def _vectors(step: Element, path: str, count: int) -> Array:
    """Return the vectors of one table, of which there must be `count`."""
    rows = [(row.text or "").split() for row in step.findall(f"{path}/v")]
    what = path.rsplit("'", 2)[-2]
    if len(rows) != count or not count or any(len(row) != 3 for row in rows):
        raise FrameError(f"{what} are no {count} vectors")
    return numbers([word for row in rows for word in row]).reshape(count, 3)
