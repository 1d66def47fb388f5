"""Structures as files: extended XYZ with what every cell of a study carries.

Each cell is an ASE `Atoms` whose `info` holds

- ``dataset``: name of its data set,
- ``config_type``: its group, for example ``eos_bcc``,
- ``trajectory``: cells of one trajectory resemble each other and are never split between
  training and test.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Container, Iterable, Iterator
from copy import copy as shallow_copy
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.io.extxyz import write_extxyz

from diverse.structures.comment_line import read_info, writable
from diverse.structures.lattices import ReferenceLattice

__all__ = [
    "PRECISION",
    "ReferenceLattice",
    "batches",
    "iterate_cells",
    "labelled_by_dataset",
    "random_stream",
    "read_cells",
    "tagged",
    "with_info",
    "write_cells",
]

PRECISION = 6  # decimals of positions and cell vectors, Å: what is labelled is what is stored


def random_stream(seed: int, dataset: str, chunk: int) -> np.random.Generator:
    """Return the random stream of one chunk: independent of cores and of the order of chunks."""
    key = (zlib.crc32(dataset.encode()), chunk)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def tagged(atoms: Atoms, config_type: str, trajectory: str) -> Atoms:
    """Return a periodic copy of `atoms`, rounded to the stored precision, with its group.

    Zeros have no sign: that of a rounded number may differ from one instruction set to another.
    """
    copy = Atoms(
        atoms.symbols,
        positions=atoms.positions.round(PRECISION) + 0.0,
        cell=atoms.cell.array.round(PRECISION) + 0.0,
        pbc=True,
    )
    copy.info.update(config_type=config_type, trajectory=trajectory)
    return copy


def cell_sizes(path: str | Path) -> list[int]:
    """Return the number of atoms of every cell of an extended XYZ file, which is not parsed."""
    with open(path, "rb") as file:
        return [int(line) for line in file if line.rstrip().isdigit()]


def read_cells(paths: str | Path | Iterable[str | Path]) -> list[Atoms]:
    """Read every cell of one or many extended XYZ files; an empty file holds no cells."""
    return list(iterate_cells([paths] if isinstance(paths, str | Path) else paths))


def iterate_cells(paths: Iterable[str | Path]) -> Iterator[Atoms]:
    """Read the cells of extended XYZ files one by one, so that big sets need little memory."""
    for path in paths:
        if Path(path).stat().st_size:
            yield from ase.io.iread(path, index=":", format="extxyz", properties_parser=read_info)


def with_info(cell: Atoms, info: dict[str, Any]) -> Atoms:
    """Return a cell that shares all with another, labels included, but its `info`."""
    other = shallow_copy(cell)
    other.info = info
    return other


def labelled_by_dataset(
    paths: Iterable[str | Path], datasets: Iterable[str]
) -> dict[str, list[Atoms]]:
    """Read the labelled cells of each of these data sets; those that have none are left out."""
    cells: dict[str, list[Atoms]] = {name: [] for name in datasets}
    for cell in iterate_cells(paths):
        if cell.calc is not None:
            cells[cell.info["dataset"]].append(cell)
    return {name: members for name, members in cells.items() if members}


def batches(cells: Iterable[Atoms], environments: int) -> Iterator[list[Atoms]]:
    """Yield the cells in lists of at least so many environments; the last may be smaller."""
    batch: list[Atoms] = []
    size = 0
    for cell in cells:
        batch.append(cell)
        size += len(cell)
        if size >= environments:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def write_cells(
    path: str | Path,
    cells: Iterable[Atoms],
    taken: Container[int] | None = None,
    **options: Any,
) -> None:
    """Write cells as extended XYZ, whole or not at all, and one by one as they come.

    Parameters
    ----------
    path : str or Path
    cells : iterable of Atoms
    taken : container of int, optional
        Positions of the cells that are written; by default all.
    **options
        Keywords of `ase.io.extxyz.write_extxyz`.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, suffix=".xyz")
    with open(handle, "w") as file:
        for position, cell in enumerate(cells):
            if taken is None or position in taken:
                write_extxyz(file, [with_info(cell, writable(cell.info))], **options)
    Path(temporary).chmod(0o644)
    os.replace(temporary, target)
