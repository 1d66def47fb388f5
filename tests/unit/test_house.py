"""The house is as its map says: packages, rules, and the way of one number."""

import ast
import re
from collections import defaultdict

import pytest

from paths import ROOT

LIBRARY = ROOT / "workflow/scripts/diverse"
SCRIPTS = ROOT / "workflow/scripts"
PAGE = (ROOT / "workflow/README.md").read_text()
ROOT_MODULES = 6

ONCE = ["0.99363", "force_consistent=True", "ZBL(study[", "1 / (1 + ("]


def section(title):
    """Return the text below a heading, up to the next one of the same level or a higher one."""
    level, name = title.split(" ", 1)
    text = re.split(rf"^{level} {re.escape(name)}$", PAGE, flags=re.M)[1]
    return re.split(rf"^#{{1,{len(level)}}} ", text, flags=re.M)[0]


def rows(text):
    """Return the cells of the rows of a table whose first cell is code."""
    lines = re.findall(r"^\| (`.+) \|$", text, re.M)
    return [[cell.strip() for cell in line.split(" |")] for line in lines]


def code(text):
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def imported(path):
    """Return the modules of the library that a file imports, anywhere in it, by dotted name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("diverse.") for name in found if name.startswith("diverse.")}


@pytest.fixture(scope="module")
def imports():
    """Packages and root modules of the library, and those that each imports."""
    graph = defaultdict(set)
    for path in sorted(LIBRARY.rglob("*.py")):
        package = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        if package != "__init__":
            graph[package] |= {name.split(".")[0] for name in imported(path)} - {package}
    return dict(graph)


@pytest.fixture(scope="module")
def packages():
    """Packages in the order of the map, and those that each may import."""
    return {code(name)[0]: set(code(may)) for name, _, may in rows(section("## Packages"))}


def test_the_map_names_every_package_and_every_import(imports, packages):
    assert set(imports) == set(packages)
    for package, found in imports.items():
        assert found <= packages[package], f"{package}: imports that the map does not list"
        assert packages[package] <= found, f"{package}: the map lists imports that are not there"


def test_packages_import_only_what_stands_above_them(packages):
    order = list(packages)
    for number, (package, may) in enumerate(packages.items()):
        assert may <= set(order[:number]), f"{package} imports what stands below it in the map"


def test_no_package_is_imported_by_what_it_imports(imports):
    left = dict(imports)
    while free := [name for name, found in left.items() if not found & set(left)]:
        for name in free:
            del left[name]
    assert not left, f"imports go round in a circle among {', '.join(left)}"


def test_what_uses_data_does_not_need_what_generates_them(imports):
    users = ("models", "datasets", "diversity", "errors")
    assert [name for name in users if "generate" in imports[name]] == []


def test_few_modules_lie_loose():
    modules = {path.name for path in LIBRARY.glob("*.py")} - {"__init__.py"}
    assert len(modules) <= ROOT_MODULES, f"find a package for one of {sorted(modules)}"


@pytest.mark.parametrize("text", ONCE)
def test_a_convention_stands_in_one_file(text):
    files = [p for end in ("*.py", "*.hpp", "*.cpp") for p in SCRIPTS.rglob(end)]
    holders = [path.relative_to(SCRIPTS) for path in files if text in path.read_text()]
    assert len(holders) == 1, f"{text} stands in {holders}"


@pytest.fixture(scope="module")
def rules():
    """Text of every rule, by name."""
    found = {}
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for text in re.split(r"^(?=(?:use )?rule )", path.read_text(), flags=re.M)[1:]:
            found[re.match(r"(?:use rule \w+ as|rule) (\w+)", text)[1]] = text
    return found


def test_stages_are_the_rule_files_in_the_order_of_the_snakefile():
    included = re.findall(r"workflow/rules/(\w+\.smk)", (ROOT / "Snakefile").read_text())
    assert [code(name)[0] for name, *_ in rows(section("## Stages")) if ".smk" in name] == included
    assert {path.name for path in (ROOT / "workflow/rules").iterdir()} == set(included)


def test_a_verb_means_one_thing(rules):
    """What a rule makes follows from the first word of its name."""
    for name, text in rules.items():
        output = re.search(r"    output:\n(.*?)\n    \w+:", text, re.S)
        made = set(re.findall(r"\.(\w+)\"", output[1])) - {"rst"} if output else set()
        verb = name.split("_")[0]
        if verb == "plot":
            assert made == {"png"}, name
        if verb in ("tabulate", "measure"):
            assert "csv" in made and "png" not in made, name
        if verb == "show":
            assert "png" in made and made & {"csv", "html"}, name
        if verb == "compare":
            assert "csv" in made, name
    used = {name.split("_")[0] for name in rules}
    verbs = {verb.split("_")[0] for cells in rows(section("## Stages")) for verb in code(cells[0])}
    assert {verb for verb in verbs if ".smk" not in verb} <= used


def defined(path):
    """Return the names of the functions, methods and classes of a file."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, kinds)}


def test_every_hop_of_one_number_exists(rules):
    """Each function is called by the script of its rule, or by a function above it in the table."""
    hops = [
        [code(cell)[0] for cell in cells[:3]] for cells in rows(section("## Follow one number"))
    ]
    assert len(hops) > 10
    for number, (rule, file, function) in enumerate(hops):
        assert rule in rules
        assert function in defined(LIBRARY / file), f"{file} does not define {function}"
        above = {SCRIPTS / f"{rule}.py"}
        above |= {LIBRARY / hop[1] for hop in hops[:number] if hop[0] == rule}
        callers = [path for path in above if function in _called(path)]
        assert callers, f"rule {rule}: nothing in {above} calls {function}"


def _called(path):
    calls = (n.func for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
    return {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}


@pytest.mark.parametrize("title", re.findall(r"^### (.+)$", section("## How to add"), re.M))
def test_what_to_change_is_there(title):
    """Paths that a recipe names exist, and a name that it gives with a file stands in that file."""
    text = " ".join(section(f"### {title}").split())
    names = code(text)
    paths = [name for name in names if "/" in name and "*" not in name]
    assert paths
    for name in paths:
        assert any(place.exists() for place in _places(name)), f"{title}: there is no {name}"
    for name, path in re.findall(r"`(\w+)`(?: and in `\w+`)? (?:of|in) `([\w/.]+\.\w+)`", text):
        file = next(place for place in _places(path) if place.exists())
        assert re.search(rf"\b{name}\b", file.read_text()), f"{title}: {path} has no {name}"


def _places(name):
    """Return where a path on the map may lead: from the root, or from workflow/."""
    return ROOT / name, ROOT / "workflow" / name, LIBRARY / "models" / name
