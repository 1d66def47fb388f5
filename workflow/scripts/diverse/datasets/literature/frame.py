"""One configuration of a source: the numbers checked, then an ASE cell with its labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers, chemical_symbols

Array = np.ndarray[Any, np.dtype[Any]]

MAX_ATOMS = 200_000  # of one frame; more is a damaged count, not a training cell
MAX_LENGTH = 1e5  # Å, of a lattice vector; beyond, image numbers and rounding get out of hand
LARGEST = 1e12  # of a stress or virial, in any unit
ASYMMETRY = 1e-3  # of a stress, relative to its largest component
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])  # xx, yy, zz, yz, xz, xy
PLAIN = re.compile(r"[-+0-9.eE\s]*", re.ASCII)
NUMBER = re.compile(
    r"[-+]?(\d+\.?\d*|\.\d+)([eEdD]?[-+]\d+|[eEdD]\d+)?|[-+]?(nan|inf|infinity)",
    re.ASCII | re.IGNORECASE,
)


class FrameError(ValueError):
    """One configuration cannot be read; the message is its cause."""


def number(text: str) -> float:
    """Return the number that a word stands for; Fortran's ``1.5D-3`` and ``1.5-103`` are read.

    Raises
    ------
    FrameError
        For anything else, as ``1_000``, ``****`` or ``None``.
    """
    if not NUMBER.fullmatch(text):
        raise FrameError(f"'{text[:40]}' is not a number")
    plain = re.sub("[dD]", "e", text) if "n" not in text.lower() else text
    return float(re.sub(r"(?<=[\d.])([-+])", r"e\1", plain))


def numbers(words: Sequence[str]) -> Array:
    """Return the numbers that words stand for, as `number` reads each."""
    if PLAIN.fullmatch(" ".join(words)):
        try:
            return np.array(words, dtype=float)
        except ValueError:
            pass
    return np.array([number(word) for word in words])


def array(value: Any, name: str, shape: tuple[int, ...] | None = None) -> Array:
    """Return nested lists of numbers as an array.

    Parameters
    ----------
    value : nested list of numbers
    name : str
        For the message.
    shape : tuple of int, optional
        What the shape must be.

    Raises
    ------
    FrameError
        If there is anything but numbers in it, or the shape is another.
    """
    if value is None:
        raise FrameError(f"{name} is null")
    try:
        found = np.array(value)
        if found.dtype.kind not in "iuf":
            raise TypeError
        found = found.astype(float)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise FrameError(f"{name} is not a rectangular list of numbers") from None
    if shape is not None and found.shape != shape:
        raise FrameError(f"{name} has shape {found.shape}, it must be {shape}")
    return found


def scalar(value: Any, name: str) -> float:
    """Return a number, or raise FrameError if `value` is null, text, a truth value or a list."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FrameError(f"{name} is {'null' if value is None else repr(value)[:40]}, not a number")
    return float(array(value, name, ()))


def voigt(tensor: Array, name: str = "stress") -> Array:
    """Return a stress-like tensor in the order xx, yy, zz, yz, xz, xy.

    Parameters
    ----------
    tensor : ndarray, shape (3, 3), (9,) or (6,)
        Six numbers are taken to be in that order already.
    name : str
        For the message.

    Raises
    ------
    FrameError
        For another shape, numbers that are not finite, and a tensor that is not symmetric.
    """
    if tensor.shape not in ((3, 3), (9,), (6,)):
        raise FrameError(f"{name} has shape {tensor.shape}: 9 or 6 numbers are needed")
    if not (np.abs(tensor) < LARGEST).all():
        raise FrameError(f"{name} is not finite, or over {LARGEST:.0e}")
    if tensor.shape == (6,):
        return tensor.copy()
    full = tensor.reshape(3, 3)
    if np.abs(full - full.T).max() > ASYMMETRY * np.abs(full).max() + 1e-8:
        raise FrameError(f"{name} is not symmetric")
    return full[VOIGT]


