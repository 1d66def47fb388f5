"""Structures that a published set holds more than once, as whole set and as parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from ase import Atoms

GRID = 1024 * 945  # points along a vector: fractions of crystals lie on them, not between two
Row = tuple[str, str, str, str]


def without_repeats(cells: Sequence[Atoms]) -> tuple[list[Atoms], list[Row]]:
    """Leave out structures that another group has, so that none is in training and in test.

    A structure that repeats one of its own group stays, in the trajectory of that one.

    Parameters
    ----------
    cells : sequence of Atoms
        With ``config_type``, ``trajectory``, ``record`` and ``protocol``.

    Returns
    -------
    cells : list of Atoms
    rows : list of tuple of str
        Record, group, problem and action of each repeat.
    """
    seen: dict[bytes, Atoms] = {}
    left, rows = [], []
    for cell in cells:
        first = seen.setdefault(structure_key(cell), cell)
        group, said = cell.info["config_type"], f"same structure as {first.info['record']}"
        if first is cell:
            left.append(cell)
        elif first.info["config_type"] == group:
            cell.info["trajectory"] = first.info["trajectory"]
            left.append(cell)
            rows.append((cell.info["record"], group, said, "kept"))
        else:
            said += f" of group {first.info['config_type']}"
            rows.append((cell.info["record"], group, said, "left out"))
    return left, rows


def structure_key(cell: Atoms) -> bytes:
    """Return a hash of species, lattice, protocol and the places of atoms inside the cell.

    Periodic images of an atom are the same: fractional coordinates are taken modulo 1.
    """
    places = np.rint(cell.get_scaled_positions(wrap=False) * GRID).astype("<i8") % GRID
    digest = sha256(f"{cell.info['protocol']} {' '.join(cell.get_chemical_symbols())}".encode())
    digest.update(np.rint(cell.cell.array * 1e6).astype("<i8").tobytes())
    digest.update(places.tobytes())
    return digest.digest()
