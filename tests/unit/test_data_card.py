"""The data card: every number is counted in the files, and what it says to run runs."""

import re
from hashlib import sha256

import pandas as pd
import pytest
import yaml

from diverse.errors.curves import last_steps
from diverse.labels.convergence import label_noise
from diverse.labels.ledger import Ledger, new_row, write_rows
from diverse.report.data_card import Tables, data_card, equal_diversity
from diverse.report.pages.datasets import read_diversity
from diverse.report.steps import flat_words, step_table
from diverse.study.check import load_study
from diverse.study.settings import measured_variants
from paths import ROOT

SCHEMA = ROOT / "workflow/schemas/study.schema.yaml"
TEMPLATE = (ROOT / "workflow/report/data_card.md").read_text()


@pytest.fixture
def study():
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    return load_study(study, str(SCHEMA))


@pytest.fixture
def files(tmp_path, labelled, zhou):
    """Ledgers of two data sets: 30 labelled cells, and 10 with 2 that failed."""
    failed = [new_row(cell, zhou) for cell in labelled[:2]]
    for row in failed:
        row.info.update(status="failed", cause="it never converges", attempts=5, seconds=2.0)
    files = {name: tmp_path / f"{name}.xyz" for name in ("random", "expert")}
    write_rows(files["random"], labelled[10:])
    write_rows(files["expert"], [*failed, *labelled[2:10]])
    return files


def card(files, study, errors=None, curves=None):
    diversity = read_diversity(ROOT / "results/release/tables/diversity.csv")
    noise = label_noise(errors, measured_variants(study))
    schema = yaml.safe_load(SCHEMA.read_text())
    return data_card(TEMPLATE, files, study, schema, Tables(noise, errors, diversity, curves))


def line(text, *start):
    """Cells of the first table line that begins with these."""
    lines = [[c.strip() for c in row.strip("|").split("|")] for row in text.splitlines()]
    return next(cells[len(start) :] for cells in lines if tuple(cells[: len(start)]) == start)


def test_counts_and_failures(files, study, labelled, zhou):
    text = card(files, study)
    sizes = {name: [len(c) for c in part] for name, part in parts(labelled).items()}
    for name, number, failed in (
        ("random", 30, "0 of 30 (0.0%)"),
        ("expert", 8, "2 of 10 (20.0%)"),
    ):
        counts = [str(number), str(sum(sizes[name])), "2 to 4", failed]
        assert line(text, name, name, "train and test")[:4] == counts
    assert line(text, "expert", "it never converges") == ["5", "2"]
    assert f"38 periodic cells of W ({sum(map(sum, sizes.values()))} atomic" in text
    assert f"protocol `{zhou.protocol}`" in text
    assert line(text, "potential_sha256") == [zhou.provenance["potential_sha256"]]
    assert line(text, "pair_style") == ["`eam/alloy`", "What follows pair_style in LAMMPS"]
    assert "Spins are paired" not in text  # of a reference potential there is no such limit


def parts(labelled):
    return {"random": labelled[10:], "expert": labelled[2:10]}


def test_ranges_are_those_of_the_labels(files, study, labelled):
    energies = [c.get_potential_energy() / len(c) for c in parts(labelled)["expert"]]
    closest = [c.info["d_min"] for c in parts(labelled)["expert"]]
    found = line(card(files, study), "expert", f"{min(energies):.2f} to {max(energies):.2f}")
    assert found[2] == f"{min(closest):.2f} to {max(closest):.2f}"


def test_checksums_are_those_of_the_files(files, study):
    text = card(files, study)
    for path in files.values():
        digest = sha256(path.read_bytes()).hexdigest()
        assert line(text, path.name) == [str(path.stat().st_size), digest]


