"""The table of drills, and that of instruction sets: the README shows what their files say."""

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk

import drills
from benchmarks import instruction_sets
from differences import compare
from diverse.kernel.library import available_isas
from diverse.report.marks import show_table, shown_table
from diverse.seals import seal
from diverse.structures import tagged, write_cells
from paths import PAGE

COEFFICIENTS = "models/expert/linear4/0/trained.npz"
SCORES = "tables/scores.csv"


def test_the_readme_shows_the_table_that_the_drills_wrote():
    table = pd.read_csv(drills.TABLE)
    assert shown_table(PAGE, drills.NAME) == drills.table_text(table)
    assert len(table) > 20 and table["times"].min() >= 1


def test_drills_of_one_outcome_are_one_row(tmp_path):
    drill = drills.Drill(fault="disk full", times=2, lost="nothing", outcome="a sentence")
    table = drills.table_of([drill, drill | {"fault": "moved"}, drill], "27 November 2026")
    assert table["fault"].tolist() == ["disk full", "moved"]
    assert table["times"].tolist() == [4, 2]
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- faults, by -->\nold\n<!-- end of faults -->\nb\n")
    show_table(page, drills.NAME, "run.py", drills.table_text(table))
    assert shown_table(page, drills.NAME) == drills.table_text(table)
    text = page.read_text()
    assert text.startswith("a\n<!-- faults, written by run.py -->\n") and text.endswith("\nb\n")


def test_the_readme_shows_the_table_of_instruction_sets():
    table = pd.read_csv(instruction_sets.TABLE)
    shown = shown_table(PAGE, instruction_sets.NAME)
    assert shown == instruction_sets.table_text(table)
    assert set(available_isas()) <= set(instruction_sets.FORCED)
    assert (table["difference"] <= table["kind"].map(instruction_sets.LIMITS)).all()


@pytest.fixture
def two(tmp_path):
    """Write two runs of a study of one cell, one archive and one table of scores."""
    for name in ("one", "other"):
        results = tmp_path / name
        for folder in ("structures/expert", "models/expert/linear4/0", "tables"):
            (results / folder).mkdir(parents=True)
        atoms = tagged(bulk("W", a=3.165), "eos", "eos_0")
        write_cells(results / "structures/expert/0.xyz", [atoms])
        np.savez(results / COEFFICIENTS, beta=np.array([1.0, 100.0]))
        scores = pd.DataFrame({"test": ["hot", "hot", "dft"], "value": [2.0, 1e-9, 3.0]})
        scores = scores.assign(family=["network", "linear", "pod"], ci_low=1.0, ci_high=np.nan)
        scores.assign(energy_shift=0.0, data_hash=name).to_csv(results / SCORES, index=False)
        seal([results])
    return tmp_path / "one", tmp_path / "other"


def test_differences_are_relative_to_what_they_are_of(two):
    one, other = two
    np.savez(other / COEFFICIENTS, beta=np.array([1.0 + 1e-6, 100.0]))
    table = pd.read_csv(other / SCORES)
    table["value"] += [4e-9, 1e-9, 3e-9]
    table.to_csv(other / SCORES, index=False)
    found = compare(one, other).set_index("kind")
    assert found.loc["structures"].tolist() == [1, 1, 0.0]
    assert found.loc["coefficients", "difference"] == pytest.approx(1e-8)
    assert found["difference"].tolist()[-3:] == pytest.approx([1e-6, 2e-9, 1e-9])


def test_other_words_and_shapes_are_infinitely_different(two):
    one, other = two
    np.savez(other / COEFFICIENTS, beta=np.ones(3))
    table = pd.read_csv(other / SCORES)
    table.assign(test=["cold", "hot", "dft"]).to_csv(other / SCORES, index=False)
    found = compare(one, other).set_index("kind")["difference"]
    assert np.isinf(found[["coefficients", "scores of networks"]]).all()
    assert found["scores against labels by DFT"] == 0


def test_zeros_of_stored_cells_have_no_sign(tmp_path):
    atoms = bulk("W", a=3.165)
    atoms.positions[0] = [-1e-9, -0.0, 0.0]
    atoms.cell[0, 0] = -1e-17
    write_cells(tmp_path / "cells.xyz", [tagged(atoms, "eos", "eos_0")])
    assert " -0.0" not in (tmp_path / "cells.xyz").read_text().replace('"', " ")
