"""Labels from an interatomic potential, through the LAMMPS library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from ase import Atoms

from diverse import lammps_library
from diverse.labels.labellers import Label, LabelError, LabellerError

QUOTED = re.compile(r"""["]([^"]*)["]|[']([^']*)[']|(\S+)""")


@dataclass(frozen=True)
class Settings:
    """A pair style and its coefficients, as LAMMPS reads them.

    Attributes
    ----------
    pair_style : str
    pair_coeff : list of str
        One entry per command. A file is looked for here, then in the folders LAMMPS_POTENTIALS,
        then among the potentials that ship with LAMMPS.
    """

    pair_style: str
    pair_coeff: list[str]


def provenance(settings: Settings, element: str) -> dict[str, str]:
    """Return LAMMPS' version and the SHA-256 of the potential's files.

    Raises
    ------
    LabellerError
        If this LAMMPS does not have the pair style, or a command is not one line.
    """
    try:
        lammps_library.check_commands(settings.pair_style, settings.pair_coeff)
    except ValueError as error:
        raise LabellerError(str(error)) from error
    style = settings.pair_style.split()[0]
    if style not in lammps_library.pair_styles():
        raise LabellerError(f"LAMMPS knows no pair style '{style}'")
    digest = sha256()
    for file in _potentials(settings):
        digest.update(file.read_bytes())
    return {"code": f"lammps {version('lammps')}", "potential_sha256": digest.hexdigest()}


def label(atoms: Atoms, settings: Settings, log: Path) -> Label:
    """Run one static calculation; LAMMPS' message is the cause of a failure, it writes no log."""
    try:
        result = _evaluator(settings.pair_style, tuple(settings.pair_coeff))(atoms)
    except MemoryError:  # of the machine, not of the cell
        raise
    except Exception as error:  # LAMMPS raises bare Exception
        raise LabelError(str(error).strip()) from error
    return Label(result.energy, result.energy, result.forces, result.stress)


def files(settings: Settings) -> list[Path]:
    """Return the files that the commands name, but for those that ship with LAMMPS."""
    shipped = lammps_library.potentials()
    return [path for path in _potentials(settings) if not path.is_relative_to(shipped)]


def reads_once(settings: Settings) -> bool:
    """Return whether the pair style stays loaded from cell to cell."""
    return lammps_library.stays_loaded(settings.pair_style)


def _potentials(settings: Settings) -> list[Path]:
    words = _words([*settings.pair_coeff, settings.pair_style])
    return [file for word in words if (file := lammps_library.potential_file(word))]


def _words(lines: Sequence[str]) -> list[str]:
    """Return the words of commands; quotes hold one together, as in LAMMPS."""
    return [max(found) for line in lines for found in QUOTED.findall(line)]


@lru_cache(maxsize=1)
def _evaluator(pair_style: str, pair_coeff: tuple[str, ...]) -> lammps_library.Evaluator:
    """Return the LAMMPS of this process, which lives as long as it."""
    return lammps_library.Evaluator(pair_style, pair_coeff)
