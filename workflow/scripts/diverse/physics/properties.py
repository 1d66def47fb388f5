"""All properties of a potential, in the order of the tables, with units and definitions."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from ase.calculators.calculator import Calculator, PropertyNotImplementedError

from diverse.generate.expert.defects import DUMBBELLS, SITES
from diverse.physics import Curve, Found, PhysicsError
from diverse.physics.crystal import (
    Crystal,
    bain_path,
    equation_of_state,
    lattice_constant,
    structure_energy,
)
from diverse.physics.defects import (
    divacancy_binding,
    interstitial,
    vacancy_formation,
    vacancy_migration,
)
from diverse.physics.dimer import dimer_curve
from diverse.physics.elastic import elastic_constants, elastic_names
from diverse.physics.melting import melting_range
from diverse.physics.surfaces import facets, fault_planes, gamma_line, surface_energy
from diverse.physics.vibrations import (
    TEMPERATURES,
    phonon_frequencies,
    phonon_rows,
    thermal_expansion,
)
from diverse.progress import Progress
from diverse.structures import ReferenceLattice

STRUCTURES = {"bcc": 1, "fcc": 1, "hcp": 2, "a15": 8, "sc": 1, "diamond": 2}  # atoms of a cell
Temperatures = Sequence[float] | None
SUPERCELL = 10  # atoms that a property of a supercell counts as, where the time left is estimated
COLUMNS = ["property", "value", "unit", "reason", "atoms"]


@dataclass(frozen=True)
class Property:
    """Values that one calculation gives.

    Attributes
    ----------
    units : dict of str to str
        Unit of every row, by its name.
    measure : callable
        Takes a `Crystal`.
    atoms : int
        Atoms of its largest cell where that is small, 1000 where it is a supercell.
    """

    units: dict[str, str]
    measure: Callable[[Crystal], Found]
    atoms: int = 1000

    @property
    def definition(self) -> str:
        """The docstring of the function that measures it, as sentences about the property."""
        function = self.measure.func if isinstance(self.measure, partial) else self.measure
        text = " ".join((inspect.getdoc(function) or "").split("\nRaises\n")[0].split())
        subject = text.removeprefix("Return ").replace("`", "")
        return subject[:1].upper() + subject[1:]


def definitions(lattice: ReferenceLattice, melting: Temperatures = None) -> dict[str, str]:
    """Return the definition of every row of tables, by its name."""
    entries = properties(lattice, melting)
    return {name: entry.definition for entry in entries for name in entry.units}


def properties(lattice: ReferenceLattice, melting: Temperatures = None) -> Iterator[Property]:
    """Yield the properties of a lattice, in the order of tables, melting in a range (K) if any."""
    size = len(lattice.primitive())
    for axis in ("a", "c") if lattice.c is not None else ("a",):
        yield Property({f"lattice constant {axis}": "Å"}, partial(lattice_constant, axis), size)
    yield Property({"bulk modulus": "GPa"}, equation_of_state, size)
    yield Property(dict.fromkeys(elastic_names(lattice), "GPa"), elastic_constants, size)
    for name, atoms in STRUCTURES.items():
        if name != lattice.structure:
            yield Property({f"{name} energy": "meV/atom"}, partial(structure_energy, name), atoms)
    other = "bcc" if lattice.structure == "fcc" else "fcc"
    yield Property({f"Bain path {other}": "meV/atom"}, bain_path, size)
    yield Property({"vacancy formation": "eV"}, vacancy_formation)
    yield Property({"vacancy migration": "eV"}, vacancy_migration)
    for shell in (1, 2):
        row = {f"divacancy {shell} binding": "eV"}
        yield Property(row, partial(divacancy_binding, shell))
    for kind in (*DUMBBELLS, *SITES):
        yield Property({f"interstitial {kind}": "eV"}, partial(interstitial, kind))
    for facet in facets(lattice):
        yield Property({f"surface {facet}": "J/m²"}, partial(surface_energy, facet))
    for plane in fault_planes(lattice):
        yield Property({f"gamma line {plane}": "J/m²"}, partial(gamma_line, plane))
    yield Property(dict.fromkeys(phonon_rows(lattice), "THz"), phonon_frequencies)
    expansions = [f"expansion {temperature} K" for temperature in TEMPERATURES]
    yield Property(dict.fromkeys(expansions, "%"), thermal_expansion)
    if melting is not None:
        low, high = melting
        rows = {"crystal grows": "K", "crystal melts": "K"}
        yield Property(rows, partial(melting_range, (low, high)))
    yield Property({"dimer length": "Å", "dimer energy": "eV"}, dimer_curve)


def measure_properties(
    reference: ReferenceLattice,
    calculator: Calculator,
    *,
    largest: int = 1000,
    melting: Temperatures = None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a potential's properties as a table, and the curves behind them.

    Parameters
    ----------
    reference : ReferenceLattice
        Of the study; every property starts from it.
    calculator : Calculator
        The potential.
    largest : int
        Properties with larger cells are not computed; their reason says so.
    melting : pair of float, K, optional
        Range in which the melting point is looked for; it is not without one.
    say : callable
        Takes lines about the progress.

    Returns
    -------
    table : DataFrame
        Columns ``property``, ``value``, ``unit``, ``reason``, which says why a value is missing,
        and ``atoms``, of the largest cell that was computed (0 where there is no value).
    curves : dict
        Fields of `Curve` by the property's first row, ``rows`` the names of all its rows.
    """
    crystal = Crystal(reference, calculator)
    rows: list[dict[str, Any]] = []
    curves: dict[str, Any] = {}
    entries = list(properties(reference, melting))
    sizes = [min(entry.atoms, SUPERCELL) * (entry.atoms <= largest) for entry in entries]
    progress = Progress(sum(sizes), f"{len(entries)} properties")
    for entry, size in zip(entries, sizes, strict=True):
        start = time.monotonic()
        found, reason = _measured(entry, crystal, largest)
        for name, unit in entry.units.items():
            value, why = found.rows.get(name, np.nan), found.reasons.get(name, reason)
            row = {"property": name, "value": value, "unit": unit, "reason": why}
            rows.append(row | {"atoms": found.atoms})
        if found.curve is not None:
            curves[next(iter(entry.units))] = {**_fields(found.curve), "rows": list(entry.units)}
        names = ", ".join(entry.units)
        say(f"{names}: {reason or 'measured'} ({time.monotonic() - start:.1f} s)")
        progress.add(size)
    return pd.DataFrame(rows, columns=COLUMNS), curves


def _fields(curve: Curve) -> dict[str, Any]:
    """Return the fields of a curve, its numbers with five digits: a drawing needs no more."""
    x, *lines = ([float(f"{v:.5g}") for v in values] for values in (curve.x, *curve.lines))
    return {**asdict(curve), "x": x, "lines": lines}


def _measured(entry: Property, crystal: Crystal, largest: int) -> tuple[Found, str]:
    """Return what was found, or nothing and the reason."""
    if entry.atoms > largest:
        most = "one atom" if largest == 1 else f"{largest} atoms"
        return Found({}), f"not computed: the study asks it for no cell of more than {most}"
    try:
        return entry.measure(crystal), ""
    except PhysicsError as error:
        return Found({}), str(error)
    except PropertyNotImplementedError:
        return Found({}), "does not apply: the calculator has no stress"
