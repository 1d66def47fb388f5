"""Labelling: what a calculator does wrong costs its cell, what kills the run costs nothing done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from calculators import chain
from diverse.labels.chunk import TimeLimitError, label_cells
from diverse.labels.labellers import make_labeller
from diverse.labels.ledger import Ledger, label_key
from diverse.labels.pool import Effort

TESTS = Path(__file__).parents[1]


def spring(**options):
    factory = "calculators:spring"
    return make_labeller({"element": "W", "kind": "ase", "factory": factory, "options": options})


def run(folder, cells, labeller, *, retry=False, **effort):
    lines = []
    rows = label_cells(
        cells,
        labeller,
        Ledger(folder / "ledger.xyz"),
        effort=Effort(**effort),
        log=folder / "log",
        say=lines.append,
        retry=retry,
    )
    return rows, lines


def firsts(calls):
    """Return the first coordinates of the cells that the notes of a calculator are of."""
    return [line.split()[0] for line in calls.splitlines()]


def test_labels_are_the_calculators(tmp_path):
    cells = [chain(2, 1), chain(3, 2), chain(2, 1)]
    rows, lines = run(tmp_path, cells, spring(k=2.0))
    for cell, row in zip(cells, rows, strict=True):
        np.testing.assert_allclose(row.get_forces(), -2.0 * cell.positions)
        assert row.get_potential_energy() == pytest.approx((cell.positions**2).sum())
        assert row.info["trajectory"] == cell.info["trajectory"]
    assert lines[0] == "3 cells, 2 to label"
    assert len(Ledger(None, [tmp_path / "ledger.xyz"]).rows()) == 2


def test_what_a_cell_says_of_an_earlier_label_is_replaced(tmp_path):
    """A published set that is relabelled: its rows are of the new protocol, under its names."""
    cell = chain(2, 1)
    cell.info.update(protocol="published", labeller="literature", key="old", status="converged")
    for _ in range(2):  # computed, then found
        cell.info["trajectory"] = cell.info["trajectory"] + "'"
        (row,), _ = run(tmp_path, [cell], spring())
        assert row.info["protocol"] == spring().protocol
        assert row.info["labeller"] == "ase"
        assert row.info["key"] == label_key(cell, spring().protocol)
        assert row.info["trajectory"] == cell.info["trajectory"]


CAUSES = {
    "segfault": "the labeller crashed (SIGSEGV)",
    "exit": "the labeller crashed (exit status 3)",
    "hang": "no label within 1 s",
    "nan": "the calculator returned numbers that are not finite",
    "refuse": "ase.calculators.calculator.SCFError: it never converges",
}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_fault_costs_one_row(tmp_path, workers):
    faults = {str(n + 2): fault for n, fault in enumerate(CAUSES)}
    cells = [chain(n, index) for n in range(1, 9) for index in range(1 if str(n) in faults else 3)]
    rows, _ = run(tmp_path, cells, spring(faults=faults), workers=workers, timeout=1)
    for cell, row in zip(cells, rows, strict=True):
        fault = faults.get(str(len(cell)))
        assert row.info.get("cause") == (CAUSES[fault] if fault else None)
        assert row.info["status"] == ("failed" if fault else "converged")
        assert (row.calc is None) == bool(fault)
    assert sum(row.info["status"] == "failed" for row in rows) == len(CAUSES)


def test_failed_cells_are_tried_again_only_on_request(tmp_path):
    calls = tmp_path / "calls"
    labeller = spring(faults={"2": "refuse"}, calls=str(calls))
    for retry, expected in ((False, 2), (False, 2), (True, 3)):
        run(tmp_path, [chain(2), chain(3)], labeller, retry=retry)
        assert len(firsts(calls.read_text())) == expected
    assert len(Ledger(None, [tmp_path / "ledger.xyz"]).rows()) == 2


def test_a_labeller_that_cannot_start_stops_the_run(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(TESTS)])
    with pytest.raises(RuntimeError, match="could not start; its message is above"):
        run(tmp_path, [chain(2)], spring())
    assert "No module named 'calculators'" in capfd.readouterr().err


def test_cells_are_labelled_side_by_side(tmp_path):
    calls = tmp_path / "calls"
    cells = [chain(2, index) for index in range(6)]
    run(tmp_path, cells, spring(delay=0.5, calls=str(calls)), workers=2)
    times = np.sort([float(line.split()[1]) for line in calls.read_text().splitlines()])
    assert np.diff(times).min() < 0.4


def test_a_time_limit_ends_the_run_between_cells(tmp_path):
    cells = [chain(2, index) for index in range(10)]
    labeller = spring(delay=0.3)
    with pytest.raises(TimeLimitError, match="of 10 cells are left"):
        run(tmp_path, cells, labeller, time_limit=0.8)
    done = Ledger(None, [tmp_path / "ledger.xyz"]).rows()
    assert 1 <= len(done) <= 3
    rows, lines = run(tmp_path, cells, labeller)
    assert lines[0] == f"10 cells, {10 - len(done)} to label"
    assert len(rows) == 10


def test_progress_estimates_the_time_left(tmp_path):
    _, lines = run(tmp_path, [chain(2, index) for index in range(3)], spring(delay=0.1))
    assert len(lines) == 4
    assert lines[1].startswith("1/3 cell 1, 2 atoms, 0.0 core s, attempts 1: converged; about ")
    assert lines[-1].endswith("about 0 min left")


DRIVER = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_labelling import many, run
run(Path(), *many(), workers=2)
"""


def many():
    """Return the cells and the labeller of the test of kills; it notes calls where it runs."""
    cells = [chain(2, index) for index in range(240)]
    return cells, spring(delay=0.04, calls="calls")


def start(folder):
    path = [str(TESTS), str(TESTS / "unit"), str(TESTS.parent / "workflow/scripts")]
    command = [sys.executable, "-c", DRIVER.format(path=path)]
    return subprocess.Popen(command, cwd=folder)


def test_kills_cost_only_the_cells_in_flight(tmp_path):
    """Kill -9 at 20 random instants; the last run ends the chunk."""
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    killed.mkdir()
    whole.mkdir()
    calls, ledger = killed / "calls", killed / "ledger.xyz"
    rng, kills = np.random.default_rng(7), 20
    calls.touch()
    for _ in range(kills):
        finished = {f"{row.positions[0, 0]:.6f}" for row in Ledger(None, [ledger]).rows()}
        before = len(calls.read_text())
        process = start(killed)
        while len(calls.read_text()) == before:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.1)  # workers die with their parent
        assert not finished & set(firsts(calls.read_text()[before:]))
    assert 0 < len(finished) < 240
    assert start(killed).wait() == 0
    assert start(whole).wait() == 0
    assert ledger.read_bytes() == (whole / "ledger.xyz").read_bytes()
    computed = firsts(calls.read_text())
    assert len(set(computed)) == 240
    assert len(computed) <= 240 + 2 * kills
