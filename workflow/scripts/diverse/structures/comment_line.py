r"""Comment lines of extended XYZ: keys and values, and names that must stay text.

ASE reads every value that looks like a number or a truth value as one, quoted or not: the group
``300`` comes back as an integer, ``T`` as True. A text that would not come back is therefore
written in ASE's own form for other objects (``config_type="_JSON \"300\""``), which any ASE reads
as the text ``300``; and names that stand plain in a file are read as the text they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ase.io.extxyz import key_val_dict_to_str, key_val_str_to_dict

NAMES = (
    *("dataset", "config_type", "trajectory", "record", "key", "protocol", "labeller", "status"),
    "cause",
)
CLOSING = {'"': '"', "'": "'", "{": "}", "[": "]"}
JSON = "_JSON "
OWN = re.compile(r"\b(checksum|key)=")  # that a ledger looks for in its rows
PAIR = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")  # JSON joins the two to one character


class CommentError(ValueError):
    """A comment line cannot be divided into keys and values."""


def pairs(line: str) -> list[tuple[str, str]]:
    """Divide a comment line into keys and values, both as text.

    Values may stand in ``""``, ``''``, ``{}`` or ``[]``; a backslash protects the next character;
    a key without a value has the value ``T``.

    Raises
    ------
    CommentError
        If a quote or bracket is opened and never closed.
    """
    words = _words(line)
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(words):
        start, place = place, place + 1
        while words[place : place + 1] == [None]:  # an equals sign and what follows it
            place += 1
            place += place < len(words) and words[place] is not None
        value = "".join("=" if word is None else word for word in words[start + 2 : place])
        found.append((words[start] or "", value if place > start + 1 else "T"))
    return found


def _words(line: str) -> list[str | None]:
    """Return the words of a line, without their quotes; None for an equals sign between them."""
    words: list[str | None] = []
    word: list[str] | None = None
    closing, escaped = "", False
    for char in line.strip():
        if not (escaped or closing) and (char == "=" or char.isspace()):
            words += ["".join(word)] if word is not None else []
            words += [None] if char == "=" else []
            word = None
            continue
        word = [] if word is None else word
        if escaped or (closing and char not in (closing, "\\")):
            word.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif closing:
            closing = ""
        elif char in CLOSING:
            closing = CLOSING[char]
        else:
            word.append(char)
    if closing:
        raise CommentError(f"a quote or bracket of the comment line is never closed ({closing})")
    return words + (["".join(word)] if word is not None else [])


def text(value: str) -> str:
    """Return the text that a value stands for: itself, or what ASE's JSON form holds."""
    if value.startswith(JSON):
        try:
            held = json.loads(value[len(JSON) :])
            return "".join(held) if _is_divided(held) else str(held)
        except (ValueError, RecursionError):
            return value
    return value


def read_info(line: str) -> dict[str, Any]:
    """Read a comment line as ASE does, but every name of `NAMES` as text.

    To be given to `ase.io.read` as ``properties_parser``.
    """
    found: dict[str, Any] = key_val_str_to_dict(line)
    info = {key: "".join(value) if _is_divided(value) else value for key, value in found.items()}
    damaged = [name for name in NAMES if name in info and not isinstance(info[name], str)]
    if damaged:
        plain = dict(pairs(line))
        info.update({name: text(plain[name]) for name in damaged})
    return info


def writable(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return `info` with each text in a form that ASE reads back as the same text.

    A ``key`` stays as it is: ledgers find their rows by it, and `read_info` reads it as text.
    """
    return {
        key: value if key == "key" or _comes_back(value) else _protected(value)
        for key, value in info.items()
    }


def one_line(value: str) -> str:
    """Return a text for a table or a log: line breaks as spaces, what cannot be shown as codes."""
    return "".join(char if char.isprintable() else _shown(char) for char in value).strip()


def _shown(char: str) -> str:
    return " " if char.isspace() else ascii(char)[1:-1]


def _protected(value: str) -> str:
    parts = PAIR.split(value)
    plain = json.dumps(parts if len(parts) > 1 else value).replace("=", "\\u003d")
    return JSON + plain.replace("\\", "\\\\")  # ASE protects quotes when it writes, no backslashes


def _is_divided(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value) and bool(value)


def _comes_back(value: Any) -> bool:
    return not isinstance(value, str) or _is_kept(value)


@lru_cache(maxsize=10_000)
def _is_kept(value: str) -> bool:
    """Return whether a text comes back from a comment line if it is written as it is."""
    if not value or not value.isprintable() or "\\" in value or OWN.search(value):
        return False
    if value.startswith(JSON):
        return False
    line = key_val_dict_to_str({"text": value, "next": "one"})
    found = key_val_str_to_dict(line)
    return isinstance(found.get("text"), str) and found == {"text": value, "next": "one"}
