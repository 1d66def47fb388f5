"""The pages that are read first: every key, rule and example on them is one that there is."""

import re
import tomllib

import pytest
import yaml

from diverse.study.check import load_study
from diverse.study.describe import KEYS, PAGE, SCHEMA, show_keys, study_blocks
from paths import ROOT

README = (ROOT / "README.md").read_text()
PAGES = [
    *("README.md", "CHANGELOG.md", "config/README.md", "workflow/README.md"),
    *("config/tutorials/element.md", "config/tutorials/data.md"),
]
OWN = {f"config/{name}.yaml" for name in ("molybdenum", "copper", "mine")}  # that a reader writes

# Numbers that have no unit: parts of a whole, and multiples of something that the meaning names.
WITHOUT_UNIT = {
    *("volume", "volumes", "aspect", "core", "strain", "strains", "test_fraction"),
    *("energy_weight", "force_weight", "energy_weights", "ridge", "epochs", "learning_rate"),
    *("weight_decay", "validation_fraction", "shares", "warning"),
}


@pytest.fixture(scope="module")
def schema():
    return yaml.safe_load(SCHEMA.read_text())


def test_the_page_of_keys_is_what_the_schema_gives(schema):
    page = PAGE.read_text()
    assert len(KEYS.findall(page)) == 1
    assert page == show_keys(page, schema), "run python -m diverse.study.describe"


def test_a_changed_schema_changes_the_page(schema):
    schema["properties"]["cutoff"]["default"] = 4.321
    assert "`4.321`" in show_keys(PAGE.read_text(), schema)


def test_every_key_has_a_meaning_and_every_number_a_unit(schema):
    keys = {(block.path, key.name): key for block in study_blocks(schema) for key in block.keys}
    assert [name for name, key in keys.items() if not key.meaning] == []
    numbers = {name for name, key in keys.items() if "number" in key.type.split()}
    without = {name for (path, name) in numbers if not keys[path, name].unit}
    assert without == WITHOUT_UNIT


def test_every_property_of_the_schema_is_on_the_page(schema):
    shown = {key.name for block in study_blocks(schema) for key in block.keys}
    assert _property_names(schema) - shown == {"from", "to", "number"}  # inside a type


def _property_names(entry):
    if isinstance(entry, list):
        return set().union(*map(_property_names, entry))
    if not isinstance(entry, dict):
        return set()
    inner = (_property_names(v) for k, v in entry.items() if k not in ("default", "if"))
    return set(entry.get("properties", {})).union(*inner)


def test_links_between_blocks_lead_somewhere(schema):
    page = PAGE.read_text()
    headings = re.findall(r"^#+ (.+)$", page, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert len(links) > 20
    assert links <= anchors


def test_the_examples_are_valid_studies():
    examples = [
        yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)
    ]
    first, *others = examples
    assert load_study(first, str(SCHEMA))["element"] == first["element"]
    for changes in others:
        text = yaml.safe_dump(changes).replace(
            "path/to/set.xyz", str(ROOT / "config/convergence.xyz")
        )
        text = text.replace("mypotential:mace", "ase.calculators.emt:EMT").replace("quip", "snap")
        changes = yaml.safe_load(text)
        datasets = {**first["datasets"], **changes.get("datasets", {})}
        study = load_study({**first, **changes, "datasets": datasets}, str(SCHEMA))
        assert set(study["datasets"]) == set(datasets)


def test_every_study_file_is_on_the_page():
    files = {path.name for path in (ROOT / "config").iterdir() if path.name != "README.md"}
    assert set(re.findall(r"^\| `([\w.-]+)` \|", PAGE.read_text().split("## ")[0], re.M)) == files


@pytest.fixture(scope="module")
def rules():
    """Names of all rules."""
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    return set(re.findall(r"^(?:use rule \w+ as|rule) (\w+)", "\n".join(texts), re.M))


def test_the_paper_table_names_rules_that_exist(rules):
    table = README.split("## The paper, item by item")[1].split("## ")[0]
    rows = re.findall(r"^\| .* \| `.*` \| (`.*`) \|$", table, re.M)
    assert len(rows) > 10
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named <= rules


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(page):
    path = ROOT / page
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        assert "://" in link or (path.parent / link).exists(), f"{page}: there is no {link}"


@pytest.mark.parametrize("page", [*PAGES, "workflow/report/data_card.md"])
def test_files_that_a_page_names_are_there(page):
    """Folders of results are made by a study; everything else is in the repository."""
    named = re.findall(
        r"`((?:workflow|config|envs|tests|scripts|rules)/[\w/.-]*)`", (ROOT / page).read_text()
    )
    for name in named:
        places = (ROOT / name, ROOT / "workflow" / name)
        assert name in OWN or any(p.exists() for p in places), f"{page}: {name}"


def test_headings_that_the_readme_leads_to_are_there():
    headings = re.findall(r"^#+ (.+)$", PAGE.read_text(), re.M)
    anchors = {text.lower().replace(" ", "-") for text in headings}
    links = re.findall(r"\(config/README.md#([^)]+)\)", README)
    assert links
    assert set(links) <= anchors


def test_the_version_of_the_changelog_is_that_of_the_package():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]
    assert newest == version
