"""The schema of study files at work: defaults filled in, and a sentence for what it refuses.

Beside JSON Schema it knows two keywords: ``ordered`` (``ends`` of a list of two numbers, or
``from_to`` of a mapping) refuses a range whose first number is larger than its second; ``allowed``
says in words what a ``pattern`` allows.
"""

from __future__ import annotations

import copy
import difflib
import math
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from diverse.study.reading import ConfigError

Config = dict[str, Any]

LARGEST_NUMBER = 1e15
LONGEST_TEXT = 4096
LONGEST_QUOTE = 60  # characters of a value that a sentence repeats
FREE_TEXT = "options"  # of a calculator: the one place for text of several lines
WORDS = {
    **{"string": "text", "number": "a number", "integer": "a whole number", "null": "null"},
    **{"array": "a list", "object": "a block of keys"},
}


def with_defaults(config: Config, schema: Config) -> Config:
    """Return a copy of a study file with every default of the schema filled in.

    Raises
    ------
    ConfigError
        If a value is none that a study file can hold (`check_values`) or the schema refuses it.
    """
    check_values(config)
    study = copy.deepcopy(config)
    error = best_match(_Validator(schema).iter_errors(study), key=_relevance)
    if error is not None:
        raise ConfigError(_sentence(error, schema))
    return study


def check_values(config: Config) -> None:
    """Refuse what no key of a study file can hold.

    Raises
    ------
    ConfigError
        For NaN, infinite and enormous numbers; for keys that are no text; for dates and other
        types that YAML makes of unquoted text; for control characters, text that is not Unicode or
        longer than 4096 characters; for lists and mappings that hold themselves.
    """
    if not isinstance(config, dict):
        raise ConfigError("study file: this is no mapping; it has keys at its top level")
    _check_value(config, (), ())


def quoted(value: Any) -> str:
    """Return a value as a sentence repeats it: on one line, and not too long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def _check_value(value: Any, path: tuple[Any, ...], within: tuple[int, ...]) -> None:
    where = _where(path)
    if isinstance(value, dict | list):
        if id(value) in within or len(within) > 20:
            raise ConfigError(f"{where}: this holds itself, or is nested too deep to be meant")
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in members:
            if isinstance(value, dict):
                _check_key(key, where)
            _check_value(member, (*path, key), (*within, id(value)))
    elif isinstance(value, str):
        _check_text(value, where, several_lines=FREE_TEXT in path)
    elif isinstance(value, int | float):
        if not (math.isfinite(value) if isinstance(value, float) else True):
            raise ConfigError(f"{where}: {value} is no number that can be meant")
        if abs(value) > LARGEST_NUMBER:
            raise ConfigError(f"{where}: {quoted(value)} is too large to be meant")
    elif value is not None:
        raise ConfigError(
            f"{where}: {quoted(value)} was read as a {type(value).__name__}; put it in quotes"
        )


def _check_key(key: Any, where: str) -> None:
    if not isinstance(key, str):
        raise ConfigError(
            f'{where}: the key {quoted(key)} is no text; put it in quotes: "{quoted(key)}"'
        )
    _check_text(key, where, several_lines=False)


def _check_text(text: str, where: str, *, several_lines: bool) -> None:
    allowed = "\n\t" if several_lines else ""
    if len(text) > LONGEST_TEXT:
        raise ConfigError(f"{where}: {quoted(text)} has {len(text):,} characters, too many")
    if re.search(
        r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text.translate(dict.fromkeys(map(ord, allowed)))
    ):
        raise ConfigError(
            f"{where}: {quoted(text)} holds a line break or another control character; "
            "write it on one line"
        )
    if re.search("[\ud800-\udfff]", text):
        raise ConfigError(f"{where}: {quoted(text)} is not Unicode text; write it anew")


def _where(path: tuple[Any, ...]) -> str:
    return ".".join(str(part)[:LONGEST_QUOTE] for part in path) or "study file"


def _sentence(error: ValidationError, schema: Config) -> str:
    """Return what is wrong, where, and what to do."""
    error = _in_the_branch_meant(error)
    where = _where(tuple(error.absolute_path))
    describe = _SENTENCES.get(str(error.validator))
    if describe is not None and (text := describe(error, schema)):
        return f"{where}: {text}"
    return f"{where}: {error.message.replace(repr(error.instance), quoted(error.instance))}"


def _in_the_branch_meant(error: ValidationError) -> ValidationError:
    """Return what is wrong in the one alternative that has the value's type, if there is one."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [
        found
        for found in branches.values()
        if not any(e.validator in ("type", "const") and not e.relative_path for e in found)
    ]
    return _in_the_branch_meant(meant[0][0]) if len(meant) == 1 else error


