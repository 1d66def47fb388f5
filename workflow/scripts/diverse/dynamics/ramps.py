"""Ramps of temperature and pressure until a potential fails: how far each gets.

A ramp is a sequence of short runs with a Langevin thermostat. Between them temperature and pressure
move on; the cell follows the pressure by weak coupling (Berendsen et al., J. Chem. Phys. 81, 3684
(1984), equation 20), isotropically; and the novelty of the cell is looked at, to see whether it
warns before the failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import thermalize_momenta

from diverse.dynamics import Evaluate
from diverse.dynamics.verlet import Run, Thermostat, integrate
from diverse.kernel import GeometryError
from diverse.neighbours import shortest_distance
from diverse.progress import Progress

TIMESTEP = 2.0  # fs
SEGMENTS = 100  # of a ramp
DAMPING = 100.0  # fs
STIFFNESS = 300 * units.GPa  # bulk modulus of the coupling; a softer crystal follows more slowly
FOLLOWED = 0.2  # part of the difference in pressure that a segment takes away
FLOOR = 0.6  # of the nearest-neighbour distance: closer pairs no metal has under these pressures
HOLE = 0.5  # eV/atom below the perfect crystal: lower than any state that there is
LARGEST = 3.0  # times the volume at the start
AWAY = 50 * units.GPa  # of a pressure from where its ramp is; in fifty atoms it scatters by ten
TENTH = SEGMENTS // 10
TENTHS = [f"novelty_{percent}" for percent in range(0, 101, 10)]  # of the ramp
COLUMNS = [
    *("ramp", "course", "length", "seed", "reached", "temperature", "pressure", "volume"),
    *("reason", "threshold", "crossed", "novelty_before", "novelty_end", "novelty_largest"),
    *TENTHS,
]

Novelties = Callable[[Sequence[Atoms]], np.ndarray]


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

    @property
    def course(self) -> str:
        """Course of temperature or pressure, in words."""
        (cold, hot), pressure = self.temperature, self.pressure or (0.0, 0.0)
        first, last = (round(value / units.GPa, 3) for value in pressure)
        if first != last:
            return f"{first:g} to {last:g} GPa at {cold:,g} K"
        return f"{cold:,g} to {hot:,g} K" if cold != hot else f"at {cold:,g} K"


@dataclass
class Climb:
    """A run on its ramp.

    Attributes
    ----------
    run : Run
    passed : int
        Segments that it has gone through.
    novelty : list of float
        Of its cell at the start and after every segment, the one that it failed in included.
    """

    run: Run
    passed: int = 0
    novelty: list[float] = field(default_factory=list)


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
    novelty: Novelties,
    threshold: float,
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
    novelty : callable
        Novelty of cells with respect to the training set of the potential, shape (n_cells,).
    threshold : float
        Novelty above which a run is warned of; NaN for none.

    Returns
    -------
    list of dict
        Keys `COLUMNS`: course of the ramp in words and its length (fs); the part of it that was
        gone through, temperature (K) and pressure (GPa) there, the volume over the one at the
        start, and why the run failed, empty if it reached the end; the part of the ramp after
        which novelty was first above `threshold`, NaN if it was not before the run failed; the
        novelty a tenth of the ramp before the end of the run, at its end or in the failed segment
        (NaN where atoms coincide there), the largest, and after each tenth of the ramp, NaN where
        the run had ended.
    """
    first = next(iter(ramps.values())).start
    ground = float(evaluate([first]).energies[0]) / len(first)
    limits = (FLOOR * nearest, ground - HOLE)
    rows, progress = [], Progress(len(ramps) * SEGMENTS, f"{len(ramps)} ramps")
    for name, ramp in ramps.items():
        climbs = [Climb(_start(ramp, stream)) for stream in streams]
        _climb(climbs, ramp, evaluate, length, limits, novelty, progress)
        given = {"ramp": name, "course": ramp.course, "length": length}
        for seed, climb in enumerate(climbs):
            found = _row(climb, ramp) | _warning(climb, threshold)
            rows.append(given | {"seed": seed} | found)
    return rows


def _start(ramp: Ramp, stream: np.random.Generator) -> Run:
    cell = ramp.start.copy()
    thermalize_momenta(cell, temperature_K=2 * ramp.temperature[0], rng=stream)
    return Run(cell, stream)


def _climb(
    climbs: Sequence[Climb],
    ramp: Ramp,
    evaluate: Evaluate,
    length: float,
    limits: tuple[float, float],
    novelty: Novelties,
    progress: Progress,
) -> None:
    """Advance runs along a ramp, each until its end or its failure."""
    steps = max(1, round(length / TIMESTEP / SEGMENTS))
    _look(climbs, novelty)
    for number in range(1, SEGMENTS + 1):
        going = [climb for climb in climbs if not climb.run.reason]
        part = number / SEGMENTS
        thermostat = Thermostat(_between(ramp.temperature, part), DAMPING)
        runs = [climb.run for climb in going]
        integrate(runs, evaluate, timestep=TIMESTEP, steps=steps, thermostat=thermostat)
        _look(going, novelty)
        for climb in going:
            if not climb.run.reason:
                _judge(climb.run, ramp.start.get_volume(), *limits)
            if not climb.run.reason and ramp.pressure:
                _follow(climb.run, _between(ramp.pressure, part))
            climb.passed += not climb.run.reason
        progress.add()


def _look(climbs: Sequence[Climb], novelty: Novelties) -> None:
    """Store the novelty of every cell; NaN for one whose atoms coincide or are lost."""
    if not climbs:
        return
    try:
        found = novelty([climb.run.cell for climb in climbs])
    except GeometryError as error:
        climbs[error.cell].novelty.append(np.nan)
        _look([climb for place, climb in enumerate(climbs) if place != error.cell], novelty)
        return
    for climb, value in zip(climbs, found, strict=True):
        climb.novelty.append(float(value))


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


def _row(climb: Climb, ramp: Ramp) -> dict[str, Any]:
    """Return how far a run got; where numbers were lost on the way, the last ones are given."""
    run, part = climb.run, climb.passed / SEGMENTS
    return {
        "reached": part,
        "temperature": _between(ramp.temperature, part),
        "pressure": run.pressure / units.GPa if run.kinetic else np.nan,
        "volume": run.cell.get_volume() / ramp.start.get_volume(),
        "reason": run.reason,
    }


def _warning(climb: Climb, threshold: float) -> dict[str, float]:
    """Return the novelty on the way, and where it was first above a threshold."""
    novelty = np.array(climb.novelty)
    before = novelty[: climb.passed + 1]
    above = np.flatnonzero(before > threshold)
    tenths = np.full(len(TENTHS), np.nan)
    tenths[: climb.passed // TENTH + 1] = before[::TENTH]
    return {
        "threshold": threshold,
        "crossed": above[0] / SEGMENTS if len(above) else np.nan,
        "novelty_before": novelty[max(0, climb.passed - TENTH)],
        "novelty_end": novelty[-1],
        "novelty_largest": np.nanmax(novelty),
        **dict(zip(TENTHS, tenths, strict=True)),
    }


def _between(ends: tuple[float, float], part: float) -> float:
    return ends[0] + part * (ends[1] - ends[0])
