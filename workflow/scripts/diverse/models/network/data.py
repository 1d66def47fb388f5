"""Labelled cells as arrays for training, built a few at a time and kept in scratch files."""

from __future__ import annotations

import mmap
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import IO, Any

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings, Kernel, library
from diverse.kernel.packed import CELLS_AT_ONCE, PackedCells
from diverse.labels.target import fit_target
from diverse.neighbours import find_pairs
from diverse.zbl import ZBL

ROWS_AT_ONCE = 100_000
ATOM_BYTES, CELL_BYTES = 52, 104  # in scratch files, beside the descriptors


@dataclass(frozen=True)
class TrainingCells:
    """Arrays that training needs of a data set; atoms are numbered through all cells.

    The arrays lie in scratch files, whose rows are in memory from when they are read to the next
    `forget`: the size of a data set is limited by the disk. At 2Jmax 8 an environment takes 0.5 kB.
    Rows of a cell lie side by side, so that cells may be read in any order.

    Attributes
    ----------
    settings : BispectrumSettings
    descriptors : ndarray, shape (n_atoms, D)
    labels : ndarray, shape (n_cells,), eV/atom
        Free energies.
    energies : ndarray, shape (n_cells,), eV
        Label (free energy) minus ZBL.
    forces : ndarray, shape (n_atoms, 3), eV/Å
        Forces of the labels minus forces of ZBL.
    trajectories : ndarray of int, shape (n_cells,)
        Number of the trajectory that each cell belongs to.
    structures : PackedCells
    files : sequence of mmap
        The scratch files.
    """

    settings: BispectrumSettings
    descriptors: np.ndarray
    labels: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    trajectories: np.ndarray
    structures: PackedCells
    files: Sequence[mmap.mmap] = ()

    @property
    def n_atoms(self) -> np.ndarray:
        """Atoms in each cell, shape (n_cells,)."""
        sizes: np.ndarray = np.diff(self.structures.first_atom)
        return sizes

    def fingerprint(self) -> str:
        """Return a SHA-256 of settings, descriptors, energies, forces, trajectories, structures."""
        digest = sha256(repr(self.settings).encode())
        where = self.structures
        own = (self.descriptors, self.labels, self.energies, self.forces, self.trajectories)
        for array in (*own, where.first_atom, where.positions, where.lattices):
            for begin in range(0, len(array), ROWS_AT_ONCE):
                digest.update(np.ascontiguousarray(array[begin : begin + ROWS_AT_ONCE]).data)
                self.forget()
        return digest.hexdigest()

    def forget(self) -> None:
        """Give memory back; rows that are needed again are read again, mostly without the disk."""
        for file in self.files:
            file.madvise(mmap.MADV_DONTNEED)


def training_cells(cells: Iterable[Atoms], settings: BispectrumSettings, zbl: ZBL) -> TrainingCells:
    """Return the arrays of labelled cells, which are read once, a few at a time.

    Raises
    ------
    ValueError
        If a cell has no energy or forces, or they are not finite.
    OSError
        If the disk of the scratch files is full.
    """
    columns: dict[str, _Column] = {}
    trajectories: dict[tuple[str, str], int] = {}
    with ExitStack() as files:
        for batch in _batches(cells):
            arrays = _describe(batch, settings, zbl)
            arrays["trajectories"] = np.array([_trajectory(c, trajectories) for c in batch])
            for name, array in arrays.items():
                if name not in columns:
                    columns[name] = _Column(files.enter_context(tempfile.TemporaryFile()))
                columns[name].append(array)
        arrays = {name: column.array() for name, column in columns.items()}
        mapped = [column.mapped for column in columns.values() if column.mapped]
    if not arrays:
        raise ValueError("there are no labelled training cells: see tables/failures.csv")

    first_atom = np.concatenate([[0], np.cumsum(arrays.pop("n_atoms"))])
    where = {name: arrays.pop(name) for name in ("positions", "lattices", "n_neighbours")}
    structures = PackedCells(first_atom, cutoff=settings.cutoff, **where)
    return TrainingCells(settings=settings, structures=structures, files=mapped, **arrays)


def check_room(sizes: Sequence[int], settings: BispectrumSettings) -> None:
    """Check that the scratch files of cells with so many atoms each fit on their disk.

    Raises
    ------
    OSError
        If they do not.
    """
    n, folder = sum(sizes), tempfile.gettempdir()
    wanted = n * (8 * settings.n_components + ATOM_BYTES) + len(sizes) * CELL_BYTES
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise OSError(
            f"training on {n} environments takes {wanted / 1e9:.1f} GB of scratch files, and "
            f"{folder} has {free / 1e9:.1f} GB free: make room there, or set TMPDIR to a folder on "
            "a larger disk"
        )


def _describe(
    cells: Sequence[Atoms], settings: BispectrumSettings, zbl: ZBL
) -> dict[str, np.ndarray]:
    energies, forces = zip(*map(fit_target, cells), strict=True)
    pairs = find_pairs(cells, settings.cutoff)
    sizes = np.array([len(cell) for cell in cells])
    zbl_energies, zbl_forces = zbl.energies_forces(find_pairs(cells, zbl.outer), len(cells))
    kernel = Kernel(settings, isa=library.reproducible_isa())
    return {
        "descriptors": kernel.forward(pairs.vector, pairs.first),
        "labels": np.array(energies) / sizes,
        "energies": np.array(energies) - zbl_energies,
        "forces": np.concatenate(forces) - zbl_forces,
        "n_atoms": sizes,
        "positions": np.concatenate([cell.positions for cell in cells]),
        "lattices": np.array([cell.cell.array for cell in cells]),
        "n_neighbours": np.diff(pairs.first).astype(np.int32),
    }


def _trajectory(cell: Atoms, numbers: dict[tuple[str, str], int]) -> int:
    """Return the number of a cell's trajectory; a new one gets the next."""
    name = (cell.info["config_type"], cell.info["trajectory"])
    return numbers.setdefault(name, len(numbers))


def _batches(cells: Iterable[Atoms]) -> Iterator[list[Atoms]]:
    iterator = iter(cells)
    while batch := list(islice(iterator, CELLS_AT_ONCE)):
        yield batch


class _Column:
    """An array that grows in a scratch file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._shape: tuple[int, ...] = ()
        self._dtype: Any = None
        self.mapped: mmap.mmap | None = None

    def append(self, rows: np.ndarray) -> None:
        self._shape, self._dtype = rows.shape[1:], rows.dtype
        self._file.write(np.ascontiguousarray(rows).data)

    def array(self) -> np.ndarray:
        """Return all rows; they stay on the disk when the file is closed, until dropped."""
        self._file.flush()
        if not self._file.tell():
            return np.empty((0, *self._shape), dtype=self._dtype)
        self.mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(self.mapped, dtype=self._dtype).reshape(-1, *self._shape)
