"""The benchmark programs start, and pages show what they measured and what follows from it."""

import subprocess
import sys

import pandas as pd
import pytest

from diverse.report.benchmarks import (
    ENVIRONMENTS,
    NAME,
    NODES_NAME,
    comparison_text,
    many_nodes,
    many_nodes_text,
    read_benchmarks,
    show_benchmarks,
)
from diverse.report.marks import shown_table
from paths import PAGE, ROOT

PROGRAMS = sorted((ROOT / "tests/benchmarks").glob("*.py"))
TABLE = ROOT / "results/release/benchmarks/comparisons.csv"
WRITTEN = """
import time
from comparison import Comparison, Run
run = Run()
time.sleep(0.1)
fast = Comparison("a", "work", "peer", "1/s", 30.0, 2.0, 12)
compared = [fast, Comparison("b", "work", "peer", "1/s", 1.0, 4.0)]
run.write(None, compared)
run.write("table.csv", compared, instruction_set="wide")
"""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_benchmark_starts(program):
    run = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A table of two comparisons, as a program writes it."""
    path = f"{ROOT / 'tests/benchmarks'}:{ROOT / 'workflow/scripts'}"
    monkeypatch.setenv("PYTHONPATH", path)
    subprocess.run([sys.executable, "-c", WRITTEN], check=True, cwd=tmp_path)
    return tmp_path / "table.csv"


def test_a_program_writes_a_row_a_comparison(written):
    table = read_benchmarks(written)
    assert table["ratio"].tolist() == [15.0, 0.25]
    assert table["target"].tolist()[0] == 12 and pd.isna(table["target"]["b"])
    assert (table["instruction_set"] == "wide").all()
    assert table["load"].between(0, 1000).all()


def test_a_table_in_words_says_where_it_was_measured(written):
    table = read_benchmarks(written).assign(commit="0123456789abcdef", load=[0.1, 0.3])
    text = comparison_text(table)
    first, second = text.splitlines()[2:4]
    assert [cell.strip() for cell in first.split("|")[1:-1]] == [
        *("work", "peer", "30 1/s", "2", "15.00", "12"),
    ]
    assert second.split("|")[-2].strip() == ""
    assert "commit 0123456789;" in text and "0.1 to 0.3 cores busy" in text


def test_many_nodes_follow_from_the_rates():
    names = ["generate", "linear_further", "quadratic_further", "train_matrix_free"]
    stages = many_nodes(pd.DataFrame({"ours": 1000.0}, index=names))
    hours = ENVIRONMENTS / 1000 / 3600
    assert stages["core_hours"].tolist() == pytest.approx([hours] * 4)
    assert stages["nodes_100"].tolist() == pytest.approx([hours / n for n in (6400, 64, 64, 1)])
    assert stages["passes_on"].tolist() == [8 * 55**2, 16 * 56**2, 16 * 1596**2, 0]
    assert "40.8 MB" in many_nodes_text(stages)


def test_the_pages_show_the_released_rates():
    rates = read_benchmarks(TABLE)
    assert shown_table(ROOT / "README.md", NAME) == comparison_text(rates)
    assert shown_table(PAGE, NODES_NAME) == many_nodes_text(many_nodes(rates))


def test_rates_are_written_between_the_marks_of_both_pages(tmp_path):
    (tmp_path / "workflow").mkdir()
    for page, name in (("README.md", NAME), ("workflow/README.md", NODES_NAME)):
        (tmp_path / page).write_text(f"a\n<!-- {name}, by -->\nold\n<!-- end of {name} -->\nb\n")
    show_benchmarks(tmp_path, TABLE)
    for page, name in (("README.md", NAME), ("workflow/README.md", NODES_NAME)):
        assert shown_table(tmp_path / page, name) == shown_table(ROOT / page, name)
