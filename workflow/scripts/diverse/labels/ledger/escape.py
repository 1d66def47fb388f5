"""Text in the comment line of extended XYZ: any text reads back as itself, with plain ASE.

Most texts are written as they are. ASE would read some of them as something else (``300`` as a
number, ``T`` as true, nothing as the next key), would lose backslashes, or would end the line at
a line break; and a text like `` checksum=...`` could be taken for the row's own. Such a text is
written in ASE's form for other objects, JSON, in ASCII: ``cause="_JSON \\"two\\\\nlines\\""``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ase.io.extxyz import key_val_dict_to_str, key_val_str_to_dict

JSON = "_JSON "
OWN = re.compile(r"\b(checksum|key)=")  # that a ledger looks for in its rows
PAIR = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")  # JSON joins the two to one character


def writable(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return `info` with each text in the form that ASE writes and reads as that very text."""
    return {
        key: _protected(value) if isinstance(value, str) and not _is_plain(value) else value
        for key, value in info.items()
    }


def read(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return `info` as ASE read it with texts put together again that JSON cannot hold whole."""
    return {key: "".join(value) if _is_divided(value) else value for key, value in info.items()}


def one_line(text: str) -> str:
    """Return a text for a table or a log: line breaks as spaces, what cannot be shown as codes."""
    return "".join(char if char.isprintable() else _shown(char) for char in text).strip()


def _shown(char: str) -> str:
    return " " if char.isspace() else ascii(char)[1:-1]


@lru_cache(maxsize=4096)
def _is_plain(text: str) -> bool:
    """Return whether a text comes back from a comment line if it is written as it is."""
    if not text or not text.isprintable() or "\\" in text or OWN.search(text):
        return False
    if text.startswith(JSON):
        return False
    line = key_val_dict_to_str({"text": text, "next": "one"})
    found = key_val_str_to_dict(line)
    return isinstance(found.get("text"), str) and found == {"text": text, "next": "one"}


def _protected(text: str) -> str:
    parts = PAIR.split(text)
    plain = json.dumps(parts if len(parts) > 1 else text).replace("=", "\\u003d")
    return JSON + plain.replace("\\", "\\\\")  # ASE protects quotes when it writes, no backslashes


def _is_divided(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value) and bool(value)
