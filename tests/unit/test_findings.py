"""The findings of a study in the README: the sentences of its claims, and no others."""

import re

import numpy as np
import pandas as pd
import pytest

from claim_cases import all_claims, claims_of
from diverse.report.estimate import MARKED as ESTIMATE
from diverse.report.findings import FINDINGS, findings, show_beside, show_findings, show_larger
from diverse.report.release_guard import released_study
from paths import ROOT

CLAIMS = ROOT / "results/release/tables/claims.csv"
README = (ROOT / "README.md").read_text()
BESIDE = re.compile(r"<!-- claims of (.*?), written by .*?<!-- end of claims of \1 -->", re.DOTALL)
LARGER = re.compile(r"<!-- larger cells, written by .*?<!-- end of larger cells -->", re.DOTALL)
BENCHMARKS = re.compile(r"<!-- benchmarks, written by .*?<!-- end of benchmarks -->", re.DOTALL)
COUNT = re.compile(
    r"\b(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half an?)[ -]"
    r"(?:\w+ )?(?:minutes?|hours?|GB|cells|environments|labels|models|networks|words|times|%)"
)


def test_every_claim_is_a_line_with_its_verdict_and_its_reading():
    lines = findings(all_claims()).splitlines()
    assert lines[0] == "- **C1, energies: reproduced.** Expert-trained models err 1.4 times less."
    assert lines[2] == "- **C2, forces: undecided.** Better is shown, far better is not."
    assert lines[4] == "- **C4: no data.** This study holds no dynamics."
    assert len(lines) == 5


def test_names_of_users_are_no_markup():
    (line,) = findings(claims_of({"reading": "On my_own_set <b> [a](b)."})).splitlines()
    assert line.endswith(r"On my\_own\_set \<b\> \[a\](b).")


def test_findings_replace_what_stands_between_the_marks(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("Before\n<!-- findings, old -->\n12 : 0\n<!-- end of findings -->\nAfter\n")
    for _ in range(2):
        show_findings(readme, all_claims())
        before, between, after = re.split(r"<!--.*-->\n", readme.read_text())
        assert (before, after) == ("Before\n", "After\n")
        assert between == f"\n{findings(all_claims())}\n\n"


def test_claims_of_two_studies_stand_side_by_side(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- claims of mine, by hand -->\n?\n<!-- end of claims of mine -->\n")
    found = {"effect": [1.26, 2.0], "ci_low": [1.04, np.nan], "ci_high": [1.61, np.nan]}
    own = pd.DataFrame({"claim": "C2", "quantity": ["energy", "forces"], **found})
    own["verdict"] = ["undecided", "no interval"]
    theirs = own.drop(columns=["claim", "quantity"]).add_prefix("other_")
    theirs.loc[1] = np.nan  # not asked there
    own["agreement"] = ["same verdict", "not asked there"]
    sizes = pd.DataFrame(
        {"of": "my_set", "model": "m", "quantity": "energy", "size": ["whole", "10", "9"]}
    ).assign(ratio=[1.04, 2.06, 3.0])
    show_beside(readme, "mine", "theirs", pd.concat([own, theirs], axis=1), sizes)
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in readme.read_text().split("\n")
    ]
    header = [
        "claim",
        *(f"{what}, {of}" for of in ("mine", "theirs") for what in ("effect", "verdict")),
        "verdicts",
    ]
    assert header in rows
    energy = "1.26 [1.04, 1.61]"
    assert ["C2, energies", energy, "undecided", energy, "undecided", "same verdict"] in rows
    assert ["C2, forces", "2", "no interval", "", "", "not asked there"] in rows
    assert ["errors of", "set", "model", "9", "10", "whole"] in rows
    assert ["energies", r"my\_set", "m", "3", "2.1", "1"] in rows


def test_the_readme_says_what_the_released_study_found(tmp_path):
    assert len(FINDINGS.findall(README)) == 1
    readme = tmp_path / "README.md"
    readme.write_text(README)
    show_findings(readme, pd.read_csv(CLAIMS))
    assert readme.read_text() == README, "run snakemake release"


def test_the_readme_shows_the_released_errors_on_larger_cells(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(README)
    show_larger(readme, pd.read_csv(ROOT / "results/release/tables/cell_sizes.csv"))
    assert readme.read_text() == README, "run snakemake release"


def test_the_readme_shows_the_claims_of_a_study_that_is_released_beside_it(tmp_path):
    (study,) = BESIDE.findall(README)
    release = ROOT / "results/release"
    if not (release / study / "tables/beside.csv").exists():
        pytest.skip(f"{study} is not released yet")
    readme = tmp_path / "README.md"
    readme.write_text(README)
    tables = [pd.read_csv(release / study / f"tables/{n}.csv") for n in ("beside", "equal_sizes")]
    show_beside(readme, study, released_study(release), *tables)
    assert readme.read_text() == README, "run snakemake release of that study"


def test_the_readme_holds_no_count_that_no_rule_wrote():
    typed = README
    for written in (FINDINGS, BESIDE, LARGER, ESTIMATE, BENCHMARKS):
        typed, found = written.subn("", typed)
        assert found == 1
    assert COUNT.findall(typed) == []


@pytest.mark.parametrize("text", ["twelve models", "1,013 labelled cells", "half an hour", "5 %"])
def test_a_typed_count_is_found(text):
    assert COUNT.search(f"There are {text} here")
