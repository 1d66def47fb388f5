"""Factories of ASE calculators, checked without running anything of them.

A study file is read whenever the workflow is, with ``-n`` too, and must start nobody's code: the
module is looked up and its source read, never imported.
"""

from __future__ import annotations

import ast
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from diverse.study.reading import ConfigError

ADVICE = "name it as module:function, and put the module's folder on PYTHONPATH"


def check_factory(factory: str) -> None:
    """Refuse a factory whose module is not found or, by its source, does not define it.

    Parameters
    ----------
    factory : str
        ``module:function``, the module with dots.

    Raises
    ------
    ConfigError
        If there is no such module, its source is not Python, the name is not defined at its top
        level, or the module is one of Python's own, which make no calculators.
    """
    module, _, name = factory.partition(":")
    where = f"no calculator factory '{factory[:80]}'"
    if module.split(".")[0] in sys.stdlib_module_names:
        raise ConfigError(f"{where}: '{module}' is part of Python and makes no ASE calculator")
    spec = _find(module)
    if spec is None:
        raise ConfigError(f"{where}: there is no module '{module[:80]}'; {ADVICE}")
    if not spec.origin or not spec.origin.endswith(".py"):
        return  # compiled: the worker says what is wrong with it
    try:
        tree = ast.parse(Path(spec.origin).read_bytes(), spec.origin)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f"{spec.origin}, line {line}" if line else spec.origin
        raise ConfigError(f"{where}: {place} is not Python ({error.args[0]})") from None
    except OSError as error:
        raise ConfigError(f"{where}: {spec.origin} cannot be read ({error.strerror})") from None
    names = _defined(tree)
    if name not in names and not names & {"*", "__getattr__"}:
        raise ConfigError(f"{where}: {spec.origin} defines no '{name}'; {ADVICE}")


def _find(module: str) -> ModuleSpec | None:
    """Return where a module lies, without importing the packages it lies in."""
    found: ModuleSpec | None = None
    path: list[str] | None = None
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        found = PathFinder.find_spec(".".join(parts[:depth]), path)
        if found is None:
            return None
        path = list(found.submodule_search_locations or [])
    return found


def _defined(tree: ast.Module) -> set[str]:
    """Return the names that a module's source defines at its top level; ``*`` for unknown ones."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        else:
            waiting += ast.iter_child_nodes(node)
    return names
