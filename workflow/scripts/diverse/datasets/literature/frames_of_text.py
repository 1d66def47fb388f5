"""Frames of an XYZ file: every line of it belongs to one, or is reported."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diverse.datasets.literature.frame import MAX_ATOMS

MAX_LINE = 1 << 20  # characters; a longer line is no text
MAX_FRAME = 1 << 26  # characters of one frame
COUNT = re.compile(r"\d+", re.ASCII)
BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class TextError(ValueError):
    """A file is not text that can be read; the message says why."""


@dataclass
class Block:
    """The lines of one frame.

    Attributes
    ----------
    line : int
        Number of its first line in the file, from 1.
    comment : str
    atoms : list of str
        One line for each atom.
    problem : str
        Why this is no frame; empty where it is one.
    """

    line: int
    comment: str = ""
    atoms: list[str] = field(default_factory=list)
    problem: str = ""


def lines_of(path: Path) -> Iterator[str]:
    r"""Yield the lines of a text file, whatever its line ends (\n, \r\n, \r).

    A byte order mark is dropped. A line that is not UTF-8 is taken as Latin-1.

    Raises
    ------
    TextError
        If the file is UTF-16, or a line is longer than a mebibyte.
    """
    with path.open("rb") as binary:
        mark = BOMS.get(binary.read(2))
        if mark:
            raise TextError(f"it is {mark}: save it as UTF-8")
        binary.seek(0)
        file = io.TextIOWrapper(binary, encoding="latin-1", newline=None)
        first = True
        while line := file.readline(MAX_LINE):
            if len(line) == MAX_LINE and not line.endswith("\n"):
                raise TextError(f"a line is longer than {MAX_LINE:,} characters: it is no text")
            yield _decoded(line.removeprefix("ï»¿") if first else line)
            first = False


def decode(data: bytes) -> str:
    """Return bytes as text: UTF-8 with or without a byte order mark, else Latin-1."""
    if data[:2] in BOMS:
        raise TextError(f"it is {BOMS[data[:2]]}: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _decoded(line: str) -> str:
    if line.isascii():
        return line
    try:
        return line.encode("latin-1").decode()
    except UnicodeDecodeError:
        return line


class _Lines:
    """Lines one by one, with their numbers, and a look at the next one."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.number = 0  # of `next`
        self.next: str | None = ""
        self.take()

    def take(self) -> str:
        taken, self.next = self.next, next(self._lines, None)
        self.number += 1
        return taken or ""

    def skip_blank(self) -> None:
        while self.next is not None and not self.next.strip():
            self.take()

    def at_count(self) -> bool:
        return self.next is not None and bool(COUNT.fullmatch(self.next.strip()))


def split(lines: Iterator[str]) -> Iterator[Block]:
    """Divide the lines of an XYZ file into frames.

    Blank lines may stand between frames. A frame with too few or too many lines of atoms has a
    problem, and the next frame is found again; so do lines that belong to no frame.

    Parameters
    ----------
    lines : iterator of str

    Yields
    ------
    Block
        Frames in the order of the file.
    """
    source = _Lines(lines)
    source.skip_blank()
    while source.next is not None:
        yield _frame(source) if source.at_count() else _stray(source)
        source.skip_blank()


def _frame(source: _Lines) -> Block:
    block = Block(source.number)
    digits = source.take().strip()
    if len(digits) > 15 or int(digits) > MAX_ATOMS:
        block.problem = f"line {block.line} says {digits[:20]} atoms; {MAX_ATOMS:,} can be read"
        _skip_to_count(source)
        return block
    count = int(digits)
    if source.next is None:
        block.problem = f"line {block.line} says {count} atoms, and the file ends"
        return block
    block.comment = source.take().strip()
    size = 0
    while len(block.atoms) < count and source.next is not None and not source.at_count():
        if not source.next.strip():
            break
        size += len(source.next)
        if size > MAX_FRAME:
            block.atoms, block.problem = [], f"it is larger than {MAX_FRAME:,} characters"
            _skip_to_count(source)
            return block
        block.atoms.append(source.take())
    if len(block.atoms) < count:
        found = len(block.atoms)
        ends = " before the file ends" if source.next is None else ""
        block.problem = f"line {block.line} says {count} atoms, {found} follow{ends}"
        return block
    source.skip_blank()
    follows = source.next is not None and not source.at_count()
    if block.atoms and follows and len(source.next.split()) == len(block.atoms[-1].split()):
        block.problem = f"line {block.line} says {count} atoms, line {source.number} is one more"
        _skip_to_count(source)
    return block


def _stray(source: _Lines) -> Block:
    """Take lines up to the next number of atoms."""
    block = Block(source.number)
    block.problem = f"line {block.line} is no number of atoms: {(source.next or '').strip()[:60]!r}"
    source.take()
    _skip_to_count(source)
    return block


def _skip_to_count(source: _Lines) -> None:
    while source.next is not None and not source.at_count():
        source.take()
