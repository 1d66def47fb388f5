"""Docstrings of the library stand alone: a reader who lands on one function gets its subject."""

import ast
import re
from collections.abc import Iterator

import pytest

from paths import ROOT

LIBRARY = ROOT / "workflow/scripts/diverse"
QUESTION = re.compile(r"(What|How|Which|Whether|Where|When)\b")
NEIGHBOUR = re.compile(r"(That|Those)\b|Return (that of|those of|the same)\b|As above\b")
CODE = re.compile(r"``.*?``|`[^`\n]*`|^ *(?:python|snakemake) .*$", re.MULTILINE)
SHAPE = re.compile(r"\((?:[^()]*, )?\.\.\.(?:, [^()]*)?\)")  # (..., D) or (1, ..., 1)


def docstrings(text: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield every module, class, function and method that has a docstring, with it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring is not None:
                yield node, docstring


def fault(node: ast.AST, docstring: str) -> str:
    """Return why a docstring does not stand alone, or an empty string."""
    if QUESTION.match(docstring):
        return "opens with a question word: name the subject instead"
    if not isinstance(node, ast.Module | ast.ClassDef) and NEIGHBOUR.match(docstring):
        return "leans on the docstring above: name the quantity"
    if re.search(r"\.\.\.|…", SHAPE.sub("", CODE.sub("", docstring))):
        return "has an ellipsis in its prose: say what is left out"
    return ""


def test_docstrings_of_the_library_stand_alone():
    faults = [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)} {reason}: {docstring[:60]!r}"
        for path in sorted(LIBRARY.rglob("*.py"))
        for node, docstring in docstrings(path.read_text())
        if (reason := fault(node, docstring))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("docstring", "words"),
    [
        ("Whether a cell is new.", "question"),
        ("What the optimiser minimises.", "question"),
        ("That of each cell.", "leans"),
        ("Return that of each cell's energy per atom.", "leans"),
        ("Return the same by position.", "leans"),
        ("Return the first, second ... neighbours.", "ellipsis"),
        ("Return the first neighbours…", "ellipsis"),
        ("Return a matrix, shape (..., D), of (1, ..., 1) and ``tuple[int, ...]``.", ""),
        ("Whatever is read is kept.", ""),
        ("Return what is read.\n\nThose of the others are kept.", ""),
    ],
)
def test_faults_are_found(docstring, words):
    (node, found), *_ = docstrings(f'def function():\n    """{docstring}"""\n')
    reason = fault(node, found)
    assert words in reason if words else not reason
