"""The table of physical properties, its page and figure, and the references it is read against."""

import json

import numpy as np
import pandas as pd
import pytest

from diverse.physics.findings import OTHERS, physics_findings
from diverse.physics.references import ReferencesError, read_references
from diverse.physics.table import NOT_MEASURED, collect_properties
from diverse.report.pages.index import Contents, index_page
from diverse.report.pages.physics import known_physics, physics_page
from diverse.report.plotting.physics import deviations
from paths import ROOT

TEMPLATE = (ROOT / "workflow/report/physics.html").read_text()
POTENTIALS = {
    "expert-linear8-0": {"train": "expert", "model": "linear8", "digest": "07"},
    "zhou": {"train": "", "model": "", "digest": "1e9"},
    "dft": {"train": "", "model": "", "digest": "abc"},
}
REASON = "does not apply: <i>"


def measured(name, constant, modulus, reason=""):
    return pd.DataFrame(
        {
            "potential": name,
            **POTENTIALS[name],
            "property": ["lattice constant a", "C11", "vacancy formation"],
            "value": [constant, modulus, np.nan],
            "unit": ["Å", "GPa", "eV"],
            "reason": ["", reason, REASON],
            "atoms": [1, 1, 0],
        }
    )


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "X.yaml"
    path.write_text(
        "sources: {me: A book}\nDFT-PBE: {C11: [500, me], unknown: [1, me]}\n"
        "experiment: {C11: [540, me], lattice constant a: [3.16, me]}\n"
    )
    rows = [
        measured("expert-linear8-0", 3.2, 600.0),
        measured("zhou", 3.16, np.nan, "explodes"),
        measured("dft", 3.18, np.nan, "not computed"),
    ]
    references = read_references(path)
    found = collect_properties(pd.concat(rows), POTENTIALS, "dft", references)
    return found.assign(origin="this study")


@pytest.fixture
def curves():
    curve = {"x": [0.0, 1.0], "lines": [[0.0, 1 / 3]], "x_title": "x", "y_title": "</script>"}
    curve |= {"ticks": [], "names": []}
    entry = {"lattice constant a": {**curve, "rows": ["lattice constant a"]}}
    definitions = {"lattice constant a": "The <b> lattice constant."}
    return {"curves": {"expert-linear8-0": entry, "dft": entry}, "definitions": definitions}


def test_the_labeller_is_the_reference_and_then_the_literature(table):
    rows = table.set_index(["property", "potential"])
    own = rows.loc[("lattice constant a", "expert-linear8-0")]
    assert (own["against"], own["difference"]) == ("dft", pytest.approx(0.02))
    own = rows.loc[("C11", "expert-linear8-0")]
    assert (own["against"], own["difference"]) == ("DFT-PBE", pytest.approx(100))
    assert rows.loc[("vacancy formation", "zhou"), "against"] == ""
    assert "unknown" not in set(table["property"])
    names = ["lattice constant a", "C11", "vacancy formation"]
    assert list(dict.fromkeys(table["property"])) == names
    assert list(dict.fromkeys(table["potential"])) == [*POTENTIALS, "experiment", "DFT-PBE"]


def test_rows_of_other_potentials_are_named(table, curves):
    """A potential with other bytes is said to be another, and one without rows has a reason."""
    rows = table[table["source"].isna() | (table["source"] == "")]
    changed = {**POTENTIALS, "new": {"train": "expert", "model": "pod80", "digest": "1"}}
    changed["zhou"] = {**POTENTIALS["zhou"], "digest": "2e9"}
    del changed["dft"]
    found = collect_properties(rows, changed, "dft", None).assign(origin="released")
    assert set(found.loc[~found["same_potential"], "potential"]) == {"zhou"}
    assert set(found.loc[found["potential"] == "new", "reason"]) == {NOT_MEASURED}
    assert "dft" not in set(found["potential"])
    page = physics_page(TEMPLATE, found, curves)
    assert "have other bytes for zhou (released 1e9)" in page
    assert "<br>other bytes" in page
    assert "of these very potentials" in physics_page(
        TEMPLATE, table.assign(origin="released"), curves
    )


def test_sentences_count_values_that_are_close_to_their_reference(table):
    """3.2 Å is within 1 % of 3.18 Å, 600 GPa not within 10 % of 500 GPa; nothing is unstable."""
    assert physics_findings(table) == [
        "Trained on expert: 1 of 2 values lie within 10 % of dft or DFT-PBE, lattice constants "
        "within 1 % (linear8 1 of 2).",
        f"{OTHERS}: 1 of 2 values lie within 10 % of dft or DFT-PBE, lattice constants within 1 % "
        "(zhou 1 of 2).",
        "No lattice is unstable, none lies below the reference lattice.",
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"phonon lowest": -0.06}, "phonons are imaginary: zhou."),
        ({"C11": 100.0, "C12": 110.0, "C44": 50.0}, "break Born's conditions: zhou."),
        ({"C11": 100.0, "C12": 60.0, "C44": -1.0}, "break Born's conditions: zhou."),
        ({"C11": 100.0, "C12": -60.0, "C44": 1.0}, "break Born's conditions: zhou."),
        ({"fcc energy": -1.0}, "below the reference lattice: zhou."),
        ({"vacancy formation": -0.1}, "costs no energy: zhou."),
    ],
)
def test_sentences_name_what_is_unphysical(values, words):
    rows = pd.DataFrame({"property": list(values), "value": list(values.values())})
    rows = rows.assign(potential="zhou", unit="", reason="", atoms=1, **POTENTIALS["zhou"])
    found = physics_findings(collect_properties(rows, POTENTIALS, "dft", None))
    assert len(found) == 1
    assert found[0].endswith(words)


def test_the_page_shows_every_value_or_its_reason(table, curves):
    page = physics_page(TEMPLATE, table, curves)
    assert page.count("<tr>") == 1 + 3
    button = '<button data-potential="expert-linear8-0" data-property="lattice constant a"'
    assert f'{button} data-row="lattice constant a" data-atoms="1">3.2<' in page
    assert page.count("<button data") == 4  # values of the literature open nothing
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
            "atoms": 129,
            "potential": "dft",
            **POTENTIALS["dft"],
        }
    )
    found = collect_properties(energies, POTENTIALS, "dft", None).assign(origin="this study")
    page = physics_page(TEMPLATE, found, {"curves": {"dft": {}}, "definitions": {}})
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


def test_rounding_is_shown_as_zero(table, curves):
    table["value"] = table["value"].replace(3.16, -1.1e-11)
    assert ">0<" in physics_page(TEMPLATE, table, curves)
    assert "0000000" not in physics_page(TEMPLATE, table, curves)


def test_known_values_stand_on_the_first_page(table, curves, tmp_path):
    table.to_csv(tmp_path / "small.csv", index=False)
    (tmp_path / "small.json").write_text(json.dumps(curves))
    files = [tmp_path / "small.csv", tmp_path / "small.json", ROOT / "workflow/report/physics.html"]
    template = (ROOT / "workflow/report/index.html").read_text()
    study = {"study": "small", "element": "W"}
    page = index_page(template, study, Contents([], [], {}, known_physics(*files)))
    assert '<section id="physics"' in page
    assert "These values were measured with this study's potentials." in page
    assert "<li>Trained on expert: 1 of 2 values" in page
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
        assert references["source"].str.contains("doi:|https://").all()


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
