"""Energy conservation against the time step (claim C4): runs at constant energy, one row each.

From one start for each velocity seed, equilibrated at its temperature with a thermostat, every time
step gives a run of the same length without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import Stationary, thermalize_momenta

from diverse.dynamics import Evaluate
from diverse.dynamics.verlet import Run, Thermostat, integrate
from diverse.progress import Progress

EQUILIBRATION_STEP = 2.0  # fs
DAMPING = 100.0  # fs
COLUMNS = [
    *("timestep", "seed", "length", "energy_rms", "drift", "drift_ratio", "kinetic_std"),
    *("temperature", "reason"),
]


@dataclass(frozen=True)
class Protocol:
    """Settings of the runs.

    Attributes
    ----------
    temperature : float, K
        Of the thermostat before the runs.
    equilibration, length : float, fs
        Time with the thermostat, and of a run without.
    timesteps : mapping of float (fs) to int
        Velocity seeds of each time step, the first so many.
    """

    temperature: float
    equilibration: float
    length: float
    timesteps: Mapping[float, int]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Protocol:
        """Make it from the block `dynamics` of a study, whose keys are text."""
        steps = {float(step): seeds for step, seeds in settings["timesteps"].items()}
        times = {name: settings[name] for name in ("temperature", "equilibration", "length")}
        return cls(**times, timesteps=dict(sorted(steps.items())))


def conservation_rows(
    crystal: Atoms,
    evaluate: Evaluate,
    protocol: Protocol,
    streams: Sequence[np.random.Generator],
) -> list[dict[str, Any]]:
    """Run a potential with every time step and seed.

    Parameters
    ----------
    crystal : Atoms
        Perfect supercell that every run starts from.
    evaluate : callable
        Energies and forces of cells.
    protocol : Protocol
    streams : sequence of Generator
        One for each velocity seed.

    Returns
    -------
    list of dict
        Keys `COLUMNS`, one entry a time step (fs) and seed: the time that the run lasted (fs),
        what `deviations` returns, the mean temperature (K), and why the run failed; without
        numbers where it did.
    """
    starts = equilibrated(crystal, evaluate, protocol, streams)
    rows: list[dict[str, Any]] = []
    work = sum(seeds / timestep for timestep, seeds in protocol.timesteps.items())
    progress = Progress(work, f"{len(protocol.timesteps)} time steps")
    for timestep, seeds in protocol.timesteps.items():
        rows += _rows(starts[:seeds], evaluate, timestep, round(protocol.length / timestep))
        progress.add(seeds / timestep)
    return rows


def _rows(
    starts: Sequence[Run], evaluate: Evaluate, timestep: float, steps: int
) -> list[dict[str, Any]]:
    """Return the rows of one time step."""
    runs = {seed: Run(start.cell) for seed, start in enumerate(starts) if not start.reason}
    integrate(list(runs.values()), evaluate, timestep=timestep, steps=steps)
    rows = []
    for seed, start in enumerate(starts):
        failed = {"length": 0.0, "reason": f"equilibration: {start.reason}"}
        found = _row(runs[seed], timestep) if seed in runs else failed
        rows.append({"timestep": timestep, "seed": seed} | found)
    return rows


def equilibrated(
    crystal: Atoms,
    evaluate: Evaluate,
    protocol: Protocol,
    streams: Sequence[np.random.Generator],
) -> list[Run]:
    """Return runs at the end of their time with a thermostat, the centre of mass at rest.

    They begin with velocities of twice the temperature, half of which goes into displacements.
    """
    runs = []
    for stream in streams:
        cell = crystal.copy()
        thermalize_momenta(cell, temperature_K=2 * protocol.temperature, rng=stream)
        runs.append(Run(cell, stream))
    integrate(
        runs,
        evaluate,
        timestep=EQUILIBRATION_STEP,
        steps=round(protocol.equilibration / EQUILIBRATION_STEP),
        thermostat=Thermostat(protocol.temperature, DAMPING),
    )
    for run in runs:
        run.cell.set_velocities(run.velocities)
        Stationary(run.cell)
    return runs


def deviations(total: np.ndarray, kinetic: np.ndarray, timestep: float) -> dict[str, float]:
    """Return how well the energy of a run was conserved.

    Parameters
    ----------
    total, kinetic : ndarray, shape (n_steps + 1,), eV/atom
    timestep : float, fs

    Returns
    -------
    dict
        ``energy_rms`` (meV/atom), root mean square of the total energy about its mean; ``drift``
        (meV/atom/ps), slope of a straight line through it; ``kinetic_std`` (meV/atom), standard
        deviation of the kinetic energy; ``drift_ratio``, |drift| times the length of the run over
        ``kinetic_std``.
    """
    times = np.arange(len(total)) * timestep / 1000
    drift = 1000 * float(np.polyfit(times, total - total[0], 1)[0])
    spread = 1000 * float(np.std(kinetic))
    return {
        "energy_rms": 1000 * float(np.std(total - total[0])),
        "drift": drift,
        "drift_ratio": abs(drift) * float(times[-1]) / spread,
        "kinetic_std": spread,
    }


def mean_temperature(kinetic: np.ndarray, n_atoms: int) -> float:
    """Return the mean temperature (K) of atoms whose centre of mass is at rest.

    Parameters
    ----------
    kinetic : ndarray, eV/atom
        Kinetic energies.
    n_atoms : int
        Number of atoms, which have 3 n - 3 degrees of freedom.
    """
    return float(kinetic.mean() * n_atoms / (1.5 * (n_atoms - 1) * units.kB))


def _row(run: Run, timestep: float) -> dict[str, Any]:
    length = (len(run.potential) - 1) * timestep
    if run.reason:
        return {"length": length, "reason": run.reason}
    kinetic = np.array(run.kinetic)
    found = {"temperature": mean_temperature(kinetic, len(run.cell)), "reason": ""}
    return {"length": length} | deviations(run.energies, kinetic, timestep) | found
