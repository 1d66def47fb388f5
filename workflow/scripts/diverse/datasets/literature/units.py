"""Units of pressure by their meaning, whatever their spelling."""

from __future__ import annotations

import re

from ase.units import Bohr, Hartree

from diverse.datasets.literature.frame import FrameError
from diverse.lammps_library import BAR

KBAR, GPA = 1e3 * BAR, 1e4 * BAR  # in eV/Å^3, as all of the table
PRESSURES = {
    **dict.fromkeys(("bar", "bars", "metal"), BAR),
    **dict.fromkeys(("kb", "kbar", "kbars", "kilobar", "kilobars"), KBAR),
    **dict.fromkeys(("gpa", "gigapascal", "gigapascals"), GPA),
    **dict.fromkeys(("mpa", "megapascal"), GPA / 1000),
    **dict.fromkeys(("kpa", "kilopascal"), GPA / 1e6),
    **dict.fromkeys(("pa", "pascal"), GPA / 1e9),
    **dict.fromkeys(("atm", "atmosphere"), 1.01325 * BAR),
    **dict.fromkeys(
        ("ev/a3", "ev/ang3", "ev/angstrom3", "ev/å3", "electronvoltperangstromcubed"), 1.0
    ),
    **dict.fromkeys(
        ("electronvoltperangstrom3", "electronvolt/angstrom3", "evperangstrom3", "evpera3"), 1.0
    ),
    **dict.fromkeys(("ha/bohr3", "hartree/bohr3"), Hartree / Bohr**3),
    **dict.fromkeys(("ehperbohrperbohrperbohr",), Hartree / Bohr**3),
}


def pressure_unit(name: str) -> float:
    """Return a unit of pressure in eV/Å^3.

    Parameters
    ----------
    name : str
        ``bar``, ``kB`` or ``kbar`` (1,000 bar), ``GPa``, ``eV/Å^3`` and other spellings; letters
        may be of any case. ``MPa`` and ``mPa`` are not told apart: nobody measures the latter.

    Raises
    ------
    FrameError
        If the unit is unknown; the message names those that are known.
    """
    plain = re.sub(r"[\s_^*]", "", name).casefold().replace("³", "3")
    if plain not in PRESSURES:
        raise FrameError(
            f"the unit of stress is '{name[:40]}'; known are bar, kB = kbar = 1000 bar, GPa, MPa, "
            "Pa, atm, eV/Å^3 and Ha/bohr^3"
        )
    return PRESSURES[plain]
