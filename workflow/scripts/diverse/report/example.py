"""A complete LAMMPS input for a potential: what it says of the crystal that it starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from diverse.structures import ReferenceLattice

ATOMS = 2000
HEAVY = 183.84  # amu, of tungsten, whose time step is 2 fs; others oscillate as their mass allows


def example_facts(lattice: ReferenceLattice) -> dict[str, Any]:
    """Return the facts that the template ``npt.lammps`` takes.

    Parameters
    ----------
    lattice : ReferenceLattice

    Returns
    -------
    dict
        ``box``, the bounds and tilts (Å) of the conventional cell as LAMMPS takes them; ``places``
        of its atoms (Å); ``repeats`` to about 2,000 atoms in a cell of about equal sides;
        ``atoms``, their number; ``mass`` (amu); ``timestep`` (ps), 2 fs for tungsten, shorter by
        the root of the mass for lighter elements.
    """
    atoms = lattice.conventional()
    cell, _ = atoms.cell.standard_form()
    side = (ATOMS * atoms.get_volume() / len(atoms)) ** (1 / 3)
    repeats = np.maximum(1, np.rint(side / np.diag(cell.array)).astype(int))
    mass = float(atoms.get_masses()[0])
    (xx, _, _), (xy, yy, _), (xz, yz, zz) = cell.array
    return {
        "box": _numbers(0, xx, 0, yy, 0, zz, xy, xz, yz),
        "places": [_numbers(*place) for place in atoms.get_scaled_positions() @ cell.array],
        "repeats": " ".join(map(str, repeats)),
        "atoms": int(np.prod(repeats)) * len(atoms),
        "mass": mass,
        "timestep": f"{0.002 * min(1.0, np.sqrt(mass / HEAVY)):.1g}",
    }


def _numbers(*values: float) -> str:
    return " ".join(f"{value + 0.0:.10g}" for value in values)
