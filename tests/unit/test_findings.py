"""The findings of a study in the README: the sentences of its claims, and no others."""

import re

import pandas as pd
import pytest

from claim_cases import all_claims, claims_of
from diverse.report.estimate import MARKED as ESTIMATE
from diverse.report.findings import FINDINGS, findings, show_findings
from paths import ROOT

CLAIMS = ROOT / "results/release/tables/claims.csv"
README = (ROOT / "README.md").read_text()
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


def test_the_readme_says_what_the_released_study_found(tmp_path):
    assert len(FINDINGS.findall(README)) == 1
    readme = tmp_path / "README.md"
    readme.write_text(README)
    show_findings(readme, pd.read_csv(CLAIMS))
    assert readme.read_text() == README, "run snakemake release"


def test_the_readme_holds_no_count_that_no_rule_wrote():
    typed = README
    for written in (FINDINGS, ESTIMATE, BENCHMARKS):
        typed, found = written.subn("", typed)
        assert found == 1
    assert COUNT.findall(typed) == []


@pytest.mark.parametrize("text", ["twelve models", "1,013 labelled cells", "half an hour", "5 %"])
def test_a_typed_count_is_found(text):
    assert COUNT.search(f"There are {text} here")
