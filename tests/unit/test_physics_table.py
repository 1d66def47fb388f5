"""The table of physical properties, its page and figure, and the references it is read against."""

import json

import numpy as np
import pandas as pd
import pytest

from diverse.physics.references import ReferencesError, read_references
from diverse.physics.table import collect_properties
from diverse.report.pages.index import Contents, index_page
from diverse.report.pages.physics import RELEASED, physics_page, released_physics
from diverse.report.plotting.physics import deviations
from paths import ROOT

TEMPLATE = (ROOT / "workflow/report/physics.html").read_text()
POTENTIALS = {
    "expert-linear8-0": {"train": "expert", "model": "linear8"},
    "zhou": {"labeller": {}},
    "dft": {"labeller": {}},
}
REASON = "does not apply: <i>"


def measured(constant, modulus, reason=""):
    return pd.DataFrame(
        {
            "property": ["lattice constant a", "C11", "vacancy formation"],
            "value": [constant, modulus, np.nan],
            "unit": ["Å", "GPa", "eV"],
            "reason": ["", reason, REASON],
        }
    )


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "X.yaml"
    path.write_text(
        "sources: {me: A book}\nDFT-PBE: {C11: [500, me], unknown: [1, me]}\n"
        "experiment: {C11: [540, me], lattice constant a: [3.16, me]}\n"
    )
    tables = {
        "expert-linear8-0": measured(3.2, 600.0),
        "zhou": measured(3.16, np.nan, "explodes"),
        "dft": measured(3.18, np.nan, "not computed"),
    }
    return collect_properties(tables, POTENTIALS, "dft", read_references(path))


@pytest.fixture
def curves():
    curve = {"x": [0.0, 1.0], "lines": [[0.0, 1 / 3]], "x_title": "x", "y_title": "</script>"}
    entry = {"lattice constant a": {**curve, "ticks": [], "rows": ["lattice constant a"]}}
    return {"expert-linear8-0": entry, "dft": entry}


def test_the_labeller_is_the_reference_and_then_the_literature(table):
    rows = table.set_index(["property", "potential"])
    own = rows.loc[("lattice constant a", "expert-linear8-0")]
    assert (own["against"], own["difference"]) == ("dft", pytest.approx(0.02))
    own = rows.loc[("C11", "expert-linear8-0")]
    assert (own["against"], own["difference"]) == ("DFT-PBE", pytest.approx(100))
    assert rows.loc[("vacancy formation", "zhou"), "against"] == ""
    assert "unknown" not in set(table["property"])
    assert list(dict.fromkeys(table["property"])) == list(measured(0, 0)["property"])


def test_the_page_shows_every_value_or_its_reason(table, curves):
    page = physics_page(TEMPLATE, table, curves)
    assert page.count("<tr>") == 1 + 3
    assert '<button data-potential="expert-linear8-0" data-row="lattice constant a">3.2<' in page
    assert "<small>+0.02</small>" in page
    assert "<small>+100</small>" in page
    for number, reason in enumerate(["explodes", "not computed"], start=1):
        assert f"[{number}] {reason}" in page
    assert "does not apply: &lt;i&gt;" in page
    assert "Literature: A book" in page
    assert page.count("</script>") == 2  # no text of a curve ends a script


def test_interstitials_are_ordered_by_energy(table, curves):
    energies = pd.DataFrame(
        {
            "property": ["interstitial 110", "interstitial octahedral", "interstitial 111"],
            "value": [9.6, 12.0, 9.4],
            "unit": "eV",
            "reason": "",
        }
    )
    page = physics_page(
        TEMPLATE, collect_properties({"dft": energies}, POTENTIALS, "dft", None), {"dft": {}}
    )
    assert "111 &lt; 110 &lt; oct" in page
    assert "by energy" not in physics_page(TEMPLATE, table, curves)


def test_values_that_agree_are_white_and_others_are_red(table, curves):
    def colour(value):
        changed = table.copy()
        chosen = (changed["potential"] == "expert-linear8-0") & (changed["property"] == "C11")
        changed.loc[chosen, "difference"] = value
        page = physics_page(TEMPLATE, changed, curves)
        row = page.split('scope="row">C11')[1]
        return row.split("rgba(213, 94, 0, ")[1].split(")")[0]

    assert colour(0.0) == "0.00"
    assert colour(500.0) == colour(-5000.0) == "0.70"


def test_released_values_stand_on_the_first_page(table, curves, tmp_path):
    table.to_csv(tmp_path / "small.csv", index=False)
    (tmp_path / "small.json").write_text(json.dumps(curves))
    files = [tmp_path / "small.csv", tmp_path / "small.json", ROOT / "workflow/report/physics.html"]
    template = (ROOT / "workflow/report/index.html").read_text()
    study = {"study": "small", "element": "W"}
    page = index_page(template, study, Contents([], [], {}, released_physics(*files)))
    assert '<section id="physics"' in page
    assert RELEASED in page
    assert "<small>+100</small>" in page
    assert 'id="physics"' not in index_page(template, study, Contents([], [], {}))


def test_the_figure_has_a_row_for_every_property_with_a_reference(table):
    figure = deviations(table, {"expert": "expert"})
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["lattice constant a", "C11"]
    without = table.assign(difference=np.nan)
    assert not deviations(without, {"expert": "expert"}).axes[0].get_yticklabels()


def test_released_references_are_sourced():
    for path in sorted((ROOT / "config/references").glob("*.yaml")):
        references = read_references(path)
        assert len(references) >= 2
        assert references["source"].str.contains("doi:").all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no file"),
        ("DFT-PBE: {C11: [500, me]}", "names no 'sources'"),
        ("sources: {}\nDFT-PBE: {C11: [500, me]}", "names no 'me'"),
        ("sources: {me: A}\nDFT-PBE: {C11: 500}", "cannot be read"),
        ("sources: {me: A}\nDFT-PBE: {C11: [many, me]}", "cannot be read"),
        ("- 1", "cannot be read"),
        ("a: [", "cannot be read"),
    ],
)
def test_references_that_are_wrong_are_refused(tmp_path, text, words):
    path = tmp_path / "W.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ReferencesError, match=words):
        read_references(path)
