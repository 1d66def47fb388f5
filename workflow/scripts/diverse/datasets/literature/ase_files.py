"""Files that ASE reads: its trajectories and databases, and OUTCAR of VASP."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.db import connect
from ase.io.trajectory import TrajectoryReader

from diverse.datasets.literature.frame import FrameError, make_atoms, voigt
from diverse.datasets.literature.memory import bounded_memory
from diverse.datasets.literature.record import Record
from diverse.datasets.literature.vasp_xml import NOT_CONVERGED

MOST = re.compile(r"\bNELM\s*=\s*(\d{1,9})")  # iterations of electrons that a step may use
ITERATION = re.compile(r"\bIteration\s+[\d*]+\(\s*(\d{1,9})\)")
CONVERGED = "aborting loop because EDIFF is reached"
STEP = "FREE ENERGIE OF THE ION-ELECTRON SYSTEM"  # at the end of each step, as ASE's reader has it


def read_ase(path: Path, name: str, group: str, form: str) -> Iterator[Record]:
    """Yield the frames of a file that ASE reads; where one is damaged, say so and go on.

    Forces are taken as they were calculated: constraints of the source are not applied to them.

    Parameters
    ----------
    path : Path
    name : str
        Of the file, for the names of the records.
    group : str
        Of frames that name none (``config_type``).
    form : str
        ``traj``, ``db`` or ``outcar``.
    """
    frames = _READERS[form](path)
    index = -1
    while True:
        index += 1
        try:
            with bounded_memory(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                frame = next(frames)
            if isinstance(frame, Exception):
                raise frame
        except StopIteration:
            break
        except FrameError as error:
            yield Record(f"{name}:{index}", group, None, str(error))
            continue
        except Exception as error:  # a damaged file may raise anything in a foreign reader
            cause = f"ASE cannot read it ({type(error).__name__}: {str(error)[:200]})"
            yield Record(f"{name}:{index}", group, None, cause)
            if not isinstance(error, _FrameDamageError):
                return
            continue
        yield _record(frame, f"{name}:{index}", group)
    if index == 0:
        yield Record(name, group, None, "it holds no frame")


class _FrameDamageError(Exception):
    """One frame of a file cannot be read; others may."""


def _record(frame: Atoms, name: str, group: str) -> Record:
    results = frame.calc.results if frame.calc is not None else {}
    notes: list[str] = []
    labels: dict[str, Any] = {}
    try:
        for key in ("energy", "free_energy"):
            if results.get(key) is not None:
                labels[key] = float(results[key])
        if results.get("forces") is not None:
            labels["forces"] = np.asarray(results["forces"], dtype=float)
        try:
            if results.get("stress") is not None:
                labels["stress"] = voigt(np.asarray(results["stress"], dtype=float))
        except FrameError as error:
            notes.append(f"{error}: its stress is missing")
        own = frame.info.get("config_type")
        group = str(own) if own not in (None, "") else group
        positions = np.asarray(frame.positions, dtype=float)
        atoms = make_atoms(
            [int(number) for number in frame.numbers],
            positions,
            np.asarray(frame.cell.array, dtype=float),
            [bool(repeats) for repeats in frame.pbc],
            labels,
        )
        return Record(name, group, atoms, notes=tuple(notes), holds=tuple(results))
    except (FrameError, TypeError, ValueError) as error:
        return Record(name, group, None, str(error))


def _trajectory(path: Path) -> Iterator[Atoms | Exception]:
    with path.open("rb") as file, TrajectoryReader(file) as trajectory:
        for index in range(len(trajectory)):
            try:
                yield trajectory[index]
            except Exception as error:
                yield _FrameDamageError(f"{type(error).__name__}: {error}")


def _database(path: Path) -> Iterator[Atoms | Exception]:
    for row in connect(str(path), type="db", use_lock_file=False).select():
        try:
            atoms = row.toatoms()
            atoms.info["config_type"] = row.key_value_pairs.get("config_type")
            yield atoms
        except Exception as error:
            yield _FrameDamageError(f"{type(error).__name__}: {error}")


def _outcar(path: Path) -> Iterator[Atoms | Exception]:
    steps = ase.io.iread(str(path), index=":", format="vasp-out")
    for atoms, problem in zip(steps, _unconverged(path), strict=False):
        yield FrameError(problem) if problem else atoms


def _unconverged(path: Path) -> Iterator[str]:
    """Yield of each ionic step of an OUTCAR why it is none to learn from, or an empty string.

    Electrons did not converge where they used all the iterations that NELM allows and VASP does
    not say that EDIFF was reached.
    """
    most, last, reached = 0, 0, False
    with path.open(encoding="latin-1") as lines:
        for line in lines:
            if found := ITERATION.search(line):
                last = int(found[1])
            elif found := MOST.search(line):
                most = int(found[1])
            elif CONVERGED in line:
                reached = True
            elif STEP in line:
                yield NOT_CONVERGED.format(most) if 0 < most <= last and not reached else ""
                last, reached = 0, False


_READERS = {"traj": _trajectory, "db": _database, "outcar": _outcar}
