"""Ramps of temperature and pressure until a potential fails: how far each gets.

A ramp is a sequence of short runs with a Langevin thermostat. Between them temperature and pressure
move on; the cell follows the pressure by weak coupling (Berendsen et al., J. Chem. Phys. 81, 3684
(1984), equation 20), isotropically.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import thermalize_momenta

from diverse.dynamics import Evaluate
from diverse.dynamics.verlet import Run, Thermostat, integrate
from diverse.neighbours import shortest_distance

TIMESTEP = 2.0  # fs
SEGMENTS = 100  # of a ramp
DAMPING = 100.0  # fs
STIFFNESS = 300 * units.GPa  # bulk modulus of the coupling; a softer crystal follows more slowly
FOLLOWED = 0.2  # part of the difference in pressure that a segment takes away
FLOOR = 0.6  # of the nearest-neighbour distance: closer pairs no metal has under these pressures
HOLE = 0.5  # eV/atom below the perfect crystal: lower than any state that there is
LARGEST = 3.0  # times the volume at the start
AWAY = 50 * units.GPa  # of a pressure from where its ramp is; in fifty atoms it scatters by ten
COLUMNS = ["ramp", "seed", "reached", "temperature", "pressure", "volume", "reason"]


@dataclass(frozen=True)
class Ramp:
    """One ramp.

    Attributes
    ----------
    start : Atoms
    temperature : tuple of float, K
        At its start and its end.
    pressure : tuple of float, eV/Å^3, or None
        At its start and its end; None keeps the cell as it is.
    """

    start: Atoms
    temperature: tuple[float, float]
    pressure: tuple[float, float] | None = None


def ramps_of(crystal: Atoms, settings: Mapping[str, Any]) -> dict[str, Ramp]:
    """Return the ramps of a crystal: heating, compression, and a surface and a vacancy at rest.

    Parameters
    ----------
    crystal : Atoms
        Perfect supercell.
    settings : mapping
        ``heating``, first and last temperature (K); ``compression``, temperature (K) of the
        compression up to ``pressure`` (GPa); ``defects``, temperature (K) of slab and vacancy.
    """
    low, high = settings["heating"]
    cold, still = ((settings[name],) * 2 for name in ("compression", "defects"))
    largest = settings["pressure"] * units.GPa
    slab, vacancy = crystal.copy(), crystal.copy()
    slab.set_cell(slab.cell.array * [[1], [1], [2]])  # as much vacuum as crystal
    del vacancy[0]
    return {
        "heating": Ramp(crystal, (low, high)),
        "heating at zero pressure": Ramp(crystal, (low, high), (0.0, 0.0)),
        "compression": Ramp(crystal, cold, (0.0, largest)),
        "surface": Ramp(slab, still),
        "vacancy": Ramp(vacancy, still),
    }


def ramp_rows(
    ramps: Mapping[str, Ramp],
    evaluate: Evaluate,
    streams: Sequence[np.random.Generator],
    *,
    length: float,
    nearest: float,
) -> list[dict[str, Any]]:
    """Run every ramp with every velocity seed until its end or its failure.

    Parameters
    ----------
    ramps : mapping of str to Ramp
    evaluate : callable
        Energies, forces and stresses of cells.
    streams : sequence of Generator
        One for each velocity seed.
    length : float, fs
        Time of a ramp.
    nearest : float, Å
        Nearest-neighbour distance of the crystal.

    Returns
    -------
    list of dict
        Keys `COLUMNS`: the part of the ramp that was gone through, temperature (K) and pressure
        (GPa) there, the volume over the one at the start, and why the run failed; empty if it
        reached the end.
    """
    first = next(iter(ramps.values())).start
    ground = float(evaluate([first]).energies[0]) / len(first)
    rows = []
    for name, ramp in ramps.items():
        runs = [_start(ramp, stream) for stream in streams]
        reached = _climb(runs, ramp, evaluate, length, (FLOOR * nearest, ground - HOLE))
        for seed, (run, part) in enumerate(zip(runs, reached, strict=True)):
            rows.append({"ramp": name, "seed": seed} | _row(run, ramp, part))
    return rows


def _start(ramp: Ramp, stream: np.random.Generator) -> Run:
    cell = ramp.start.copy()
    thermalize_momenta(cell, temperature_K=2 * ramp.temperature[0], rng=stream)
    return Run(cell, stream)


def _climb(
    runs: Sequence[Run],
    ramp: Ramp,
    evaluate: Evaluate,
    length: float,
    limits: tuple[float, float],
) -> list[float]:
    """Advance runs along a ramp; return the part of it that each has gone through."""
    reached = [0.0] * len(runs)
    steps = max(1, round(length / TIMESTEP / SEGMENTS))
    for number in range(1, SEGMENTS + 1):
        going = [run for run in runs if not run.reason]
        part = number / SEGMENTS
        thermostat = Thermostat(_between(ramp.temperature, part), DAMPING)
        integrate(going, evaluate, timestep=TIMESTEP, steps=steps, thermostat=thermostat)
        for index, run in enumerate(runs):
            if not run.reason:
                _judge(run, ramp.start.get_volume(), *limits)
            if not run.reason and ramp.pressure:
                _follow(run, _between(ramp.pressure, part))
            if not run.reason:
                reached[index] = part
    return reached


def _follow(run: Run, wanted: float) -> None:
    """Let the cell of a run follow a pressure (eV/Å^3), unless it is far from it."""
    if abs(run.pressure - wanted) > AWAY:
        found, aim = run.pressure / units.GPa, wanted / units.GPa
        run.reason = f"pressure run-away: {found:.0f} GPa instead of {aim:.0f} GPa"
    else:
        run.scale(1 + FOLLOWED * (run.pressure - wanted) / (3 * STIFFNESS))


def _judge(run: Run, volume: float, closest: float, lowest: float) -> None:
    """Say why a run has failed, if it has, by what takes a look at the whole cell."""
    distance = shortest_distance(run.cell)
    ratio = run.cell.get_volume() / volume
    if distance < closest:
        run.reason = f"pair at {distance:.2f} Å"
    elif run.potential[-1] < lowest:
        run.reason = f"energy {lowest + HOLE - run.potential[-1]:.1f} eV/atom below the crystal"
    elif ratio > LARGEST:
        run.reason = f"volume grew {ratio:.1f} times"


def _row(run: Run, ramp: Ramp, part: float) -> dict[str, Any]:
    """Return how far a run got; where numbers were lost on the way, the last ones are given."""
    return {
        "reached": part,
        "temperature": _between(ramp.temperature, part),
        "pressure": run.pressure / units.GPa if run.kinetic else np.nan,
        "volume": run.cell.get_volume() / ramp.start.get_volume(),
        "reason": run.reason,
    }


def _between(ends: tuple[float, float], part: float) -> float:
    return ends[0] + part * (ends[1] - ends[0])
