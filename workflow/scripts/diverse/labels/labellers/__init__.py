"""Labellers: what turns a structure into energies, forces and stress.

A labeller is a module of this package with

- ``Settings``: a frozen dataclass, its protocol: everything that changes a label,
- ``provenance(settings, element)``: what else decides a label, as text (versions of codes, names
  and checksums of files), or raise `LabellerError` if it cannot work,
- ``label(atoms, settings, log)``: return the results, or raise `LabelError` with the cause,
- if something must work before any cell can be labelled, ``prepare(settings)``: try it, once in
  each process that labels, and raise `LabellerError`,
- if labels rest on files of the user, ``files(settings)``: their paths, besides a checksum of their
  contents in the provenance,
- if a process may read those files once for all its cells, ``reads_once(settings)``: whether it
  does, as long as every cell gets a label,
- if a setting follows the cell, ``fixed(settings, atoms)``: the settings held at this cell's,
- if strained cells need yet others, ``strained(settings, atoms)``: those whose energy is smooth.
"""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

KINDS = ("ase", "gpaw", "lammps")
COMMON = ("kind", "element", "environment")  # options of every kind; the others are its settings


class LabellerError(ValueError):
    """The labeller is unknown, or cannot work for this element or with these settings."""


class LabelError(RuntimeError):
    """This one cell got no label; the message is its cause, `attempts` how often it was tried."""

    def __init__(self, cause: str, attempts: int = 1) -> None:
        super().__init__(cause)
        self.attempts = attempts


@dataclass(frozen=True)
class Label:
    """Result of a labeller for one cell.

    Attributes
    ----------
    free_energy : float, eV
        Force-consistent energy: forces are its derivative; what models are trained on.
    energy : float, eV
        Extrapolated to zero electronic temperature (equal to `free_energy` for classical ones).
    forces : ndarray, shape (n_atoms, 3), eV/Å
    stress : ndarray, shape (6,), eV/Å^3, or None
        Voigt order xx, yy, zz, yz, xz, xy; positive when the cell wants to shrink (ASE's sign).
        None if the calculator has none: energy and forces are a label.
    iterations : int
        Self-consistency iterations of the attempt that succeeded; 0 where there are none.
    attempts : int
        Attempts made, the successful one included.
    magnetic_moment : float or None, Bohr magnetons
        Of the whole cell; None where spins are paired.
    seconds : float, s
        Core seconds of processes other than the worker's own.
    """

    free_energy: float
    energy: float
    forces: np.ndarray
    stress: np.ndarray | None
    iterations: int = 0
    attempts: int = 1
    magnetic_moment: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Labeller:
    """One labeller with its settings, for one element: see the package's docstring."""

    kind: str
    element: str
    settings: Any

    @cached_property
    def provenance(self) -> dict[str, str]:
        """Facts that decide a label beside the settings; `LabellerError` if it cannot work."""
        found: dict[str, str] = _module(self.kind).provenance(self.settings, self.element)
        return found

    @cached_property
    def protocol(self) -> str:
        """Hash over the kind, every setting and the provenance: equal if labels are comparable."""
        text = json.dumps([self.kind, asdict(self.settings), self.provenance], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:16]

    def files(self) -> list[str]:
        """Return the user's own files that decide a label, relative to this folder if below it.

        Files of installed packages are not among them: versions stand for those.
        """
        own: list[Path] = getattr(_module(self.kind), "files", lambda settings: [])(self.settings)
        return sorted({os.path.relpath(path) if _is_below(path) else str(path) for path in own})

    def reads_once(self) -> bool:
        """Return whether a process reads the files behind the labels once for all its cells.

        After a cell without a label they are read again.
        """
        once = getattr(_module(self.kind), "reads_once", lambda settings: False)
        return bool(once(self.settings))

    def fixed(self, atoms: Atoms) -> Labeller:
        """Return this labeller with settings that follow the cell (k-points) held at this one's."""
        return self._held("fixed", atoms)

    def strained(self, atoms: Atoms) -> Labeller:
        """Return this labeller with settings for energies of this cell under small strains."""
        name = "strained" if hasattr(_module(self.kind), "strained") else "fixed"
        return self._held(name, atoms)

    def _held(self, name: str, atoms: Atoms) -> Labeller:
        hold = getattr(_module(self.kind), name, lambda settings, atoms: settings)
        return replace(self, settings=hold(self.settings, atoms))

    def prepare(self) -> None:
        """Try what must work before any cell can be labelled; `LabellerError` if it fails."""
        getattr(_module(self.kind), "prepare", lambda settings: None)(self.settings)

    def label(self, atoms: Atoms, log: Path) -> Label:
        """Label one cell; `LabelError` if it fails or a result is no array of real numbers."""
        from diverse.labels.labellers.results import checked

        return checked(_module(self.kind).label(atoms, self.settings, log), len(atoms))


def make_labeller(options: dict[str, Any]) -> Labeller:
    """Build a labeller from its block of the study file with the study's ``element``.

    Packages of the extra environment that the block names (``environment``) can be imported from
    then on.

    Raises
    ------
    LabellerError
        If the kind does not exist, or the extra environment was not made.
    """
    kind = options.get("kind")
    if kind not in KINDS:
        raise LabellerError(f"there is no labeller '{kind}'; the labellers are {', '.join(KINDS)}")
    if options.get("environment"):
        from diverse.labels.labellers.extra import add_packages

        add_packages(options["environment"])
    own = {name: value for name, value in options.items() if name not in COMMON}
    return Labeller(str(kind), options["element"], _module(str(kind)).Settings(**own))


def _is_below(path: Path) -> bool:
    return path.resolve().is_relative_to(Path.cwd())


def _module(kind: str) -> Any:
    return importlib.import_module(f"diverse.labels.labellers.{kind}")
