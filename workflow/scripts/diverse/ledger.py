"""The label ledger: nothing computed is ever computed again.

A ledger is an extended XYZ file that only grows, one cell per computed label, written and synced
before the next cell starts: an interrupted run loses at most the cell in flight. Each row carries a
key, the hash of (species, cell, positions, protocol), so a label is found again whatever study,
data set or chunk asks for it. A cell that got no label is a row too, with ``status=failed`` and its
cause. Any program that reads extended XYZ, ASE first, reads a ledger without this repository.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.extxyz import write_extxyz

from diverse.labellers import Label, LabelError, Labeller
from diverse.neighbours import shortest_distance
from diverse.structures import PRECISION

COLUMNS = ["symbols", "positions"]


def label_key(atoms: Atoms, protocol: str) -> str:
    """Return the content address of a label: hash of species, cell, positions and protocol."""
    digest = sha256(protocol.encode())
    digest.update(" ".join(atoms.get_chemical_symbols()).encode())
    for array in (atoms.cell.array, atoms.positions):
        grid = np.rint(array * 10**PRECISION).astype("<i8")
        digest.update(grid.tobytes())
    return digest.hexdigest()[:32]


class Ledger:
    """Labels of one file to append to, and of others that are only read.

    Parameters
    ----------
    path : Path
        File that new rows are appended to; made when the first row is.
    others : iterable of Path
        Further ledgers to find labels in, for example the released ones.
    """

    def __init__(self, path: Path, others: Iterable[Path] = ()) -> None:
        self.path = path
        _drop_torn_row(path)
        self._rows: dict[str, Atoms] = {}
        for file in [*others, path]:
            for row in _read_rows(file):
                self._rows[row.info["key"]] = row

    def find(self, key: str) -> Atoms | None:
        """Return the labelled (or failed) cell with this key, or None."""
        return self._rows.get(key)

    def compute(self, atoms: Atoms, labeller: Labeller, log: Path) -> Atoms:
        """Label one cell, append the row and return it; a failure is a row with its cause."""
        start = time.perf_counter()
        row = atoms.copy()
        row.info.update(
            key=label_key(atoms, labeller.protocol),
            labeller=labeller.kind,
            protocol=labeller.protocol,
            d_min=round(shortest_distance(atoms), PRECISION),
        )
        try:
            label = labeller.label(atoms, log)
        except LabelError as error:
            row.info.update(status="failed", cause=str(error))
        else:
            row.info.update(status="converged", iterations=label.iterations)
            attach(row, label)
        row.info["seconds"] = round(time.perf_counter() - start, 2)
        self._append(row)
        return row

    def _append(self, row: Atoms) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        write_extxyz(text, [row], columns=[*COLUMNS, *(["forces"] if row.calc else [])])
        with self.path.open("a") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
        self._rows[row.info["key"]] = row


def attach(atoms: Atoms, label: Label) -> None:
    """Give `atoms` the label as an ASE calculator, so that ``get_forces()`` and the like work."""
    atoms.calc = SinglePointCalculator(
        atoms,
        energy=label.energy,
        free_energy=label.free_energy,
        forces=label.forces,
        stress=label.stress,
    )


def _drop_torn_row(path: Path) -> None:
    """Cut a row that was being written when the process died (it cannot be read)."""
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    keep = 0
    while keep < len(lines):
        end = keep + 2 + int(lines[keep])
        if end > len(lines) or not lines[end - 1].endswith(b"\n"):
            break
        keep = end
    if keep < len(lines):
        with path.open("r+b") as file:
            file.truncate(sum(len(line) for line in lines[:keep]))


def _read_rows(path: Path) -> Iterator[Atoms]:
    if path.exists() and path.stat().st_size:
        yield from ase.io.iread(path, index=":", format="extxyz")