def check_lattice(lattice: Array) -> None:
    """Raise FrameError unless a lattice is three vectors (Å) of finite and sensible length."""
    if lattice.shape != (3, 3):
        raise FrameError(f"the lattice has shape {lattice.shape}, it must be (3, 3)")
    if not (np.abs(lattice) < MAX_LENGTH).all():
        raise FrameError(f"a lattice vector is not finite, or longer than {MAX_LENGTH:.0e} Å")


def volume(lattice: Array | None, what: str) -> float:
    """Return the volume of a lattice (Å^3), which `what` needs; FrameError if it has none."""
    if lattice is None:
        raise FrameError(f"{what} needs a lattice")
    check_lattice(lattice)
    with np.errstate(all="ignore"):  # vectors of 1e-300 Å
        found = abs(float(np.linalg.det(lattice)))
    if not found >= 1e-6:
        raise FrameError(f"{what} needs a lattice with a volume")
    return found


def cartesian(places: Array, lattice: Array) -> Array:
    """Return fractional coordinates as positions (Å), not finite where they are far too large."""
    check_lattice(lattice)
    with np.errstate(over="ignore", invalid="ignore"):
        return places @ lattice


def numbers_of(species: Iterable[Any]) -> list[int]:
    """Return the atomic numbers of symbols (any case) or numbers.

    Raises
    ------
    FrameError
        If one is neither.
    """
    return [_atomic_number(str(kind).strip()) for kind in species]


def _atomic_number(kind: str) -> int:
    if kind.isascii() and kind.isdigit() and 0 < int(kind[:4]) < len(chemical_symbols):
        return int(kind[:4])
    found = atomic_numbers.get(kind.capitalize(), 0)
    if not found:
        raise FrameError(f"there is no element '{kind[:20]}'")
    return found


def make_atoms(
    species: Sequence[Any],
    positions: Array,
    lattice: Array | None,
    pbc: Sequence[bool],
    labels: dict[str, Any],
) -> Atoms:
    """Return one configuration as labelled atoms.

    Parameters
    ----------
    species : sequence of str or int, length n_atoms
    positions : ndarray, shape (n_atoms, 3), Å
    lattice : ndarray, shape (3, 3), Å, or None
        Rows are lattice vectors; None where nothing repeats.
    pbc : sequence of bool, length 3
    labels : dict
        ``energy``, ``free_energy`` (eV), ``forces`` (n_atoms, 3) (eV/Å), ``stress`` (6,)
        (eV/Å^3, in ASE's sign and order): those that are known.

    Raises
    ------
    FrameError
        If a shape is wrong, a position or the lattice is not finite or too large, or a direction
        repeats along no vector.
    """
    count = len(species)
    if not 0 < count <= MAX_ATOMS:
        raise FrameError(f"it has {count:,} atoms; 1 to {MAX_ATOMS:,} can be read")
    if positions.shape != (count, 3):
        raise FrameError(f"positions have shape {positions.shape}, there are {count} atoms")
    if "forces" in labels and labels["forces"].shape != (count, 3):
        raise FrameError(f"forces have shape {labels['forces'].shape}, there are {count} atoms")
    if not (np.abs(positions) < MAX_LENGTH).all():
        raise FrameError(f"a position is not finite, or over {MAX_LENGTH:.0e} Å from the origin")
    cell = np.zeros((3, 3)) if lattice is None else lattice
    check_lattice(cell)
    if len(pbc) != 3:
        raise FrameError(f"pbc has {len(pbc)} values, 3 are needed")
    for vector, repeats in zip(cell, pbc, strict=True):
        if repeats and not vector.any():
            raise FrameError("it repeats along a lattice vector that is missing or zero")
    atoms = Atoms(numbers_of(species), positions=positions, cell=cell, pbc=list(pbc))
    if labels:
        atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms
