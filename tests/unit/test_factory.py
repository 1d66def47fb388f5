"""Calculator factories: found and followed without running them, part of the protocol."""

import sys
from pathlib import Path

import pytest

from diverse.labels.labellers import LabellerError, make_labeller
from diverse.labels.labellers.factory import find_factory

RAN = "from pathlib import Path; Path('ran').touch()\n"  # what must not happen


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder on the import path that a study is read in; its modules leave a trace if they run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    assert not (tmp_path / "ran").exists()


def labeller(factory, **options):
    return make_labeller({"element": "W", "kind": "ase", "factory": factory, "options": options})


def protocols_of(factory, changes, **options):
    """Return the protocol before, and after each change of a file."""
    found = [labeller(factory, **options).protocol]
    for path, text in changes:
        Path(path).write_text(text)
        found.append(labeller(factory, **options).protocol)
    return found


def test_an_installed_factory_is_its_package_with_version():
    provenance = labeller("ase.calculators.emt:EMT").provenance
    assert list(provenance) == ["code"] and provenance["code"].startswith("ase 3.")
    sources = find_factory("sklearn.linear_model:Ridge")  # its package has another name
    assert list(sources.packages) == ["scikit-learn"] and not sources.files


def test_an_edited_module_is_another_protocol(folder):
    (folder / "mine.py").write_text(RAN + "def make(): ...\n")
    first, second, third = protocols_of(
        "mine:make", [("mine.py", RAN + "def make(): 1\n"), ("mine.py", RAN + "def make(): ...\n")]
    )
    assert first == third != second
    assert labeller("mine:make").provenance["code"] == "mine"
    assert not {"mine"} & set(sys.modules)


def test_what_a_module_imports_is_part_of_the_protocol(folder):
    """Whatever the form of the import; not what it does not import."""
    (folder / "mine.py").write_text(
        RAN + "import numpy as np, json\nfrom ase.calculators.emt import EMT\nimport helper\n"
        "def make():\n    import deep.inner.values\n    from deep import beside\n    return EMT()\n"
    )
    for file in (
        "helper.py",
        "deep/__init__.py",
        "deep/inner/__init__.py",
        "second.py",
        "other.py",
    ):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(RAN)
    (folder / "deep/beside.py").write_text("from .inner import values as v\nfrom ..x import y\n")
    (folder / "deep/inner/values.py").write_text("from second import *\nimport mine, absent.one\n")
    imported = ["helper.py", "deep/__init__.py", "deep/beside.py", "deep/inner/__init__.py"]
    imported += ["deep/inner/values.py", "second.py"]
    changes = [(file, (folder / file).read_text() + "# edited\n") for file in imported]
    found = protocols_of("mine:make", changes)
    assert len(set(found)) == len(imported) + 1
    assert len(set(protocols_of("mine:make", [("other.py", "# edited")]))) == 1
    provenance = labeller("mine:make").provenance
    assert set(provenance) == {"code", "code_sha256", "imports_sha256", "packages"}
    assert provenance["packages"].startswith("ase 3.")


def test_a_package_without_version_counts_by_its_content(folder):
    for file in ("pack/__init__.py", "pack/calc.py", "pack/unused.py"):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(RAN + "class Calc: ...\n")
    edited = [(f"pack/{name}.py", "class Calc: 1") for name in ("calc", "__init__", "unused")]
    found = protocols_of("pack.calc:Calc", edited)
    assert len(set(found)) == 3 and found[2] == found[3]


def test_a_namespace_package_and_a_compiled_module_are_found(folder):
    (folder / "space").mkdir()
    (folder / "space/mine.py").write_text("def make(): ...")
    assert list(find_factory("space.mine:make").files) == ["space.mine"]
    (folder / "fast.abi3.so").write_bytes(b"no Python")
    (folder / "space/mine.py").write_text("import fast\ndef make(): ...")
    assert list(find_factory("space.mine:make").files) == ["space.mine", "fast"]


def test_files_that_a_calculator_reads_are_part_of_the_protocol(folder):
    (folder / "mine.py").write_text(
        "def make(**options):\n    open('notes.json', 'w')\n    return Path('w.eam.alloy')\n"
    )
    options = {"model": "w.model", "deep": [{"coeff": "a/b.snapcoeff"}], "txt": "own.dat"}
    options |= {"calls": "calls", "name": "W"}
    (folder / "a").mkdir()
    read = ["w.model", "a/b.snapcoeff", "w.eam.alloy"]
    found = protocols_of("mine:make", [(name, text) for name in read for text in "12"], **options)
    assert len(set(found)) == 7
    assert labeller("mine:make", **options).files() == sorted(["mine.py", *read])
    written = ["own.dat", "calls", "W", "notes.json"]
    found = protocols_of("mine:make", [(name, "1") for name in written], **options)
    assert len(set(found)) == 1


SENTENCES = {
    "math:pi": "'math:pi' is not a calculator factory: math belongs to Python itself; a study",
    "os:system": "'os:system' is not a calculator factory: os belongs to Python itself; a study",
    "builtins:print": "'builtins:print' is not a calculator factory: builtins belongs to Python",
    "absent_module:make": "there is no module 'absent_module' on the import path; put the folder",
    "mine.absent:make": "there is no module 'mine.absent' on the import path",
    "ase.calculators.emt:Absent": r"no calculator factory .*emt.py defines no 'Absent'",
    "mine:absent": r"no calculator factory 'mine:absent': .*mine.py defines no 'absent'",
    "mine:pi": r"'mine:pi' is not a calculator factory but a value \(3.14\); a study names",
    "broken:make": r"broken.py has a syntax error in line 2 \(.*",
    "null:make": "null.py has a syntax error",
}


@pytest.mark.parametrize("factory", SENTENCES)
def test_what_is_no_factory_is_said(folder, factory):
    (folder / "mine.py").write_text(RAN + "pi = 3.14\n")
    (folder / "broken.py").write_text(RAN + "def make(:\n")
    (folder / "null.py").write_bytes(b"make = 1\0")
    with pytest.raises(LabellerError, match=SENTENCES[factory]):
        _ = labeller(factory).provenance


@pytest.mark.parametrize(
    "text",
    [
        "from elsewhere import make",
        "from elsewhere import *",
        "import x as make",
        "if 1:\n    try:\n        from x import make\n    except ImportError:\n        make = f()",
        "with f() as x:\n    class make: ...",
        "a, make = f()",
        "make: object = f()",
        "def __getattr__(name): ...",
        "make = f('\\d')",
        "match 1:\n    case 1:\n        make = lambda: 1",
    ],
)
def test_any_way_to_define_a_factory_is_seen(folder, text):
    (folder / "mine.py").write_text(text)
    assert find_factory("mine:make").files["mine"] == folder / "mine.py"
