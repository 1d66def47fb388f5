"""The label ledger: nothing computed is ever computed again.

A ledger is an extended XYZ file that only grows, one cell per computed label, written before the
next cell's row: a killed run loses at most the cells in flight, and a computer that fails a second
of labels more. Each row carries

- ``key``: the hash of (species, cell, positions, protocol), so a label is found again whatever
  study, data set or chunk asks for it,
- ``protocol`` and what it is made of: the labeller, versions, names and checksums of files,
- ``status``: converged, or failed with its ``cause`` and number of ``attempts``,
- ``checksum``: of the row itself, so that a damaged row is noticed and only that one is redone.

One file has one writer (`diverse.labels.ledger.writer`); many files are read together, and merged
by `merge`. Any program that reads extended XYZ, ASE first, reads a ledger without this repository;
``python -m diverse.labels.ledger`` says what is in one.
"""

from __future__ import annotations

import lzma
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.labels.labellers import Label, Labeller
from diverse.labels.ledger.text import (
    Scan,
    chosen,
    is_labelled,
    join,
    read_bytes,
    scan,
    to_atoms,
    to_text,
)
from diverse.labels.ledger.writer import Writer
from diverse.neighbours import shortest_distance
from diverse.structures import PRECISION

SYNC_INTERVAL = 1.0  # s; waiting for the disk takes longer than a small cell under a pair style
LARGE = 100_000_000  # bytes; xz packs them in a minute


