"""A calculator factory, found and read but not run: which files and packages decide its labels.

A study file names a factory as ``module:function``. Reading the study (``snakemake -n``) runs
nothing of it: the module's file is found on the import path, parsed to see whether it defines the
name, and followed through its imports. What they lead to is either part of a package that pip
installed, which its version stands for, or a file like the user's own, which its content does.
Imports by computed names cannot be seen.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.metadata import packages_distributions as providers
from pathlib import Path
from typing import TypeGuard

from diverse.labels.labellers import LabellerError

# Last part of the names of files that a calculator reads: potentials, parameters, basis sets.
DATA = re.compile(
    r"[.](ace|alloy|ckpt|dat|descriptor|eam|ff|fs|h5|hdf5|json|meam|model|mtp|nep|nn|npy|npz|pb|pkl"
    r"|psp8|pt|pt2|pth|reax|snapcoeff|snapparam|sw|table|tersoff|toml|upf|xml|yace|yaml|yml)$",
    re.IGNORECASE,
)
ARRAYS = {"numpy", "scipy"}  # their versions make no other physics
EXAMPLE = "a study names a function that returns an ASE calculator as module:function"


@dataclass
class Sources:
    """Origins of a factory's code.

    Attributes
    ----------
    files : dict of str to Path
        Modules that belong to no installed package, by name; the factory's own comes first.
    packages : dict of str to str
        Versions of the installed packages.
    data : dict of str to Path
        Files that the modules name and may read (`DATA`), by the name they have there.
    """

    files: dict[str, Path] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    data: dict[str, Path] = field(default_factory=dict)


def find_factory(factory: str) -> Sources:
    """Return the sources of a factory, ``module:function``, without importing its module.

    Raises
    ------
    LabellerError
        If there is no such module or function, or it cannot be a calculator factory.
    """
    module, _, name = factory.partition(":")
    first = module.split(".")[0]
    if first in sys.stdlib_module_names:
        raise LabellerError(
            f"'{factory}' is not a calculator factory: {first} belongs to Python itself; {EXAMPLE}"
        )
    file = _file(module)
    if file is None:
        raise LabellerError(
            f"no calculator factory '{factory}': there is no module '{module}' on the import path; "
            "put the folder of its file in PYTHONPATH"
        )
    tree = _parsed(file, factory)
    if tree is not None:
        _check_name(tree, name, factory, file)
    sources = Sources()
    for ancestor in _with_parents(module)[::-1]:
        _follow(ancestor, sources)
    return sources


def digest(files: dict[str, Path]) -> str:
    """Return one SHA-256 over the names and contents of files."""
    total = sha256()
    for name, path in sorted(files.items()):
        total.update(f"{name} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def forget_packages() -> None:
    """Look installed packages up anew from now on."""
    _installed.cache_clear()


def is_data(name: str) -> bool:
    """Return whether a text is named like a file that a calculator reads."""
    return DATA.search(name) is not None


def is_file(name: str | Path) -> bool:
    """Return whether something is the path of a file."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # longer than a path can be, or with a null character
        return False


def _file(module: str) -> Path | None:
    """Return the file that importing a module would run; None if there is none."""
    spec = _spec(module)
    return Path(spec.origin) if spec and spec.origin and Path(spec.origin).is_file() else None


def _spec(module: str) -> ModuleSpec | None:
    """Find a module without importing it or the packages it lies in."""
    first, *parts = module.split(".")
    try:
        spec = PathFinder.find_spec(first) or importlib.util.find_spec(first)
    except (ImportError, ValueError):
        return None
    name = first
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec


def _parsed(file: Path, factory: str) -> ast.Module | None:
    """Return the syntax tree of a Python file, None for a compiled module."""
    if file.suffix != ".py":
        return None
    try:
        return _tree(file)
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        cause = f"has a syntax error{line} ({getattr(error, 'msg', error)})"
    except OSError as error:
        cause = f"cannot be opened ({error.strerror})"
    raise LabellerError(f"the calculator factory '{factory}' cannot be read: {file} {cause}")


def _tree(file: Path) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes, which Python tells when it imports
        return ast.parse(file.read_bytes(), filename=str(file))


def _check_name(tree: ast.Module, name: str, factory: str, file: Path) -> None:
    """Refuse a factory that its module does not define, or defines as a plain value."""
    found = [value for defined, value in _definitions(tree.body) if defined in (name, "*")]
    if not found:
        raise LabellerError(f"no calculator factory '{factory}': {file} defines no '{name}'")
    if isinstance(found[-1], ast.Constant | ast.List | ast.Dict | ast.Tuple | ast.JoinedStr):
        raise LabellerError(
            f"'{factory}' is not a calculator factory but a value ({ast.unparse(found[-1])[:40]}); "
            f"{EXAMPLE}"
        )


def _definitions(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that statements define, with what; ``*`` where any name may be."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield ("*" if node.name == "__getattr__" else node.name), node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name.split(".")[0]), node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                names = [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
                alone = isinstance(target, ast.Name)
                yield from ((name, node.value if alone else node) for name in names)
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _definitions(ast.iter_child_nodes(node))


def _follow(module: str, sources: Sources) -> None:
    """Add a module, and what it imports, to the sources."""
    first = module.split(".")[0]
    if first in sys.stdlib_module_names | ARRAYS or module in sources.files:
        return
    installed = _installed(first)
    if installed:
        sources.packages |= installed
        return
    file = _file(module)
    if file is None:
        return
    sources.files[module] = file
    if file.suffix != ".py":
        return
    try:
        tree = _tree(file)
    except (SyntaxError, ValueError):  # what imports it may cope; its content counts all the same
        return
    for name in _data_names(tree):
        places = [place for place in (Path(name), file.parent / name) if is_file(place)]
        sources.data |= {name: places[0]} if places else {}
    for name in _imports(tree, module, is_package=file.name == "__init__.py"):
        for ancestor in _with_parents(name):
            _follow(ancestor, sources)


def _data_names(tree: ast.Module) -> Iterator[str]:
    """Yield the texts in a module that may name a file to read; not those it opens to write."""
    written = [node.args[0] for node in ast.walk(tree) if _opens_to_write(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in written:
            yield from [node.value] if is_data(node.value) else []


def _opens_to_write(node: ast.AST) -> TypeGuard[ast.Call]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
        return False
    modes = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
    texts = [str(mode.value) for mode in modes if isinstance(mode, ast.Constant)]
    return node.func.id == "open" and any(set(text) & set("wax+") for text in texts)


def _imports(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[str]:
    """Yield the names a module imports; some may be attributes of modules."""
    here = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            if source:
                yield source
                yield from (f"{source}.{alias.name}" for alias in node.names if alias.name != "*")


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@lru_cache(maxsize=1024)
def _installed(first: str) -> dict[str, str]:
    """Return names and versions of the packages that pip installed a top-level module with.

    Nothing for a module that lies elsewhere, as one that is edited in place does.
    """
    spec = _spec(first)
    if spec is None:
        return {}
    places = [Path(spec.origin)] if spec.origin else []
    places += [Path(place) for place in spec.submodule_search_locations or []]
    found = [known for name in _distributions(first) if (known := _distribution(name))]
    return {
        str(known.metadata["Name"]): known.version
        for known in found
        if known.read_text("RECORD") is not None
        and any(place.is_relative_to(Path(str(known.locate_file("")))) for place in places)
    }


def _distributions(first: str) -> list[str]:
    return [first] if _distribution(first) else sorted(set(_providers().get(first, [])))


@lru_cache(maxsize=1)
def _providers() -> dict[str, list[str]]:
    return dict(providers())


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None
