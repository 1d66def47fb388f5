"""Published stress against physics: on an equation of state the pressure is -dE/dV.

A stress in the wrong unit or sign reads as well as a right one. Where a group holds one structure
at several volumes, its energies say what the pressure must be; where it holds one structure under
many strains, or cells whose energies follow the volume closely enough, a fit to the energies does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce
from ase.units import GPa

from diverse.datasets.literature.frame import Array

ABSURD = 50.0  # eV/Å^3 (8 TPa): no component of a stress of condensed matter is larger
SIGNAL = 0.01  # eV/Å^3 (1.6 GPa): pressures must differ by this much to judge anything
WIDE = 1.25  # ratio of volumes beyond which a difference quotient is no derivative
EXACT, ROUGH = 2.0, 5.0  # factors by which a stress may miss -dE/dV: on a series, on a fit
FOLLOWS = 0.9  # part of the variance of energies that a parabola in the volume must explain
STRAINED = 0.98  # part that a quadratic form in the lattice must explain
RELATED = 0.95  # correlation with a fit below which a pressure of wrong size proves nothing
MANY = 60  # cells under different strains that such a form is fitted to, at least
HALF = np.array([v for v in product((-1, 0, 1), repeat=3) if v > (0, 0, 0)])  # of 26 neighbours


@dataclass(frozen=True)
class Verdict:
    """Result of the check of one group.

    Attributes
    ----------
    group : str
    agrees : bool or None
        None where nothing can be checked.
    sentence : str
        What was found.
    """

    group: str
    agrees: bool | None
    sentence: str


def check_stress(cells: Sequence[Atoms]) -> list[Verdict]:
    """Compare the stress of each group with its energies.

    Parameters
    ----------
    cells : sequence of Atoms
        Labelled, with ``config_type``; those without a stress (``stress_valid``) take no part.

    Returns
    -------
    list of Verdict
        One for each group that has any stress.
    """
    groups: dict[str, list[Atoms]] = defaultdict(list)
    for cell in cells:
        if cell.info["stress_valid"]:
            groups[cell.info["config_type"]].append(cell)
    return [_verdict(name, members) for name, members in groups.items()]


def energy_of(cell: Atoms) -> float:
    """Return the free energy of a labelled cell, or its energy where the source has one alone."""
    return float(cell.calc.results.get("free_energy", cell.calc.results["energy"]))


def _verdict(group: str, cells: list[Atoms]) -> Verdict:
    stresses = np.array([cell.calc.results["stress"] for cell in cells])
    largest = np.abs(stresses).max(axis=1)
    if np.median(largest) > ABSURD:
        size = f"half of the group has more than {np.median(largest):.3g} eV/Å^3"
        return Verdict(group, False, f"the stress has an absurd size: {size}")
    for points, factor, related, how in (
        (_on_series(cells), EXACT, 0.0, "one structure at several volumes"),
        (_on_strains(cells), ROUGH, RELATED, "a fit to one structure under many strains"),
        (_on_parabola(cells), ROUGH, RELATED, "a parabola through the energies"),
    ):
        slope, correlation = _slope(*points)
        agrees = 1 / factor < slope < factor
        if not (agrees or abs(correlation) >= related):
            continue
        found = (
            f"pressure from the stress is {slope:.3g} times -dE/dV ({how}, {len(points[0])} "
            f"points, up to {np.abs(points[0]).max() / GPa:.3g} GPa)"
        )
        return Verdict(group, bool(agrees), found)
    return Verdict(group, None, "no equation of state to check the stress by")


def _slope(expected: Array, found: Array) -> tuple[float, float]:
    """Return slope and correlation of found against expected pressures; nan if they hardly differ.

    A stress in a wrong unit or sign still follows -dE/dV closely, with another slope.
    """
    if len(expected) < 3 or np.ptp(expected) < SIGNAL:
        return np.nan, np.nan
    x, y = expected - expected.mean(), found - found.mean()
    spread = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / (x @ x)), float(x @ y / spread) if spread > 0 else 0.0


def _pressure(cell: Atoms) -> float:
    return -float(np.mean(cell.calc.results["stress"][:3]))


def _on_series(cells: list[Atoms]) -> tuple[Array, Array]:
    """Return -dE/dV and the pressure from the stress, eV/Å^3, at inner points of series."""
    series: dict[bytes, list[tuple[float, float, float]]] = defaultdict(list)
    for cell in cells:
        point = (cell.get_volume(), energy_of(cell), _pressure(cell))
        series[_structure(cell)].append(point)
    expected, found = [], []
    for points in series.values():
        volume, energy, pressure = np.array(sorted(points)).T
        apart = np.r_[True, np.diff(volume) > 1e-4 * volume[:-1]]
        volume, energy, pressure = volume[apart], energy[apart], pressure[apart]
        for i in range(1, len(volume) - 1):
            if volume[i + 1] < WIDE * volume[i - 1]:
                expected.append(-_derivative(volume[i - 1 : i + 2], energy[i - 1 : i + 2]))
                found.append(pressure[i])
    return np.array(expected), np.array(found)


def _derivative(x: Array, y: Array) -> float:
    """Return the derivative at the middle of three points, of the parabola through them."""
    left, right = x[1] - x[0], x[2] - x[1]
    slopes = (y[1] - y[0]) / left, (y[2] - y[1]) / right
    return float((slopes[0] * right + slopes[1] * left) / (left + right))


def _structure(cell: Atoms) -> bytes:
    """Return what scaling a cell leaves as it is: its shape and fractional coordinates."""
    shape = cell.cell.array / cell.get_volume() ** (1 / 3)
    return _places(cell) + np.rint(1e3 * shape).astype("<i4").tobytes()


def _places(cell: Atoms) -> bytes:
    """Return what any strain leaves as it is: species and fractional coordinates."""
    places = cell.get_scaled_positions(wrap=False)
    grid = np.rint(1e3 * (places - places[0])) % 1e3
    return str(cell.symbols).encode() + grid.astype("<i4").tobytes()


def _on_strains(cells: list[Atoms]) -> tuple[Array, Array]:
    """Return -dE/dV of a fit to the energies of strained structures, and the pressures, eV/Å^3.

    The energy is fitted by a quadratic form in squared lengths x of lattice vectors; scaling a
    cell scales all of them, so that dE / d ln V = 2/3 sum x dE/dx.
    """
    families: dict[bytes, list[Atoms]] = defaultdict(list)
    for cell in cells:
        families[_places(cell)].append(cell)
    expected, found = [np.zeros(0)], [np.zeros(0)]
    for members in families.values():
        if len(members) < MANY:
            continue
        lengths = np.array([_squared_lengths(cell) for cell in members])
        energies = np.array([energy_of(cell) for cell in members])
        spread = lengths.std(axis=0)
        lengths, spread = lengths[:, spread > 1e-6], spread[spread > 1e-6]
        x = (lengths - lengths.mean(axis=0)) / spread
        rows, columns = np.triu_indices(x.shape[1])
        design = np.c_[np.ones(len(x)), x, x[:, rows] * x[:, columns]]
        fit = np.linalg.lstsq(design, energies)[0]
        if np.var(energies - design @ fit) > (1 - STRAINED) * np.var(energies):
            continue
        quadratic = np.zeros((x.shape[1],) * 2)
        quadratic[rows, columns] = fit[1 + x.shape[1] :]
        slopes = (fit[1 : 1 + x.shape[1]] + x @ (quadratic + quadratic.T)) / spread
        volumes = np.array([cell.get_volume() for cell in members])
        expected.append(-2 / 3 * (lengths * slopes).sum(axis=1) / volumes)
        found.append(np.array([_pressure(cell) for cell in members]))
    return np.concatenate(expected), np.concatenate(found)


def _squared_lengths(cell: Atoms) -> Array:
    """Return squared lengths (Å^2) that determine a cell.

    Of a lattice with one atom the seven shortest, sorted, which do not depend on the choice of
    lattice vectors; else those of the lattice vectors and of their sums.
    """
    vectors = cell.cell.array
    if len(cell) == 1:
        vectors = minkowski_reduce(vectors)[0]
        return np.sort(((HALF @ vectors) ** 2).sum(axis=1))[:7]
    sums = vectors + np.roll(vectors, 1, axis=0)
    return (np.concatenate([vectors, sums]) ** 2).sum(axis=1)


def _on_parabola(cells: list[Atoms]) -> tuple[Array, Array]:
    """Return -de/dv of a parabola through the energies per atom, and the pressures.

    Cells of one size are fitted together, where the parabola explains their energies.
    """
    sizes: dict[int, list[Atoms]] = defaultdict(list)
    for cell in cells:
        sizes[len(cell)].append(cell)
    expected, found = [np.zeros(0)], [np.zeros(0)]
    for size, members in sizes.items():
        v = np.array([cell.get_volume() for cell in members]) / size
        e = np.array([energy_of(cell) for cell in members]) / size
        if len(members) < 6 or np.ptp(v) < 0.03 * v.mean():
            continue
        x = (v - v.mean()) / np.ptp(v)
        fit = np.polynomial.Polynomial.fit(x, e, 2, domain=[-1, 1])
        if np.var(e) == 0 or np.var(e - fit(x)) > (1 - FOLLOWS) * np.var(e):
            continue
        expected.append(-fit.deriv()(x) / np.ptp(v))
        found.append(np.array([_pressure(cell) for cell in members]))
    return np.concatenate(expected), np.concatenate(found)
