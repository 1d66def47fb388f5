"""The reference lattice by a potential: lattice constants, equations of state, the Bain path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.eos import EquationOfState
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.units import GPa

from diverse.generate.expert.crystals import crystal
from diverse.physics import Curve, Found, PhysicsError
from diverse.physics.calculators import energies_of, energy_of
from diverse.physics.relaxation import run_relaxation
from diverse.structures import ReferenceLattice

VOLUMES = np.linspace(0.8, 1.2, 17)  # of an equation of state, over the reference lattice's
NEAR = np.linspace(0.94, 1.06, 7)  # of the relaxed volume, for a bulk modulus, as DeltaCodesDFT
FITTED = 0.1  # of the volume: points about the lowest one that the energy of a lattice is fitted to
CELL_FORCE = 1e-3  # eV, stress times volume of an atom (0.01 GPa for tungsten) of a relaxed cell
LARGEST_SHEAR = 0.02  # strain between a lattice and itself, after its volume and c/a are relaxed
FCC_RATIO = 2**0.5  # c/a at which bct is fcc
BAIN_RATIOS = np.linspace(0.8, 1.6, 17)


@dataclass(frozen=True)
class Crystal:
    """The reference lattice, relaxed by a potential.

    Attributes
    ----------
    reference : ReferenceLattice
        As the study file gives it.
    calculator : Calculator
        The potential.
    """

    reference: ReferenceLattice
    calculator: Calculator

    @cached_property
    def scan(self) -> tuple[np.ndarray, np.ndarray]:
        """Volumes (Å^3) and energies (eV) per atom, from 0.8 to 1.2 of the reference volume."""
        return volume_scan(self.reference.primitive(), self.calculator)

    @cached_property
    def primitive(self) -> Atoms:
        """The primitive cell with relaxed lattice constants and positions, without calculator.

        Raises
        ------
        PhysicsError
            If the energy has no minimum within 20 % of the reference volume, the relaxation fails
            or leads to another lattice.
        """
        volumes, energies = self.scan
        lowest = _interior(energies)
        atoms = self.reference.primitive()
        start = volumes[lowest] * len(atoms) / atoms.get_volume()
        atoms.set_cell(atoms.cell.array * start ** (1 / 3), scale_atoms=True)
        atoms.calc = self.calculator
        cells = FrechetCellFilter(atoms, hydrostatic_strain=self.reference.cubic)
        run_relaxation(cells, [atoms], CELL_FORCE, BFGS)
        _check_lattice(self.reference, atoms)
        atoms.calc = None
        return atoms

    @cached_property
    def energy(self) -> float:
        """Energy per atom (eV) of the relaxed lattice."""
        return energy_of(self.primitive, self.calculator) / len(self.primitive)

    @cached_property
    def lattice(self) -> ReferenceLattice:
        """The reference lattice with the potential's own constants.

        Raises
        ------
        PhysicsError
            If the reference lattice comes from a file, so that planes and directions have no names.
        """
        if self.reference.file is not None:
            raise PhysicsError("does not apply: the reference lattice comes from a file")
        scale = _scales(self.reference, self.primitive)
        constants = {"a": self.reference.a * scale[0]}
        if self.reference.c is not None:
            constants["c"] = self.reference.c * scale[2]
        return replace(self.reference, **constants)

    def supercell(self, edge: float) -> Atoms:
        """Return a supercell with edges of at least `edge` (Å): right-angled unless of a file."""
        named = self.reference.file is None
        unit = self.lattice.conventional() if named else self.primitive.copy()
        return unit.repeat([int(np.ceil(edge / length)) for length in unit.cell.lengths()])

    def need(self, *structures: str) -> None:
        """Refuse a property that is defined for other lattices.

        Raises
        ------
        PhysicsError
            If the reference lattice is none of `structures`.
        """
        if self.reference.structure not in structures:
            raise PhysicsError(
                f"does not apply: the lattice is {self.reference.structure}, not "
                f"{' or '.join(structures)}"
            )


def lattice_constant(axis: str, crystal: Crystal) -> Found:
    """Return the lattice constant a or c (Å).

    The primitive cell relaxes from the lowest of 17 volumes within 20 % of the reference volume
    until the stress times the volume of an atom is below 0.001 eV. The curve shows the energies of
    those volumes, with the axes' ratio of the reference lattice.
    """
    value = float(getattr(crystal.lattice, axis))
    volumes, energies = crystal.scan
    atoms = len(crystal.primitive)
    scales = (volumes * atoms / crystal.primitive.get_volume()) ** (1 / 3)
    relative = 1000 * (energies - energies.min())
    titles = f"{axis} (Å)", "energy (meV/atom)"
    curve = Curve((scales * value).tolist(), [relative.tolist()], *titles)
    return Found({f"lattice constant {axis}": value}, curve, atoms=atoms)


def equation_of_state(crystal: Crystal) -> Found:
    """Return the bulk modulus (GPa) of a Birch-Murnaghan equation of state.

    It is fitted (F. Birch, Phys. Rev. 71, 809 (1947), by `ase.eos`) to 7 energies within 6 % of the
    relaxed volume, as K. Lejaeghere et al., Crit. Rev. Solid State 39, 1 (2014) do; the curve goes
    from 0.8 to 1.2 of the reference volume. c/a stays.
    """
    near = volume_scan(crystal.primitive, crystal.calculator, NEAR)
    modulus = birch_murnaghan(*near)[2] / GPa
    size = len(crystal.primitive)
    return Found({"bulk modulus": modulus}, energy_curve(*crystal.scan), atoms=size)


def structure_energy(structure: str, crystal_: Crystal) -> Found:
    """Return the energy of another lattice above the reference lattice (meV/atom).

    Each at its own volume, from a Birch-Murnaghan fit about the lowest of 17 energies; hcp has the
    ideal c/a, positions are those of the ideal lattice.
    """
    if crystal_.reference.structure == structure:
        raise PhysicsError("is the reference lattice")
    cell = crystal(crystal_.lattice, structure)
    volumes, energies = volume_scan(cell, crystal_.calculator)
    _, lowest, _ = birch_murnaghan(volumes, energies)
    difference = 1000 * (lowest - crystal_.energy)
    curve = energy_curve(volumes, energies)
    return Found({f"{structure} energy": difference}, curve, atoms=len(cell))


def bain_path(crystal: Crystal) -> Found:
    """Return the energy (meV/atom) at the other end of the Bain path, fcc of bcc or bcc of fcc.

    The path stretches body-centred cells from c/a 0.8 to 1.6 (bcc 1, fcc sqrt 2) at the volume of
    the relaxed lattice (E. C. Bain, Trans. AIME 70, 25 (1924)).
    """
    crystal.need("bcc", "fcc")
    other = "fcc" if crystal.reference.structure == "bcc" else "bcc"
    ratios = np.sort([*BAIN_RATIOS, 1.0, FCC_RATIO])
    ratios = ratios[np.diff(ratios, prepend=0) > 1e-6]
    energies = energies_of([_tetragonal(crystal, x) for x in ratios], crystal.calculator)
    relative = 1000 * (energies - crystal.energy)
    end = FCC_RATIO if other == "fcc" else 1.0
    value = float(relative[np.argmin(np.abs(ratios - end))])
    titles = "c/a", "energy (meV/atom)"
    ticks = [("bcc", 1.0), ("fcc", FCC_RATIO)]
    return Found(
        {f"Bain path {other}": value},
        Curve(ratios.tolist(), [relative.tolist()], *titles, ticks),
        atoms=1,
    )


def volume_scan(
    atoms: Atoms, calculator: Calculator, stretches: np.ndarray = VOLUMES
) -> tuple[np.ndarray, np.ndarray]:
    """Return volumes (Å^3) and energies (eV) per atom of a cell at multiples of its volume."""
    energies = energies_of([scaled(atoms, volume) for volume in stretches], calculator)
    return stretches * atoms.get_volume() / len(atoms), energies / len(atoms)


def scaled(atoms: Atoms, volume: float) -> Atoms:
    """Return a copy of a cell at a multiple of its volume."""
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array * volume ** (1 / 3), scale_atoms=True)
    return copy


def birch_murnaghan(volumes: np.ndarray, energies: np.ndarray) -> tuple[float, float, float]:
    """Return volume, energy and bulk modulus (eV/Å^3) at the minimum of a scan of volumes.

    Raises
    ------
    PhysicsError
        If the lowest energy is the first or the last, or the points are no such curve.
    """
    lowest = volumes[_interior(energies)]
    near = np.abs(volumes / lowest - 1) < FITTED + 1e-9
    try:
        fit = EquationOfState(volumes[near], energies[near], eos="birchmurnaghan").fit(warn=False)
    except (RuntimeError, ValueError) as error:
        raise PhysicsError(f"no equation of state fits the energies ({error})") from error
    return float(fit[0]), float(fit[1]), float(fit[2])


def energy_curve(volumes: np.ndarray, energies: np.ndarray) -> Curve:
    """Return energies over volumes, relative to the lowest, as a curve."""
    relative = 1000 * (energies - energies.min())
    return Curve(volumes.tolist(), [relative.tolist()], "volume (Å³/atom)", "energy (meV/atom)")


def _interior(energies: Sequence[float] | np.ndarray) -> int:
    """Return the place of the lowest energy, which is neither the first nor the last."""
    lowest = int(np.argmin(energies))
    if lowest in (0, len(energies) - 1):
        raise PhysicsError("the energy has no minimum among the volumes that were looked at")
    return lowest


def _tetragonal(crystal: Crystal, ratio: float) -> Atoms:
    """Return the body-centred tetragonal primitive cell of a c/a at the crystal's volume."""
    volume = crystal.primitive.get_volume() / len(crystal.primitive)
    a = (2 * volume / ratio) ** (1 / 3)
    return bulk(crystal.reference.element, "bct", a=a, c=ratio * a)


def _scales(reference: ReferenceLattice, atoms: Atoms) -> np.ndarray:
    """Return the stretches along x, y and z between the reference's primitive cell and another."""
    deformation = np.linalg.solve(reference.primitive().cell.array, atoms.cell.array)
    return np.diag(deformation)


def _check_lattice(reference: ReferenceLattice, atoms: Atoms) -> None:
    """Refuse a cell that has left the lattice it started from."""
    deformation = np.linalg.solve(reference.primitive().cell.array, atoms.cell.array)
    volume = float(np.linalg.det(deformation))
    shear = float(np.abs(deformation - np.diag(np.diag(deformation))).max())
    if not VOLUMES[0] < volume < VOLUMES[-1]:
        raise PhysicsError(f"the lattice relaxes to {volume:.2f} of the reference volume")
    if shear > LARGEST_SHEAR:
        raise PhysicsError(
            f"the lattice is not {reference.structure}: it shears by {shear:.2f} as it relaxes"
        )


Measure = Callable[[Crystal], Found]
