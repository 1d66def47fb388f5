"""Describe every key of a study file, from the schema: the second half of ``config/README.md``.

``python -m diverse.study.describe`` writes it between the two marks of that page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Schema = Mapping[str, Any]

ROOT = Path(__file__).parents[4]
SCHEMA = ROOT / "workflow/schemas/study.schema.yaml"
PAGE = ROOT / "config/README.md"
KEYS = re.compile(r"(?<=<!-- keys).*?(?=<!-- end of keys -->)", re.DOTALL)
TITLE = " of workflow/schemas/study.schema.yaml, written by python -m diverse.study.describe -->"

# A unit stands in brackets in the meaning of a key: "Lattice constant (Å)".
UNITS = (
    *("Å", "1/Å", "eV", "eV/atom", "eV per atom", "eV per environment", "eV per electron"),
    *("eV^2 per electron", "eV/Å^2", "K", "fs", "s", "GPa", "degrees", "electrons"),
    *("Bohr magnetons", "points per 1/Å"),
)
UNIT = re.compile(rf"\(({'|'.join(map(re.escape, UNITS))})(?:[;,][^)]*)?\)")

BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


@dataclass(frozen=True)
class Key:
    """One key of a block: everything the page says of it, as text."""

    name: str
    type: str
    unit: str
    default: str
    meaning: str

    @property
    def row(self) -> str:
        """Return the key as a row of a table in Markdown."""
        texts = (f"`{self.name}`", self.type, self.unit, self.default, self.meaning)
        return "| " + " | ".join(text.replace("|", r"\|") for text in texts) + " |"


@dataclass(frozen=True)
class Block:
    """One block of a study file with its keys.

    Attributes
    ----------
    path : str
        Dotted path of the block; ``<name>`` stands for a name that the study chooses. Empty for
        the study file itself.
    choice : str
        Key and value that the block must hold for these keys to exist, such as ``family: expert``.
    meaning : str
    keys : tuple of Key
    """

    path: str
    choice: str
    meaning: str
    keys: tuple[Key, ...]

    @property
    def heading(self) -> str:
        """Return the heading of the block."""
        if not self.path:
            return "The study file"
        return f"`{self.path}`" + (f" with `{self.choice}`" if self.choice else "")

    @property
    def text(self) -> str:
        """Return heading, meaning and table of the block in Markdown."""
        table = ["| key | type | unit | default | meaning |", "|---|---|---|---|---|"]
        table += [key.row for key in self.keys]
        parts = [f"### {self.heading}", self.meaning, "\n".join(table)]
        return "\n\n".join(part for part in parts if part)


def show_keys(page: str, schema: Schema) -> str:
    """Return `page` with the description of every key of `schema` between its two marks."""
    text = "\n\n".join(block.text for block in study_blocks(schema))
    return KEYS.sub(lambda _: f"{TITLE}\n\n{text}\n\n", page)


def study_blocks(schema: Schema) -> Iterator[Block]:
    """Yield every block of a study file that the schema describes, parents before children."""
    yield from _Walk(schema.get("$defs", {})).blocks("", schema)


@dataclass(frozen=True)
class _Walk:
    """A walk through a schema that follows its references."""

    definitions: Schema

    def blocks(self, path: str, entry: Schema) -> Iterator[Block]:
        """Yield the block at `path`, those inside it, and what it may hold by its choices."""
        meaning = _text(entry)
        required = tuple(entry.get("required", ()))
        yield self._block(path, "", meaning, entry, required)
        yield from self._children(path, entry)
        for choice, case in self._cases(entry):
            yield self._block(path, choice, _text(case), case, required)
            yield from self._children(path, case)

    def _block(
        self, path: str, choice: str, meaning: str, entry: Schema, required: tuple[str, ...]
    ) -> Block:
        needed = {*required, *entry.get("required", ())}
        keys = [
            self._key(_joined(path, name), name, self._resolved(part), name in needed)
            for name, part in entry["properties"].items()
            if part  # a key that only repeats the choice is described where it is made
        ]
        return Block(path, choice, meaning, tuple(keys))

    def _children(self, path: str, entry: Schema) -> Iterator[Block]:
        for name, part in entry["properties"].items():
            resolved = self._resolved(part)
            if "properties" in resolved:
                yield from self.blocks(_joined(path, name), resolved)
            elif "properties" in (inner := self._named(resolved)):
                yield from self.blocks(f"{_joined(path, name)}.<name>", inner)

    def _cases(self, entry: Schema) -> Iterator[tuple[str, Schema]]:
        """Yield each value of the key that decides what else a block holds, and those keys."""
        for clause in entry.get("allOf", ()):
            ((key, condition),) = clause["if"]["properties"].items()
            values = condition.get("enum", [condition.get("const")])
            yield f"{key}: {' or '.join(values)}", self._resolved(clause["then"])

    def _key(self, path: str, name: str, entry: Schema, required: bool) -> Key:
        meaning = _text(entry)
        if "properties" in entry:
            default = (
                "**required**"
                if required
                else "those of the block"
                if "default" in entry
                else "*unset*"
            )
            return Key(name, _link("block", path), "", default, meaning)
        if "properties" in self._named(entry):
            default = "**required**" if required else "*unset*"
            return Key(name, _link("blocks by name", f"{path}.<name>"), "", default, meaning)
        default = "**required**" if required else "*unset*"
        if "default" in entry:
            default = _value(entry["default"])
        units = dict.fromkeys(UNIT.findall(meaning))
        return Key(name, self._type(entry), ", ".join(units), default, meaning)

    def _type(self, entry: Schema) -> str:
        """Return the type of a value in words, with its bounds."""
        entry = self._resolved(entry)
        if "const" in entry:
            return _value(entry["const"])
        if "enum" in entry:
            return "one of " + ", ".join(map(_value, entry["enum"]))
        if "anyOf" in entry:
            return " or ".join(map(self._type, entry["anyOf"]))
        kinds = entry["type"] if isinstance(entry["type"], list) else [entry["type"]]
        texts = ["null" if kind == "null" else self._plain(kind, entry) for kind in kinds]
        return ", or ".join(texts)

    def _plain(self, kind: str, entry: Schema) -> str:
        if kind == "array":
            low, high = entry.get("minItems"), entry.get("maxItems")
            number = f"{low} × " if low is not None and low == high else ""
            return f"list of {number}{self._type(entry['items'])}"
        if kind == "object" and "properties" in entry:
            inner = (f"`{name}`: {self._type(part)}" for name, part in entry["properties"].items())
            return "{" + "; ".join(inner) + "}"
        if kind == "object":
            named = self._named(entry)
            return f"{self._type(named)}, by name" if named else "block of any keys"
        if kind == "string":
            if "allowed" in entry:
                return f"text: {entry['allowed']}"
            return "text" + (f", `{entry['pattern']}`" if "pattern" in entry else "")
        if kind == "boolean":
            return "true or false"
        bounds = [f"{sign} {entry[word]}" for word, sign in BOUNDS.items() if word in entry]
        return " ".join([kind, " and ".join(bounds)]).strip()

    def _named(self, entry: Schema) -> Schema:
        """Return what describes each entry of a block whose names the study chooses, or nothing."""
        inner = entry.get("additionalProperties")
        return self._resolved(inner) if isinstance(inner, Mapping) else {}

    def _resolved(self, entry: Schema) -> Schema:
        """Return an entry with what it refers to; what it says itself comes first."""
        while "$ref" in entry:
            own = {key: value for key, value in entry.items() if key != "$ref"}
            entry = {**self.definitions[entry["$ref"].split("/")[-1]], **own}
        return entry


def _text(entry: Schema) -> str:
    """Return the description of an entry in one line."""
    return " ".join(str(entry.get("description", "")).split())


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _link(text: str, path: str) -> str:
    """Return a link to the heading of the block at `path`, as GitHub names its anchor."""
    return f"[{text}](#{re.sub(r'[^a-z0-9_-]', '', path.lower())})"


def _value(value: Any) -> str:
    """Write a value as it stands in a study file."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "." not in text:
        text = text.replace("e", ".0e")  # without a point YAML takes it for a text
    return f"`{text}`"


def main() -> None:
    """Write the description of every key to ``config/README.md``."""
    PAGE.write_text(show_keys(PAGE.read_text(), yaml.safe_load(SCHEMA.read_text())))


if __name__ == "__main__":
    main()