def test_the_lines_that_read_it_run(files, study, labelled, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", card(files, study), re.DOTALL)
    monkeypatch.chdir(files["random"].parent)
    found = {}
    exec(code, found)
    assert found["energies"] == [c.get_potential_energy() for c in parts(labelled)["random"]]


def test_labels_of_another_protocol_get_no_settings(files, study):
    rows = Ledger(None, [files["expert"]]).rows()
    for row in rows:
        row.info["protocol"] = "0123456789abcdef"
    write_rows(files["expert"], rows)
    text = card({"expert": files["expert"]}, study)
    assert "protocol `0123456789abcdef`" in text
    assert "what they are is not known here" in " ".join(text.split())
    assert "pair_style" not in text


def test_noise_is_that_of_the_protocol_or_not_measured(files, study):
    assert "Label noise of zhou: not measured." in card(files, study)
    errors = pd.read_csv(ROOT / "results/release/convergence/tungsten.csv")
    text = card(files, study, errors)
    assert line(text, "pw350", "pw500")[0] == "10"


def test_noise_by_data_set_and_size_needs_enough_cells(files, study):
    errors = pd.read_csv(ROOT / "results/release/convergence/tungsten.csv")
    few = errors[errors["variant"] == "pw350"]
    assert "by data set and by number of atoms" not in card(files, study, few)
    text = card(files, study, pd.concat([few] * 3))
    assert "by data set and by number of atoms" in text
    small = few[few["atoms"].between(3, 4)]
    cells, energy = line(text, "pw350", "3-4 atoms")[:2]
    assert int(cells) == 3 * len(small)
    assert float(energy) == pytest.approx((small["energy"] ** 2).mean() ** 0.5, rel=0.05)


def test_labels_without_a_stress_are_told(files, study):
    text = " ".join(card(files, study).split())
    assert "Energies, forces and stresses of 38 periodic" in text and "`cell.get_stress()`" in text
    assert "and eV/Å³; the stress has ASE's sign and order." in text
    without = Ledger(None, [files["expert"]]).rows()
    for row in without:
        if row.calc is not None:
            del row.calc.results["stress"]
    write_rows(files["expert"], without)
    text = " ".join(card(files, study).split())
    assert "and eV/Å³; the stress, which 30 of 38 labels have, has ASE's sign and order." in text
    text = " ".join(card({"expert": files["expert"]}, study).split())
    assert "Energies and forces of 8 periodic cells" in text and "get_stress" not in text
    assert "(no label has a stress: the calculator gives energies and forces)." in text


def test_a_cause_of_many_lines_is_one_line_of_the_card(files, study):
    rows = Ledger(None, [files["expert"]]).rows()
    for row in rows[:2]:
        row.info["cause"] = "no\nline | at all"
    write_rows(files["expert"], rows)
    assert "| expert     | no line \\| at all |" in card(files, study)


def test_diversity_is_shown_at_equal_environments_only():
    given = read_diversity(ROOT / "results/release/tables/diversity.csv")
    table = equal_diversity(given)
    equal = given[(given["environments"] == "equal") & (given["other"] == "")]
    assert len(table) == equal.groupby(["measure", "setting"]).ngroups
    assert equal_diversity(given[given["environments"] == "all"]).empty


def test_what_the_last_labels_bought(files, study):
    assert "What the last labels bought" not in card(files, study)
    curves = pd.read_csv(ROOT / "results/release/tables/curves.csv")
    points = curves.query("ground == 'random' and model == 'linear6' and quantity == 'forces'")
    points = points[points["of"] == "random"].set_index("train")
    before, last = points.loc["random900"], points.loc["random"]
    row = line(card(files, study, curves=curves), "random", "linear6")
    assert row[0] == f"{before['environments']:,.0f} to {last['environments']:,.0f}"
    assert f"(× {last['error'] / before['error']:.2f})" in row[3]
    free = step_table(last_steps(curves.assign(core_hours=0.0)))
    assert set(free["core-hours"]) == {"not recorded"}


def test_a_curve_without_intervals_is_not_called_flat():
    rows = [
        ("a", "linear6", True, True),
        ("b", "linear6", True, False),
        ("c", "linear6", False, False),
    ]
    steps = pd.DataFrame(rows, columns=["of", "model", "known", "flat"])
    assert flat_words(steps).endswith(
        "at the smaller: linear6 on a. A single draw, and so not decided: linear6 on c."
    )
