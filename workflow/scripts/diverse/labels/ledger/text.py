"""Rows of a ledger as text: one extended XYZ block a row, each with its own checksum."""

from __future__ import annotations

import io
import lzma
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import ase.io
from ase import Atoms
from ase.io.extxyz import write_extxyz

from diverse.structures import with_info
from diverse.structures.comment_line import read_info, writable

COLUMNS = ["symbols", "positions"]
CHECKSUM = re.compile(rb" checksum=([0-9a-f]{16})(?=\n)")  # ends the comment line
COUNT = re.compile(rb"\d+\n$")
FORCES = re.compile(rb'\d+\nLattice="[^"\n]*" Properties=species:S:1:pos:R:3:forces:R:3 ')
KEY = re.compile(rb" key=([0-9a-f]{32}) ")


@dataclass(frozen=True)
class Scan:
    """Contents of a ledger file.

    Attributes
    ----------
    rows : dict of str to bytes
        Sound rows by key, in the order of the file; where a key comes twice the last one, but
        never a failure instead of a label.
    damaged : int
        Stretches of text that are no sound row: a changed byte, a cut somewhere inside.
    torn : bool
        Whether the file ends within a row, as it does when the writer was killed.
    """

    rows: dict[str, bytes]
    damaged: int = 0
    torn: bool = False


def to_text(row: Atoms) -> bytes:
    """Return a row as extended XYZ whose ``checksum`` covers every other byte of it.

    Every text of it reads back as it is, whatever it holds.
    """
    written = with_info(row, writable(row.info))
    text = io.StringIO(newline="")
    write_extxyz(text, [written], columns=[*COLUMNS, *(["forces"] if row.calc else [])])
    plain = text.getvalue().encode()
    count, comment, atoms = plain.split(b"\n", 2)
    mark = f" checksum={_digest(plain)}".encode()
    return b"\n".join([count, comment + mark, atoms])


def to_atoms(text: bytes) -> Atoms:
    """Return the cell, with its label as an ASE calculator."""
    plain = CHECKSUM.sub(b"", text, count=1)
    row: Atoms = ase.io.read(  # type: ignore[assignment]
        io.StringIO(plain.decode()), 0, format="extxyz", properties_parser=read_info
    )
    return row


def read_bytes(path: Path) -> bytes:
    """Return the text of a ledger, unpacked; nothing if there is none.

    Raises
    ------
    EOFError, lzma.LZMAError
        If a packed ledger is damaged.
    """
    if not path.exists():
        return b""
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def is_labelled(row: bytes) -> bool:
    """Return whether a row holds a label; if not, its cell failed."""
    return FORCES.match(row) is not None


def chosen(old: bytes | None, new: bytes) -> bytes:
    """Return the row that counts of two of one key: the new one, unless it alone is a failure."""
    return old if old and is_labelled(old) and not is_labelled(new) else new


def join(rows: dict[str, bytes], more: Mapping[str, bytes]) -> dict[str, bytes]:
    """Add further rows to rows, by key, as `chosen`; return the same dictionary."""
    for key, row in more.items():
        rows[key] = chosen(rows.get(key), row)
    return rows


def scan(text: bytes) -> Scan:
    """Find the sound rows of a ledger, whatever lies between them."""
    lines = text.splitlines(keepends=True)
    rows: dict[str, bytes] = {}
    damaged, gap, start = 0, 0, 0
    while start < len(lines):
        row = _row_at(lines, start)
        if row is None:
            gap, start = gap + 1, start + 1
            continue
        damaged, gap = damaged + (gap > 0), 0
        key = _key(row)
        rows[key] = chosen(rows.pop(key, None), row)
        start += row.count(b"\n")
    torn = gap > 0 and _is_begun(lines[-gap:])
    return Scan(rows, damaged + (gap > 0 and not torn), torn)


def _row_at(lines: list[bytes], start: int) -> bytes | None:
    """Return the sound row that starts on a line, None if none does.

    Its line may begin with the end of a row before it, whose last line break was damaged.
    """
    count = COUNT.search(lines[start])
    if count is None or not b"".join(lines[start + 1 : start + 2]).startswith(b"Lattice="):
        return None
    row = count[0] + b"".join(lines[start + 1 : start + 2 + int(count[0])])
    return row if _is_sound(row) else None


def _is_begun(lines: list[bytes]) -> bool:
    """Return whether these lines are the beginning of a row."""
    count = lines[0].strip()
    return not lines[-1].endswith(b"\n") or (count.isdigit() and len(lines) < 2 + int(count))


def _is_sound(row: bytes) -> bool:
    found = CHECKSUM.search(row)
    plain = CHECKSUM.sub(b"", row, count=1)
    return bool(found and KEY.search(plain) and found[1].decode() == _digest(plain))


def _key(row: bytes) -> str:
    found = KEY.search(row)
    assert found is not None
    return found[1].decode()


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()[:16]
