"""The physics of a published potential, as a job of a study of another metal; its page."""

import json

import pandas as pd
import pytest
import yaml
from selenium.webdriver.common.by import By

from diverse.physics.properties import definitions
from diverse.physics.table import collect_properties
from diverse.report.pages.physics import physics_page
from diverse.structures import ReferenceLattice
from paths import ROOT, snakemake

RELEASED = ROOT / "results/release/physics"
OPENED = """
const found = [];
for (const button of document.querySelectorAll(".physics button")) {
  button.click();
  const dialog = document.querySelector("dialog[open]");
  const lines = [...dialog.querySelectorAll("path.own")].map(path => path.getAttribute("d"));
  found.push([button.dataset.property, dialog.innerText, lines]);
  dialog.close();
}
return found;
"""


def test_a_published_potential_of_tantalum(tmp_path):
    study = yaml.safe_load((ROOT / "config/tantalum.yaml").read_text())
    study["physics"]["atoms"] = 1  # none of the supercells
    (tmp_path / "tantalum.yaml").write_text(yaml.safe_dump(study))
    table = "results/tantalum/physics/values/eam2004.csv"
    snakemake(tmp_path, "--configfile", str(tmp_path / "tantalum.yaml"), "--", table)
    rows = pd.read_csv(tmp_path / table).set_index("property")
    assert 3.2 < rows.loc["lattice constant a", "value"] < 3.4
    assert rows.loc["C11", "value"] > rows.loc["C12", "value"] > 0
    missing = rows[rows["value"].isna()]
    assert missing["reason"].str.endswith("for no cell of more than one atom").all()
    curves = json.loads((tmp_path / table).with_suffix(".json").read_text())["eam2004"]
    expected = {"lattice constant a", "bulk modulus", "C11", "fcc energy", "sc energy"}
    assert set(curves) == expected | {"Bain path fcc"}
    assert rows["digest"].str.fullmatch("[0-9a-f]{16}").all()


@pytest.fixture
def page(browser, tmp_path):
    """Open the page of the released values."""
    measured = pd.read_csv(RELEASED / "tungsten.csv", dtype={"digest": str})
    origins = measured.drop_duplicates("potential").set_index("potential")
    potentials = origins[["train", "model", "digest"]].fillna("").to_dict("index")
    table = collect_properties(measured, potentials, "dft", None).assign(origin="released")
    behind = {
        "curves": json.loads((RELEASED / "tungsten.json").read_text()),
        "definitions": definitions(ReferenceLattice("W", "bcc", 3.165)),
    }
    template = (ROOT / "workflow/report/physics.html").read_text()
    (tmp_path / "physics.html").write_text(physics_page(template, table, behind))
    browser.get_log("browser")  # of earlier pages
    browser.get(f"file://{tmp_path}/physics.html")
    return browser, table


def test_every_value_opens_its_definition_and_its_curve(page):
    browser, table = page
    opened = browser.execute_script(OPENED)
    assert browser.get_log("browser") == []
    assert len(opened) == table["value"].notna().sum()
    known = definitions(ReferenceLattice("W", "bcc", 3.165))
    for name, text, lines in opened:
        assert known[name] in text
        assert "The largest cell: " in text
        assert lines, name
        assert not [line for line in lines if "NaN" in line or "Infinity" in line]


def test_the_page_of_physics_is_as_wide_as_its_window(page):
    browser, _ = page
    width = browser.execute_script("return document.documentElement.clientWidth")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.find_element(By.CSS_SELECTOR, ".physics thead").is_displayed()
