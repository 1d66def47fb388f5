"""Phonons and thermal expansion, by phonopy."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.calculators.calculator import Calculator

from diverse.physics import Curve, Found, PhysicsError
from diverse.physics.calculators import check_forces, energies_of
from diverse.physics.crystal import Crystal, scaled
from diverse.structures import ReferenceLattice

EDGE = 11.0  # Å, at least, between opposite faces of supercells
LARGEST_DENOMINATOR = 8  # of a special point's coordinates; in bct some are no such fractions
DISPLACEMENT = 0.01  # Å
POINTS = 60  # along a path of wave vectors
UNSTABLE = -0.05  # THz: frequencies are imaginary from here on
ONE_FREQUENCY = {"bcc": ("H", "P")}  # special points where symmetry makes all frequencies equal
DECIMALS = 4  # THz; the three frequencies that are zero come out as smaller ones
MESH = [11, 11, 11]
STRETCHES = np.linspace(0.97, 1.08, 7)  # volumes of the quasi-harmonic approximation
TEMPERATURES = (300, 1000, 2000)  # K
STEP = 10  # K


def special_points(lattice: ReferenceLattice) -> dict[str, np.ndarray]:
    """Return the special points of the Brillouin zone but its centre, in reciprocal vectors."""
    points = lattice.primitive().cell.bandpath(npoints=0).special_points
    return {name: np.asarray(point) for name, point in points.items() if name != "G"}


def phonon_rows(lattice: ReferenceLattice) -> tuple[str, ...]:
    """Return the names of the rows of `phonon_frequencies`."""
    names = (_names(lattice, point) for point in special_points(lattice))
    return (*(name for pair in names for name in dict.fromkeys(pair)), "phonon lowest")


def phonon_frequencies(crystal: Crystal) -> Found:
    """Return frequencies (THz): lowest and highest at special points, lowest along the path.

    By phonopy from displacements of 0.01 Å in a supercell with opposite faces at least 11 Å apart,
    in which waves of the special points repeat, but for lattices from a file and points of bct that
    move with c/a: frequencies there are exact, others interpolated. Imaginary frequencies are
    negative: the lattice is then not stable.
    """
    phonon = _phonon(crystal.primitive, crystal.calculator, supercell_repeats(crystal.reference))
    values: dict[str, float] = {}
    for name, point in special_points(crystal.reference).items():
        frequencies = _frequencies(phonon, point[None])[0]
        low, high = _names(crystal.reference, name)
        values |= {low: float(frequencies.min()), high: float(frequencies.max())}
    path = crystal.primitive.cell.bandpath(npoints=POINTS)
    bands = _frequencies(phonon, path.kpts)
    values["phonon lowest"] = round(float(bands.min()), DECIMALS) + 0.0  # no minus zero
    x, places, names = path.get_linear_kpoint_axis()
    points = pd.Series(names).groupby(np.round(places, 6)).agg("|".join)  # H|P where a path jumps
    ticks = [(str(name), float(place)) for place, name in points.items()]
    curve = Curve(x.tolist(), bands.T.tolist(), "wave vector", "frequency (THz)", ticks)
    return Found(values, curve, atoms=len(phonon.supercell))


def _names(lattice: ReferenceLattice, point: str) -> tuple[str, str]:
    """Return the rows of the lowest and highest frequency at a point: one where all are equal."""
    if point in ONE_FREQUENCY.get(lattice.structure, ()):
        return f"phonon {point}", f"phonon {point}"
    return f"phonon {point} low", f"phonon {point} high"


def supercell_repeats(lattice: ReferenceLattice) -> np.ndarray:
    """Return the repeats of the primitive cell along its vectors in the supercell of phonons.

    They are the smallest for which opposite faces of the reference lattice are at least 11 Å apart
    and the phases of waves at the special points fit: multiples of 4 in bcc, of 8 in
    fcc and diamond (K and U are at 3/8 and 5/8), of 2 in sc, of 6, 6 and 2 in hcp. In bct, points
    that move with c/a are interpolated; for lattices from a file only the distance counts, since
    their primitive cells may be large.

    Returns
    -------
    ndarray of int, shape (3,)
    """
    cell = lattice.primitive().cell.array
    least = EDGE * np.linalg.norm(np.linalg.inv(cell), axis=0)
    multiples = np.ones(3, dtype=int)
    if lattice.file is None:
        for point in special_points(lattice).values():
            parts = [Fraction(float(q)).limit_denominator(LARGEST_DENOMINATOR) for q in point]
            if np.allclose(point, [float(part) for part in parts]):
                multiples = np.lcm(multiples, [part.denominator for part in parts])
    return multiples * np.ceil(least / multiples).astype(int)


def thermal_expansion(crystal: Crystal) -> Found:
    """Return the linear expansion (%) from 0 K to temperatures, quasi-harmonic.

    Phonons at 7 volumes from 0.97 to 1.08 of the relaxed one, the free energy's minimum over the
    volume by a Birch-Murnaghan fit (`phonopy.run_qha`); c/a stays.
    """
    from phonopy import run_qha

    cells = [scaled(crystal.primitive, volume) for volume in STRETCHES]
    repeats = supercell_repeats(crystal.reference)
    phonons = [_phonon(cell, crystal.calculator, repeats) for cell in cells]
    _check_stable(phonons)
    energies = energies_of(cells, crystal.calculator)
    temperatures = np.arange(0.0, max(TEMPERATURES) + 2 * STEP, STEP)
    options: Any = {"mesh": MESH, "eos": "birch_murnaghan", "exclude_gamma_acoustic": True}
    try:
        found = run_qha(phonons, temperatures, energies, **options)
    except (RuntimeError, ValueError) as error:
        raise PhysicsError(f"no quasi-harmonic free energy: {error}") from error
    volumes = np.asarray(found.equilibrium_volumes)
    inside = volumes < STRETCHES[-1] * crystal.primitive.get_volume()
    length = 100 * ((volumes / volumes[0]) ** (1 / 3) - 1)[inside]
    x = temperatures[: len(volumes)][inside]
    reached = [t for t in TEMPERATURES if t <= x.max()]
    return Found(
        {f"expansion {t} K": float(np.interp(t, x, length)) for t in reached},
        Curve(x[::5].tolist(), [length[::5].tolist()], "temperature (K)", "expansion (%)"),
        {
            f"expansion {t} K": f"the volume grows by more than 8 % from {x.max():.0f} K on"
            for t in TEMPERATURES
            if t not in reached
        },
        max(len(phonon.supercell) for phonon in phonons),
    )


def _phonon(primitive: Atoms, calculator: Calculator, repeats: np.ndarray) -> Any:
    """Return the phonons of a cell, by forces on displaced atoms of a supercell.

    Each atom of the cell is displaced to both sides along three axes: a supercell of hundreds of
    atoms has tens of thousands of symmetry operations, which take longer than these forces.
    """
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    unit = PhonopyAtoms(
        symbols=primitive.get_chemical_symbols(),
        cell=primitive.cell.array,
        scaled_positions=primitive.get_scaled_positions(),
    )
    phonon = Phonopy(unit, np.diag(repeats), primitive_matrix=np.eye(3), is_symmetry=False)
    phonon.generate_displacements(distance=DISPLACEMENT)
    displaced: Any = phonon.supercells_with_displacements
    phonon.forces = [_forces(cell, calculator) for cell in displaced]
    phonon.produce_force_constants()
    phonon.symmetrize_force_constants()
    return phonon


def _forces(cell: Any, calculator: Calculator) -> np.ndarray:
    atoms = Atoms(cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)
    atoms.calc = calculator
    forces = atoms.get_forces()
    check_forces(atoms.get_potential_energy(), forces)
    return np.asarray(forces)


def _frequencies(phonon: Any, points: np.ndarray) -> np.ndarray:
    """Return the frequencies (THz) at wave vectors, shape (n, modes)."""
    phonon.run_qpoints(points)
    return np.asarray(phonon.qpoints.frequencies)


def _check_stable(phonons: list[Any]) -> None:
    """Refuse phonons that have imaginary frequencies."""
    for phonon in phonons:
        phonon.run_mesh(MESH)
        lowest = float(phonon.mesh.frequencies.min())
        if lowest < UNSTABLE:
            raise PhysicsError(f"phonons are not stable: {lowest:.1f} THz at one of the volumes")
