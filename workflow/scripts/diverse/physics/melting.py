"""Melting point by coexistence of crystal and liquid."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from ase.constraints import FixAtoms
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta

from diverse.physics import Curve, Found, PhysicsError
from diverse.physics.calculators import check_forces
from diverse.physics.crystal import Crystal

REPEATS = (4, 4, 12)  # conventional cells: 384 atoms of bcc
TIMESTEP = 5.0  # fs for atoms of tungsten, shorter for lighter ones
HEAVY = 183.84  # amu
LOOK = 20  # steps between looks at the cell
LONGEST = 200  # looks at a run: 20 ps of tungsten
SETTLED = 20  # looks, before which nothing is decided: the cell follows its pressure
HOT, MELTED = 6.0, 300  # times the temperature at which one half melts; steps that it is given
GENTLE = 0.4  # of the time step, while it melts
FRICTION = 0.005  # 1/fs
STIFFNESS = 300 * units.GPa  # of the coupling to no pressure; a softer crystal is slower
FOLLOWED = 0.1  # part of the pressure that a look takes away
HALVINGS = 4  # of the range of temperatures
LOST = 0.2  # part of the cell: a phase with less than it has lost
ORDERED = 0.45  # of a structure factor without thermal motion: layers above it are crystal


def melting_range(temperatures: tuple[float, float], crystal: Crystal) -> Found:
    """Return the highest temperature (K) at which the crystal grows, the lowest at which it melts.

    Half of a cell of 4 x 4 x 12 conventional cells is melted, then both halves run at one
    temperature and zero pressure until one phase fills four fifths of the cell, for 20 ps of
    tungsten at most, less of lighter atoms (coexistence: J. R. Morris, C. Z. Wang, K. M. Ho, C. T.
    Chan, Phys. Rev. B 49, 3109 (1994)). The range of temperatures is halved 4 times, or until both
    phases stay: with cells this small a bracket, no more. The curve shows how much is crystal.

    Raises
    ------
    PhysicsError
        If the crystal grows, or melts, at every temperature that was tried.
    """
    crystal.need("bcc", "fcc")
    low, high = temperatures
    lines: dict[str, list[float]] = {}
    for run in range(HALVINGS):
        middle = (low + high) / 2
        parts = _crystal_parts(crystal, middle, np.random.default_rng(run))
        lines[f"{middle:.0f} K"] = parts
        if LOST < parts[-1] < 1 - LOST:
            break
        low, high = (middle, high) if parts[-1] > LOST else (low, middle)
    for end, limit, words in ((low, temperatures[0], "grows"), (high, temperatures[1], "melts")):
        if end == limit:
            raise PhysicsError(
                f"no melting point: the crystal {words} at none of {', '.join(lines)}"
            )
    atoms = _supercell(crystal)
    curve = _curve(lines, LOOK * _timestep(atoms) / 1000)
    return Found({"crystal grows": low, "crystal melts": high}, curve, atoms=len(atoms))


def crystal_part(atoms: Atoms) -> float:
    """Return the part of a supercell of `REPEATS` that is crystal, by its structure factor.

    Each layer of conventional cells along z is crystal where the mean of |<exp(i G r)>| over the
    reciprocal vectors G = 200 and 020 is above 0.45; it is 1 in a perfect bcc or fcc crystal,
    lower by the Debye-Waller factor in a hot one, and near zero in a liquid.
    """
    places = atoms.get_scaled_positions(wrap=True)
    layers = REPEATS[2]
    layer = np.minimum((places[:, 2] * layers).astype(int), layers - 1)
    waves = np.exp(4j * np.pi * places[:, :2] * REPEATS[:2])
    order = np.zeros(layers)
    for wave in waves.T:
        real, imaginary = (np.bincount(layer, part, layers) for part in (wave.real, wave.imag))
        order += np.hypot(real, imaginary) / 2
    counts = np.bincount(layer, minlength=layers)
    return float((order > ORDERED * np.maximum(counts, 1)).mean())


def _crystal_parts(crystal: Crystal, temperature: float, rng: np.random.Generator) -> list[float]:
    """Return the part of a half-molten cell that is crystal, look by look, at zero pressure."""
    atoms = _half_molten(crystal, temperature, rng)
    run = _thermostat(atoms, temperature, 1.0, rng)
    parts = [crystal_part(atoms)]
    while len(parts) <= LONGEST:
        run.run(LOOK)
        check_forces(atoms.get_potential_energy(), atoms.get_forces())
        strain = -FOLLOWED * atoms.get_stress(include_ideal_gas=True)[:3] / STIFFNESS
        atoms.set_cell(atoms.cell.array * (1 + strain)[:, None], scale_atoms=True)
        parts.append(crystal_part(atoms))
        if len(parts) > SETTLED and not LOST < parts[-1] < 1 - LOST:
            break
    return parts


def _half_molten(crystal: Crystal, temperature: float, rng: np.random.Generator) -> Atoms:
    """Return a cell whose upper half is liquid: melted while the lower half stood still."""
    atoms = _supercell(crystal)
    atoms.calc = crystal.calculator
    atoms.set_constraint(FixAtoms(np.flatnonzero(atoms.get_scaled_positions()[:, 2] < 0.5 - 1e-6)))
    for hot in (HOT * temperature, temperature):
        thermalize_momenta(atoms, hot, rng=rng)
        _thermostat(atoms, hot, GENTLE, rng).run(MELTED)
        check_forces(atoms.get_potential_energy(), atoms.get_forces())
    atoms.set_constraint()
    thermalize_momenta(atoms, temperature, rng=rng)
    return atoms


def _supercell(crystal: Crystal) -> Atoms:
    return crystal.lattice.conventional().repeat(REPEATS)


def _timestep(atoms: Atoms) -> float:
    """Return the time step (fs): that of tungsten, scaled with the root of the mass."""
    return TIMESTEP * float(np.sqrt(atoms.get_masses()[0] / HEAVY))


def _thermostat(
    atoms: Atoms, temperature: float, part: float, rng: np.random.Generator
) -> Langevin:
    """Return dynamics at a temperature (K), with a part of the time step."""
    step, friction = part * _timestep(atoms) * units.fs, FRICTION / units.fs
    return Langevin(atoms, step, temperature_K=temperature, friction=friction, rng=rng, fixcm=False)


def _curve(lines: dict[str, list[float]], interval: float) -> Curve:
    """Return the parts that are crystal over time (ps), of runs that ended early the last one."""
    longest = max(map(len, lines.values()))
    padded = [parts + parts[-1:] * (longest - len(parts)) for parts in lines.values()]
    times = [interval * n for n in range(longest)]
    return Curve(times, padded, "time (ps)", "part that is crystal", names=list(lines))
