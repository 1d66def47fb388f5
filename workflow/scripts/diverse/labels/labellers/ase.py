"""Labels from any ASE calculator, named by the import path of what makes it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError

from diverse.labels.labellers import Label, LabellerError
from diverse.labels.target import free_energy


@dataclass(frozen=True)
class Settings:
    """Import path of a calculator factory, ``module:function``, and its keyword arguments.

    It is called for every cell; the calculator must know energy, forces and stress.
    """

    factory: str
    options: dict[str, Any]


def provenance(settings: Settings, element: str) -> dict[str, str]:
    """Return the version of the factory's package, or the SHA-256 of its file if it has none."""
    module = importlib.import_module(_factory(settings).__module__)
    package = module.__name__.split(".")[0]
    try:
        return {"code": f"{package} {version(package)}"}
    except PackageNotFoundError:
        digest = sha256(Path(str(module.__file__)).read_bytes()).hexdigest()
        return {"code": module.__name__, "code_sha256": digest}


def label(atoms: Atoms, settings: Settings, log: Path) -> Label:
    """Run one static calculation; without a free energy the energy counts as one."""
    calculation = atoms.copy()
    calculation.calc = _factory(settings)(**settings.options)
    energy = calculation.get_potential_energy()
    try:
        consistent = free_energy(calculation)
    except PropertyNotImplementedError:
        consistent = energy
    return Label(consistent, energy, calculation.get_forces(), calculation.get_stress())


def _factory(settings: Settings) -> Callable[..., Calculator]:
    module, _, name = settings.factory.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise LabellerError(f"no calculator factory '{settings.factory}': {error}") from error