class LedgerError(RuntimeError):
    """A ledger file is damaged; the message names it and says what to do."""


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

    Who opens a file to append to it becomes its writer; whoever had it open can no longer write.

    A row that was being written when the writer died is cut off. A file with any other damage is
    copied (``.damaged``) before it is replaced by its sound rows; ``notices`` says so.

    Parameters
    ----------
    path : Path or None
        File that new rows are appended to, made when the first row is; None to read only.
    others : iterable of Path
        Further ledgers to find labels in, for example the released ones.
    beside : iterable of Path
        The same, of files that other jobs may be writing: what is torn or damaged there is left to
        them without a notice.
    """

    def __init__(
        self, path: Path | None, others: Iterable[Path] = (), beside: Iterable[Path] = ()
    ) -> None:
        self.path = path
        self.notices: list[str] = []
        self._others: dict[str, bytes] = {}
        for file in beside:
            join(self._others, scan(read_bytes(file)).rows)
        for file in others:
            join(self._others, self._read(file).rows)
        self._synced = 0.0
        self._writer: Writer | None = None
        self._own = {} if path is None else self._open(path)

    def find(self, key: str) -> Atoms | None:
        """Return the labelled (or failed) cell with this key, or None.

        A label in any of the files comes before a failure: both are of the same computation.
        """
        other, own = self._others.get(key), self._own.get(key)
        text = chosen(other, own) if own else other
        return to_atoms(text) if text else None

    def rows(self) -> list[Atoms]:
        """Return every row, labelled or failed."""
        return [to_atoms(text) for text in join(dict(self._others), self._own).values()]

    def others_than(self, keys: Iterable[str]) -> int:
        """Return how many rows of the ledger's own file have none of these keys."""
        return len(self._own.keys() - set(keys))

    def append(self, row: Atoms) -> None:
        """Write a row, and wait for the disk if that was last done more than a second ago.

        Raises
        ------
        ReplacedError
            If another job has opened the same file since; the row is not written.
        """
        assert self.path is not None, "this ledger was opened to read only"
        text = to_text(row)
        self._writer = self._writer or Writer(self.path)
        self._writer.check()
        with self.path.open("ab") as file:
            file.write(text)
            file.flush()
            if time.monotonic() - self._synced > SYNC_INTERVAL:
                os.fsync(file.fileno())
                self._synced = time.monotonic()
        self._own[row.info["key"]] = text

    def sort(self, keys: Sequence[str]) -> None:
        """Bring the rows of the file in the order of `keys`, others last; for a finished chunk.

        The file then does not depend on the order in which cells were finished. Rows that another
        job had still written are kept.

        Raises
        ------
        ReplacedError
            If another job has opened the same file since, which is left as it is.
        """
        if self.path is None:
            return
        if self._writer:
            self._writer.check()
        written = read_bytes(self.path)
        found = join(scan(written).rows, self._own)
        place = {key: number for number, key in enumerate(keys)}
        order = sorted(found, key=lambda key: (place.get(key, len(place)), key))
        self._own = {key: found[key] for key in order}
        if b"".join(self._own.values()) != written:
            self._writer = self._writer or Writer(self.path)
            _write(self.path, self._own.values())
        if self._writer:
            self._writer.end()
            self._writer = None

    def _open(self, path: Path) -> dict[str, bytes]:
        """Become the writer of the ledger's own file, read it, and mend it where need be."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = Writer(path)
        found = self._read(path)
        if found.damaged:
            shutil.copy2(path, _free_name(path))  # until its sound rows are written, both are there
        if found.damaged or found.torn:
            _write(path, found.rows.values())
        return found.rows

    def _read(self, file: Path) -> Scan:
        try:
            found = scan(read_bytes(file))
        except (EOFError, lzma.LZMAError) as error:
            self.notices.append(f"{file} is damaged ({error}): its labels are computed again")
            return Scan({})
        if found.torn:
            self.notices.append(f"{file} ends within a row: that label is computed again")
        if found.damaged:
            self.notices.append(
                f"{file} is damaged in {found.damaged} places: the labels there are computed "
                f"again, the other {len(found.rows)} are kept"
            )
        return found


def new_row(atoms: Atoms, labeller: Labeller) -> Atoms:
    """Return a copy of a cell with everything that is known of its label beforehand."""
    row = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    row.info = dict(atoms.info)
    row.info.update(
        key=label_key(atoms, labeller.protocol),
        labeller=labeller.kind,
        protocol=labeller.protocol,
        **labeller.provenance,
        d_min=round(shortest_distance(atoms), PRECISION),
    )
    return row


def attach(atoms: Atoms, label: Label) -> None:
    """Give `atoms` the label as an ASE calculator, so that ``get_forces()`` and the like work.

    A label without stress gives a calculator without one.
    """
    optional = {"stress": label.stress, "magmom": label.magnetic_moment}
    atoms.calc = SinglePointCalculator(
        atoms,
        energy=label.energy,
        free_energy=label.free_energy,
        forces=label.forces,
        **{name: value for name, value in optional.items() if value is not None},
    )


def write_rows(path: Path, rows: Iterable[Atoms]) -> None:
    """Write rows as a ledger, whole or not at all."""
    _write(path, map(to_text, rows))


def merge(paths: Iterable[Path], target: Path) -> None:
    """Write the rows of many ledgers to one file, each key once, in the order of `paths`.

    Of several rows of a key the first one counts, but a label before any failure.

    More than `LARGE` are packed at the fastest level of xz, a tenth of the time for some 5 % more.

    Raises
    ------
    LedgerError
        If a file is damaged.
    """
    paths = list(paths)
    large = sum(path.stat().st_size for path in paths) > LARGE
    _write(target, _merged(paths), level=1 if large else None)


def _merged(paths: Sequence[Path]) -> Iterator[bytes]:
    """Yield the rows of one ledger after the other: a set of full size does not fit in memory."""
    seen: set[str] = set()
    labelled: set[str] | None = None  # keys, which only failures ask for
    for path in paths:
        for key, row in _sound(path).items():
            if key not in seen and not is_labelled(row):
                labelled = _labelled(paths) if labelled is None else labelled
            if key not in seen and (is_labelled(row) or key not in (labelled or ())):
                seen.add(key)
                yield row


def _labelled(paths: Sequence[Path]) -> set[str]:
    return {key for path in paths for key, row in _sound(path).items() if is_labelled(row)}


def _sound(path: Path) -> dict[str, bytes]:
    found = scan(read_bytes(path))
    if found.damaged or found.torn:
        raise LedgerError(
            f"{path} is damaged; remove it and run the same command again: only this chunk is "
            f"redone, from its ledger where that is sound"
        )
    return found.rows


def _write(path: Path, rows: Iterable[bytes], level: int | None = None) -> None:
    """Replace a file by these rows, packed if its name ends so, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        packs = path.suffix == ".xz"
        with lzma.open(file, "wb", preset=level) if packs else nullcontext(file) as packed:
            packed.writelines(rows)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.damaged{end}") for end in ("", *map(str, range(2, 100))))
    return next(name for name in names if not name.exists())
