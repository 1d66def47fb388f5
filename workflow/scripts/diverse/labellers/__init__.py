"""Labellers: what turns a structure into energies, forces and stress.

A labeller is a module of this package with

- ``Settings``: a frozen dataclass, its protocol: everything that changes a label,
- ``check(settings, element)``: raise `LabellerError` before anything runs if it cannot work,
- ``label(atoms, settings, log)``: return the results, or raise `LabelError` with the cause.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

KINDS = ("gpaw", "lammps")


class LabellerError(ValueError):
    """The labeller is unknown, or cannot work for this element or with these settings."""


class LabelError(RuntimeError):
    """This one cell got no label; the message is its cause."""


@dataclass(frozen=True)
class Label:
    """What a labeller says of one cell.

    Attributes
    ----------
    free_energy : float, eV
        Force-consistent energy: forces are its derivative; what models are trained on.
    energy : float, eV
        Extrapolated to zero electronic temperature (equal to `free_energy` for classical ones).
    forces : ndarray, shape (n_atoms, 3), eV/Å
    stress : ndarray, shape (6,), eV/Å^3
        Voigt order xx, yy, zz, yz, xz, xy; positive when the cell wants to shrink (ASE's sign).
    iterations : int
        Self-consistency iterations; 0 where there are none.
    """

    free_energy: float
    energy: float
    forces: np.ndarray
    stress: np.ndarray
    iterations: int = 0


@dataclass(frozen=True)
class Labeller:
    """One labeller with its settings: see the package's docstring."""

    kind: str
    settings: Any

    @property
    def protocol(self) -> str:
        """Hash over the kind and every setting: labels are comparable if it is equal."""
        text = json.dumps([self.kind, asdict(self.settings)], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:16]

    def check(self, element: str) -> None:
        _module(self.kind).check(self.settings, element)

    def label(self, atoms: Atoms, log: Path) -> Label:
        result: Label = _module(self.kind).label(atoms, self.settings, log)
        if not (np.isfinite(result.free_energy) and np.isfinite(result.forces).all()):
            raise LabelError("the calculator returned an energy or forces that are not finite")
        return result


def make_labeller(options: dict[str, Any]) -> Labeller:
    """Build a labeller from its block of the study file (``kind`` and the kind's settings).

    Raises
    ------
    LabellerError
        If the kind does not exist.
    """
    kind = options.get("kind")
    if kind not in KINDS:
        raise LabellerError(f"there is no labeller '{kind}'; the labellers are {', '.join(KINDS)}")
    settings = {name: value for name, value in options.items() if name != "kind"}
    return Labeller(str(kind), _module(str(kind)).Settings(**settings))


def _module(kind: str) -> Any:
    return importlib.import_module(f"diverse.labellers.{kind}")
