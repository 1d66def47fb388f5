"""Velocity Verlet, with or without a Langevin thermostat, of many runs of one potential at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units

from diverse.dynamics import Evaluate
from diverse.kernel import GeometryError

JUMP = 1.0  # eV/atom, by which a run without thermostat may leave its energy at the start
HOTTEST = 5.0  # times its temperature at the start, or the one of its thermostat
FAR = 100.0  # Å, by which an atom may leave its place at the start


@dataclass(frozen=True)
class Thermostat:
    """Langevin thermostat in the splitting OBABO.

    Half a step before and after velocity Verlet, v becomes c v + sqrt((1 - c^2) k T / m) R, with
    c = exp(-dt / (2 damping)) and normal deviates R. Source: Bussi and Parrinello, Phys. Rev. E
    75, 056707 (2007), section IV.

    Attributes
    ----------
    temperature : float, K
    damping : float, fs
        Time in which velocities are forgotten.
    """

    temperature: float
    damping: float


class Run:
    """One run: where it is, and the energies of every step until its end or its failure.

    Parameters
    ----------
    cell : Atoms
        Start, with velocities.
    stream : Generator, optional
        Random numbers of the thermostat.

    Attributes
    ----------
    cell : Atoms
        Where it is now.
    velocities, forces : ndarray, shape (n_atoms, 3)
        In units of ASE.
    stress : ndarray, shape (6,), eV/Å^3
        Of the potential energy; Voigt order and sign of ASE.
    potential, kinetic : list of float, eV/atom
        One entry a step, the start included.
    reason : str
        Why it failed; empty if it did not.
    """

    def __init__(self, cell: Atoms, stream: np.random.Generator | None = None) -> None:
        self.cell, self.start, self.stream = cell.copy(), cell.positions.copy(), stream
        self.mass = cell.get_masses()[:, None]
        self.velocities = cell.get_velocities()
        self.forces = np.zeros_like(self.velocities)
        self.stress = np.zeros(6)
        self.potential: list[float] = []
        self.kinetic: list[float] = []
        self.reason = ""

    def kick(self, time: float) -> None:
        """Change velocities by the forces of a time (ASE's unit)."""
        self.velocities += time * self.forces / self.mass

    def exchange(self, thermostat: Thermostat, timestep: float) -> None:
        """Change velocities by half a time step (fs) of the thermostat."""
        assert self.stream is not None
        kept = np.exp(-timestep / (2 * thermostat.damping))
        spread = np.sqrt((1 - kept**2) * units.kB * thermostat.temperature / self.mass)
        self.velocities *= kept
        self.velocities += spread * self.stream.standard_normal(self.velocities.shape)

    def record(self, energy: float) -> None:
        """Store the energies of this step, given the potential energy (eV)."""
        n = len(self.cell)
        self.potential.append(float(energy) / n)
        self.kinetic.append(0.5 * float((self.mass * self.velocities**2).sum()) / n)

    @property
    def temperature(self) -> float:
        """Instantaneous temperature, K, from all 3 n_atoms momenta."""
        return self.kinetic[-1] / (1.5 * units.kB)

    @property
    def pressure(self) -> float:
        """Instantaneous pressure, eV/Å^3: of the forces, and of the momenta."""
        density = len(self.cell) / self.cell.get_volume()
        return float(2 / 3 * self.kinetic[-1] * density - self.stress[:3].mean())

    def scale(self, factor: float) -> None:
        """Scale the cell and all places in it."""
        self.cell.set_cell(factor * self.cell.cell.array, scale_atoms=True)
        self.start *= factor

    @property
    def energies(self) -> np.ndarray:
        """Total energy of every step, eV/atom."""
        return np.array(self.potential) + np.array(self.kinetic)

    def fail(self, hottest: float, jump: float) -> None:
        """Say why the run has failed, if it has: beyond a temperature (K) or energy (eV/atom)."""
        change = self.potential[-1] + self.kinetic[-1] - self.potential[0] - self.kinetic[0]
        if not np.isfinite(change):
            self.reason = "energy is not finite"
        elif abs(change) > jump:
            self.reason = f"energy jump of {change:.1f} eV/atom"
        elif self.temperature > hottest:
            self.reason = f"temperature run-away: {self.temperature:.0f} K"
        elif np.abs(self.cell.positions - self.start).max() > FAR:
            self.reason = f"lost atoms: one moved by more than {FAR:g} Å"


def integrate(
    runs: Sequence[Run],
    evaluate: Evaluate,
    *,
    timestep: float,
    steps: int,
    thermostat: Thermostat | None = None,
) -> None:
    """Advance runs, each until its end or its failure.

    Parameters
    ----------
    runs : sequence of Run
        They are changed in place. A run fails, and the others go on, when two of its atoms
        coincide or one moved by 100 Å, a number is not finite, its temperature is five times the
        one at its start or of its thermostat, or, without a thermostat, its energy is 1 eV/atom
        away from its start.
    evaluate : callable
        Energies and forces of cells.
    timestep : float, fs
    steps : int
    thermostat : Thermostat, optional
        Without it, energy is conserved as well as the time step allows.
    """
    jump = JUMP if thermostat is None else np.inf
    going = _compute(list(runs), evaluate)
    for run, energy in going:
        run.record(energy)
    warm = {id(run): thermostat.temperature if thermostat else run.temperature for run, _ in going}
    for _ in range(steps):
        moving = [run for run, _ in going if not run.reason]
        for run in moving:
            _before_forces(run, timestep, thermostat)
        going = _compute(moving, evaluate)
        for run, energy in going:
            _after_forces(run, timestep, thermostat)
            run.record(energy)
            run.fail(HOTTEST * warm[id(run)], jump)


def _before_forces(run: Run, timestep: float, thermostat: Thermostat | None) -> None:
    if thermostat:
        run.exchange(thermostat, timestep)
    run.kick(timestep * units.fs / 2)
    run.cell.positions += timestep * units.fs * run.velocities


def _after_forces(run: Run, timestep: float, thermostat: Thermostat | None) -> None:
    run.kick(timestep * units.fs / 2)
    if thermostat:
        run.exchange(thermostat, timestep)


def _compute(runs: list[Run], evaluate: Evaluate) -> list[tuple[Run, float]]:
    """Set the forces of runs; return those that have any, with their potential energies (eV)."""
    while runs:
        try:
            found = evaluate([run.cell for run in runs])
        except GeometryError as error:
            runs[error.cell].reason = f"lost atoms: {error}"
            runs = [run for run in runs if not run.reason]
            continue
        ends = np.cumsum([len(run.cell) for run in runs])[:-1]
        for run, forces in zip(runs, np.split(found.forces, ends), strict=True):
            run.forces = forces
        for run, stress in zip(runs, found.stresses, strict=True):
            run.stress = stress
        return list(zip(runs, found.energies.tolist(), strict=True))
    return []
