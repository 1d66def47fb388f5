"""Study files as they lie on disk, read strictly: one sentence for what is wrong with a file.

Snakemake reads a file given with ``--configfile`` before the workflow can say anything, ends in a
traceback where it cannot, and lets the last of two equal keys win. So ``./envs/run snakemake``
runs this module on the files first, and the workflow reads them again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

LARGEST_FILE = 10_000_000  # bytes
NOT_KEYS = {
    "__use_yte__": "a study file is data, no template",
    "pathvars": "the folder of results follows from the key 'study'",
}


class ConfigError(ValueError):
    """The study file is wrong; the message names the key and what to do."""


def demand(condition: bool, message: str) -> None:
    """Raise `ConfigError` with a message unless a condition holds."""
    if not condition:
        raise ConfigError(message)


def check_file(path: str | Path) -> None:
    """Refuse a file that cannot be a study file, whatever its settings are.

    Parameters
    ----------
    path : str or Path
        JSON or YAML file in UTF-8.

    Raises
    ------
    ConfigError
        If the file is missing, no file, larger than 10 MB or not UTF-8; if it is neither JSON nor
        YAML, holds no keys at its top level, one key twice, or a key that Snakemake would act on.
    """
    text = _text(Path(path))
    try:
        json.loads(text, object_pairs_hook=lambda pairs: _check_pairs(pairs, path))
    except json.JSONDecodeError:
        _check_nodes(_compose(text, path), path)
        return
    except RecursionError:
        raise ConfigError(f"{path}: lists and keys are nested too deep to be meant") from None
    if not isinstance(json.loads(text), dict):
        raise ConfigError(_no_keys(path))


def main(arguments: Sequence[str]) -> int:
    """Check the study files that a `snakemake` command names; return the exit status."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", dest="files", nargs="+", action="extend")
    known, _ = parser.parse_known_args(list(arguments))
    try:
        for path in known.files or []:
            check_file(path)
    except ConfigError as error:
        print(f"The study file is not valid. {error}", file=sys.stderr)
        return 1
    return 0


def _text(path: Path) -> str:
    """Return what a file holds, if it is a file of text that may be read."""
    try:
        if not path.exists():
            raise ConfigError(f"There is no file '{path}': check what --configfile names")
        if not path.is_file():
            raise ConfigError(f"'{path}' is not a file: name the study file itself")
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path} has more than {LARGEST_FILE:,} bytes: it is no study file")
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 (byte {error.start + 1} is 0x{error.object[error.start]:02x}): "
            "save it as UTF-8"
        ) from None
    except OSError as error:
        raise ConfigError(f"'{str(path)[:80]}' cannot be read: {error.strerror}") from None


def _compose(text: str, path: str | Path) -> yaml.Node:
    """Return the nodes of a YAML document whose top level is a mapping."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: this is not YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: this is not YAML ({' '.join(str(error).split())})") from None
    except RecursionError:
        raise ConfigError(f"{path}: lists and keys are nested too deep to be meant") from None
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(_no_keys(path))
    return node


def _check_nodes(root: yaml.Node, path: str | Path) -> None:
    """Refuse keys that stand twice in one mapping, and those that Snakemake would act on."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if isinstance(node, yaml.MappingNode):
            _check_keys([key for key, _ in node.value if isinstance(key, yaml.ScalarNode)], path)
            waiting += [value for _, value in node.value]
    _check_top([key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)], path)


def _check_keys(keys: Iterable[yaml.ScalarNode], path: str | Path) -> None:
    """Refuse a key that stands twice; the sentence names the lines."""
    lines: dict[tuple[str, str], list[int]] = {}
    for key in keys:
        lines.setdefault((key.tag, key.value), []).append(key.start_mark.line + 1)
    for (_, name), found in lines.items():
        if len(found) > 1:
            numbers = " and ".join(map(str, found))
            raise ConfigError(
                f"{path}: the key '{name[:64]}' stands twice, in lines {numbers}; delete one"
            )


def _check_pairs(pairs: list[tuple[str, Any]], path: str | Path) -> dict[str, Any]:
    """Return a JSON object, unless one of its keys stands twice."""
    for name, number in Counter(key for key, _ in pairs).items():
        if number > 1:
            raise ConfigError(f"{path}: the key '{name[:64]}' stands twice; delete one")
    _check_top([key for key, _ in pairs], path)
    return dict(pairs)


def _check_top(keys: Iterable[str], path: str | Path) -> None:
    for key in keys:
        if key in NOT_KEYS:
            raise ConfigError(f"{path}: the key '{key}' must go: {NOT_KEYS[key]}")


def _no_keys(path: str | Path) -> str:
    return f"{path} is empty or no mapping: a study file has keys at its top level, such as study"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
