"""Cells of extended XYZ as text, of which only those that are wanted are parsed.

A set of full size holds hundreds of thousands of cells: to find some of them, or to read the
comment lines alone, costs seconds this way, and memory of one cell.
"""

from __future__ import annotations

import io
import lzma
import os
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import ase.io
from ase import Atoms

from diverse.structures.comment_line import read_info

QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
LABEL = re.compile(rb"(?:^|\s)(?:energy|free_energy|stress|dipole|magmom)=|[:=]forces:R:3")
DATASET = re.compile(rb"\sdataset=([A-Za-z][\w-]*)(?=\s)")


class Frame(NamedTuple):
    """Text of one cell: number of atoms, comment line, and the lines of the atoms."""

    n_atoms: int
    comment: bytes
    atoms: list[bytes]

    @property
    def labelled(self) -> bool:
        """Truth of the cell having a label, by which ASE gives it a calculator."""
        return LABEL.search(QUOTED.sub(b"", self.comment)) is not None

    @property
    def dataset(self) -> str:
        """Name of the data set of the cell."""
        found = DATASET.search(QUOTED.sub(b'""', self.comment))
        return found[1].decode() if found else str(self.info()["dataset"])

    def info(self) -> dict[str, Any]:
        """Return what the comment line says, the energies of the label among it."""
        return read_info(self.comment.decode().strip())

    @property
    def text(self) -> bytes:
        """Text of the cell as it stands in its file."""
        return b"".join([b"%d\n" % self.n_atoms, self.comment, *self.atoms])

    def cell(self) -> Atoms:
        """Return the cell, with its label as an ASE calculator."""
        cell: Atoms = ase.io.read(  # type: ignore[assignment]
            io.StringIO(self.text.decode()), 0, format="extxyz", properties_parser=read_info
        )
        return cell


def read_frames(paths: Iterable[str | Path]) -> Iterator[Frame]:
    """Yield the text of every cell of extended XYZ files, packed (``.xz``) or not, in order.

    Raises
    ------
    ValueError
        If a file ends inside a cell, or a cell does not begin with its number of atoms.
    """
    for path in map(Path, paths):
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
            for count in file:
                if not count.strip().isdigit():
                    raise ValueError(f"{path}: {count[:40]!r} stands where a cell should begin")
                lines = list(islice(file, int(count) + 1))
                if len(lines) <= int(count):
                    raise ValueError(f"{path} ends inside a cell of {int(count)} atoms")
                yield Frame(int(count), lines[0], lines[1:])


def labelled_frames(paths: Iterable[str | Path]) -> Iterator[Frame]:
    """Yield the text of every labelled cell of extended XYZ files, in their order."""
    return (frame for frame in read_frames(paths) if frame.labelled)


def read_places(
    paths: Iterable[str | Path], wanted: Mapping[str, Container[int]]
) -> dict[str, dict[int, Atoms]]:
    """Read the labelled cells of these places of each data set, and parse no other.

    Parameters
    ----------
    paths : iterable of path
    wanted : mapping
        By data set, places among its labelled cells, in the order of the files.

    Returns
    -------
    dict of str to dict of int to Atoms
        Cells by data set and place.
    """
    found: dict[str, dict[int, Atoms]] = {name: {} for name in wanted}
    seen: Counter[str] = Counter()
    for frame in labelled_frames(paths):
        name = frame.dataset
        if seen[name] in wanted.get(name, ()):
            found[name][seen[name]] = frame.cell()
        seen[name] += 1
    return found


def copy_labelled(paths: Iterable[str | Path], target: str | Path, places: Container[int]) -> None:
    """Copy the text of the labelled cells of these places to a file, whole or not at all.

    Parameters
    ----------
    paths : iterable of path
        Files of one data set.
    target : path
    places : container of int
        Among the labelled cells.
    """
    temporary = Path(target).with_name(f".{Path(target).name}.part")
    with temporary.open("wb") as file:
        for place, frame in enumerate(labelled_frames(paths)):
            if place in places:
                file.write(frame.text)
    os.replace(temporary, target)
