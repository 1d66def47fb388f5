"""Labels from any ASE calculator, named by the import path of what makes it.

A study file is code: the factory runs, in the worker processes that label and nowhere else.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from diverse.labels.labellers import Label, LabellerError
from diverse.labels.labellers.factory import Sources, digest, find_factory, is_data, is_file
from diverse.labels.target import calculated_free_energy

# An option whose key holds one of these words names a file that the calculator reads, if there is
# one of that name; so does any other whose value ends like such a file's (`factory.DATA`).
READ = ("model", "potential", "param", "file", "path", "weights", "checkpoint", "pseudo", "setup")
# An option whose key holds one of these names what the calculator writes, whatever it is called.
WRITTEN = ("txt", "log", "out", "traj", "label", "directory", "prefix", "command", "restart")


@dataclass(frozen=True)
class Settings:
    """Import path of a calculator factory, ``module:function``, and its keyword arguments.

    It is called for every cell; the calculator must know energy and forces. Stress is optional:
    without it the labels are energies and forces.
    """

    factory: str
    options: dict[str, Any]


def provenance(settings: Settings, element: str) -> dict[str, str]:
    """Return what decides a label beside the options; nothing of the study's code is run for it.

    Returns
    -------
    dict of str to str
        ``code``: the factory's installed package with its version, else its module;
        ``code_sha256``: of the module's file where it is not an installed package's;
        ``imports_sha256``: of such files that it imports, where there are any;
        ``packages``: installed packages that these files import, with versions;
        ``files_sha256``: of the files that options (`READ`) and these modules name and that are
        there, such as potentials.

    Raises
    ------
    LabellerError
        If there is no such factory.
    """
    sources = find_factory(settings.factory)
    module = settings.factory.partition(":")[0]
    packages = ", ".join(f"{name} {number}" for name, number in sorted(sources.packages.items()))
    found = {"code": module if module in sources.files else packages}
    if module in sources.files:
        others = {name: path for name, path in sources.files.items() if name != module}
        found["code_sha256"] = sha256(sources.files[module].read_bytes()).hexdigest()
        found |= {"imports_sha256": digest(others)} if others else {}
        found |= {"packages": packages} if packages else {}
    named = _read_files(settings, sources)
    return found | ({"files_sha256": digest(named)} if named else {})


def files(settings: Settings) -> list[Path]:
    """Return the modules and files behind the labels that are of no installed package."""
    sources = find_factory(settings.factory)
    return [*sources.files.values(), *_read_files(settings, sources).values()]


def prepare(settings: Settings) -> None:
    """Make one calculator, before the first cell of a process.

    Raises
    ------
    LabellerError
        If the factory cannot make one at all: no cell would get a label.
    """
    make_calculator(settings)


def label(atoms: Atoms, settings: Settings, log: Path) -> Label:
    """Run one static calculation; without a free energy the energy counts as one."""
    calculation = atoms.copy()
    calculation.calc = make_calculator(settings)
    energy = calculation.get_potential_energy()
    try:
        consistent = calculated_free_energy(calculation)
    except PropertyNotImplementedError:
        consistent = energy
    return Label(consistent, energy, calculation.get_forces(), _stress(calculation))


def _stress(calculation: Atoms) -> Any:
    """Return the stress as the calculator gives it, None if it has none."""
    stress = getattr(calculation.calc, "get_stress", None)
    try:
        return stress(calculation) if stress else None
    except NotImplementedError:  # ASE's own says that a property is not implemented
        return None


def make_calculator(settings: Settings) -> Any:
    """Return a new calculator.

    Raises
    ------
    LabellerError
        Whatever goes wrong in the study's code.
    """
    module, _, name = settings.factory.partition(":")
    try:
        calculator = getattr(importlib.import_module(module), name)(**settings.options)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        cause = traceback.format_exception_only(error)[-1].strip()
        raise LabellerError(
            f"the calculator factory '{settings.factory}' failed with {cause}"
        ) from error
    if not all(hasattr(calculator, method) for method in ("get_potential_energy", "get_forces")):
        raise LabellerError(
            f"'{settings.factory}' is not a calculator factory: it returned "
            f"{type(calculator).__name__}, not an ASE calculator"
        )
    return calculator


def _read_files(settings: Settings, sources: Sources) -> dict[str, Path]:
    return sources.data | {name: Path(name) for name in _named_files(settings.options)}


def _named_files(options: Any, key: str = "") -> Iterator[str]:
    """Yield the texts among options, however deep, that name a file which is there."""
    if isinstance(options, dict):
        for name, value in options.items():
            yield from _named_files(value, str(name))
    elif isinstance(options, list):
        for value in options:
            yield from _named_files(value, key)
    elif isinstance(options, str) and not any(word in key.lower() for word in WRITTEN):
        told = is_data(options) or any(word in key.lower() for word in READ)
        yield from [options] if told and is_file(options) else []