def _unknown_key(error: ValidationError, schema: Config) -> str:
    known = sorted(error.schema.get("properties", {}))
    unknown = sorted(set(error.instance) - set(known))[0]
    close = difflib.get_close_matches(unknown, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
    return f"unknown key '{unknown[:LONGEST_QUOTE]}'; {hint}"


def _missing_key(error: ValidationError, schema: Config) -> str:
    return f"the key {error.message.removesuffix(' is a required property')} is missing"


def _not_allowed(error: ValidationError, schema: Config) -> str:
    words = error.schema.get("allowed") or error.schema.get("description") or "see the schema"
    return f"{quoted(error.instance)} cannot be: {words}"


def _wrong_type(error: ValidationError, schema: Config) -> str:
    """Add how the number must be written that the text or the decimal point was meant for."""
    message = f"{quoted(error.instance)} is not of type {_types(error.validator_value)}"
    value, wanted = error.instance, error.validator_value
    if wanted in ("array", "object"):
        return f"{quoted(value)} is not {WORDS[wanted]}"
    if wanted in ("number", "integer") and (written := _written(value, whole=wanted == "integer")):
        return f"{message} but text; write {written}"
    if wanted == "integer" and isinstance(value, float) and value.is_integer():
        return f"{message}; write {int(value)}"
    return message


def _written(value: Any, *, whole: bool) -> str:
    """Return how YAML takes the number that a text was meant for; empty if it is none."""
    text = value.strip() if isinstance(value, str) else ""
    number = re.fullmatch(r"([+-]?\d*)[.,]?(\d*)(?:[eE]([+-]?\d+))?", text)
    if not number or not (number[1] or number[2]):
        return ""
    if whole and not number[2] and not number[3]:
        return number[1]
    power = number[3] or ""
    power = f"e{power}" if power[:1] in ("+", "-") else f"e+{power}" if power else ""
    return f"{number[1] or 0}.{number[2] or 0}{power}"


def _types(wanted: str | list[str]) -> str:
    return ", ".join(repr(name) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _none_of_them(error: ValidationError, schema: Config) -> str:
    choices = " or ".join(_in_words(choice, schema) for choice in error.validator_value)
    written = _written(error.instance, whole=False) if "number" in choices else ""
    hint = f"; this is a text, write {written}" if written else ""
    return f"{quoted(error.instance)} is not valid: it is {choices}{hint}"


def _in_words(choice: Config, schema: Config) -> str:
    """Return what a small schema allows."""
    if "$ref" in choice:
        choice = {**schema["$defs"][choice["$ref"].rsplit("/", 1)[-1]], **choice}
    if "const" in choice:
        return str(choice["const"])
    types = [choice["type"]] if isinstance(choice["type"], str) else choice["type"]
    words = " or ".join(WORDS.get(name, name) for name in types)
    limits = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "up to"}
    return " ".join([words, *(f"{limits[key]} {choice[key]}" for key in limits if key in choice)])


def _relevance(error: ValidationError) -> tuple[bool, int]:
    """Show an unknown key before what follows from it, then the error highest up."""
    return error.validator == "additionalProperties", -len(error.absolute_path)


def _with_defaults(
    validator: Any, properties: Config, instance: Any, schema: Config
) -> Iterator[ValidationError]:
    """Fill in missing keys, then validate as usual."""
    if isinstance(instance, dict):
        for key, subschema in properties.items():
            if "default" in subschema:
                instance.setdefault(key, copy.deepcopy(subschema["default"]))
    yield from Draft202012Validator.VALIDATORS["properties"](
        validator, properties, instance, schema
    )


def _ordered(
    validator: Any, wanted: str, instance: Any, schema: Config
) -> Iterator[ValidationError]:
    """Refuse a range whose first number is larger than its second."""
    ends: list[Any] = []
    if wanted == "from_to" and isinstance(instance, dict):
        ends = [instance.get("from"), instance.get("to")]
    elif wanted == "ends" and isinstance(instance, list):
        ends = instance
    numbers = len(ends) == 2 and all(isinstance(end, int | float) for end in ends)
    if numbers and ends[0] > ends[1]:
        yield ValidationError(f"the range [{ends[0]}, {ends[1]}] is empty; swap its ends")


_SENTENCES = {
    "additionalProperties": _unknown_key,
    "required": _missing_key,
    "pattern": _not_allowed,
    "type": _wrong_type,
    "anyOf": _none_of_them,
}

_Validator = extend(
    Draft202012Validator,
    {"properties": _with_defaults, "ordered": _ordered},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda checker, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
