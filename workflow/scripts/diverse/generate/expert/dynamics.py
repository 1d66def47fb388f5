"""Snapshots of molecular dynamics with a reference potential: hot crystals and liquids.

LAMMPS integrates and builds its own ghost images, so that cells may be smaller than the cutoff.
Every trajectory is started afresh at each snapshot from positions and velocities rounded to the
stored precision: what differs between processors in the last digits cannot grow, as it would
in a long chaotic trajectory, into different cells.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ctypes import c_double
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import thermalize_momenta

from diverse import lammps_library
from diverse.generate.expert.context import Context, values
from diverse.generate.expert.crystals import crystal
from diverse.neighbours import shortest_distance
from diverse.structures import PRECISION, tagged

DAMPING = 100.0  # fs, of the Langevin thermostat
PATIENCE = 10  # snapshots tried for each that is wanted

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Potential:
    """Text that LAMMPS reads after its commands of the same names, and the time step (fs)."""

    pair_style: str
    pair_coeff: Sequence[str]
    timestep: float


def md(
    context: Context,
    *,
    pair_style: str,
    pair_coeff: Sequence[str],
    timestep: float,
    lattices: Sequence[str],
    supercell: Sequence[int],
    volumes: Sequence[float] | dict[str, Any],
    temperatures: Sequence[float],
    equilibration: float,
    interval: float,
    snapshots: int,
) -> list[Atoms]:
    """Crystals in Langevin dynamics at constant volume.

    Parameters
    ----------
    pair_style, pair_coeff : str, sequence of str
        What follows the LAMMPS commands of the same names.
    timestep, equilibration, interval : float, fs
        Of integration; before the first interval, at whose end the first snapshot is taken;
        between snapshots.
    lattices : sequence of str
        Names that `crystal` knows.
    volumes : sequence of float or dict
        Relative volumes per atom (see `crystal`).
    temperatures : sequence of float, K
    snapshots : int
        Of each trajectory: one for every lattice, volume and temperature.
    """
    potential = Potential(pair_style, pair_coeff, timestep)
    cells: list[Atoms] = []
    for structure in lattices:
        for volume in values(volumes):
            atoms = crystal(context.lattice, structure, volume).repeat(tuple(supercell))
            for temperature in temperatures:
                stages = [(temperature, equilibration)]
                name = f"md_{structure}_{volume:g}_{temperature:g}K"
                found = _snapshots(context, name, atoms, potential, stages, interval, snapshots)
                cells.extend(tagged(cell, "md", name) for cell in found)
    return cells


def liquid(
    context: Context,
    *,
    pair_style: str,
    pair_coeff: Sequence[str],
    timestep: float,
    supercell: Sequence[int],
    volumes: Sequence[float] | dict[str, Any],
    melting: Sequence[float],
    temperatures: Sequence[float],
    equilibration: float,
    interval: float,
    snapshots: int,
) -> list[Atoms]:
    """Liquids: the reference lattice melted, then in Langevin dynamics at constant volume.

    Parameters
    ----------
    melting : sequence of 2 float
        Temperature (K), well above the melting point, and time (fs) of melting.

    The others are those of `md`.
    """
    potential = Potential(pair_style, pair_coeff, timestep)
    cells: list[Atoms] = []
    for volume in values(volumes):
        atoms = crystal(context.lattice, context.lattice.structure, volume)
        atoms = atoms.repeat(tuple(supercell))
        for temperature in temperatures:
            stages = [tuple(melting), (temperature, equilibration)]
            name = f"liquid_{volume:g}_{temperature:g}K"
            found = _snapshots(context, name, atoms, potential, stages, interval, snapshots)
            cells.extend(tagged(cell, "liquid", name) for cell in found)
    return cells


def _snapshots(
    context: Context,
    name: str,
    atoms: Atoms,
    potential: Potential,
    stages: Sequence[Any],
    interval: float,
    snapshots: int,
) -> list[Atoms]:
    """Return `snapshots` cells above the floor of the trajectory called `name`.

    Parameters
    ----------
    stages : sequence of (float, float)
        Temperatures (K) and times (fs) before the first interval, at whose end the first snapshot
        is taken.
    """
    instance = lammps_library.start()
    try:
        moving, rng = atoms.copy(), context.stream(name)
        thermalize_momenta(moving, temperature_K=stages[0][0], rng=rng)
        for temperature, time in stages:
            for span in _spans(time, interval, potential.timestep):
                advance(instance, moving, potential, temperature, span, rng)
        found: list[Atoms] = []
        for tried in range(1, PATIENCE * snapshots + 1):
            advance(instance, moving, potential, stages[-1][0], interval, rng)
            if shortest_distance(moving) >= context.d_min:
                found.append(moving.copy())
            if len(found) == snapshots:
                if tried > snapshots:
                    logger.info("%g K: %d snapshots too close", temperature, tried - snapshots)
                return found
    finally:
        instance.close()
    raise ValueError(
        f"only {len(found)} of {PATIENCE * snapshots} snapshots at {temperature:g} K keep their "
        f"atoms {context.d_min} Å apart; lower the temperature or raise the volume"
    )


def _spans(time: float, interval: float, timestep: float) -> list[float]:
    """Return the times (fs) after which a stage rounds its positions: intervals and what remains.

    Parameters
    ----------
    time, interval, timestep : float, fs
        Of the whole stage; of one of its parts; of integration. A remainder of half a time step or
        less is not run.
    """
    whole = int(time // interval)
    remainder = time - whole * interval
    spans = [interval] * whole
    return [*spans, remainder] if remainder > timestep / 2 else spans


def advance(
    instance: Any,
    atoms: Atoms,
    potential: Potential,
    temperature: float,
    time: float,
    rng: np.random.Generator,
) -> None:
    """Move `atoms` with their velocities by `time` (fs) of Langevin dynamics, then round both."""
    rotation = lammps_library.load_cell(instance, atoms, potential.pair_style, potential.pair_coeff)
    per_ps = 1000 * units.fs  # ASE's unit of time in ps
    velocities = (atoms.get_velocities() * per_ps) @ rotation.T
    instance.scatter_atoms("v", 1, 3, (c_double * velocities.size)(*velocities.ravel()))
    seed = rng.integers(1, 900_000_000)
    instance.commands_list(
        [
            "neighbor 1.0 nsq",
            "neigh_modify every 1 delay 0 check yes",
            f"timestep {potential.timestep / 1000:.16g}",
            "fix integrate all nve",
            f"fix bath all langevin {temperature} {temperature} {DAMPING / 1000} {seed}",
            f"run {round(time / potential.timestep)}",
        ]
    )
    positions, velocities = (
        np.array(instance.gather_atoms(name, 1, 3)).reshape(-1, 3) @ rotation for name in "xv"
    )
    atoms.positions = positions.round(PRECISION)
    atoms.set_velocities(velocities.round(PRECISION) / per_ps)
