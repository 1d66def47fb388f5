"""Labelling: what a calculator does wrong costs its cell, what kills the run costs nothing done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.constraints import FixAtoms

from calculators import chain
from diverse.labels.chunk import TimeLimitError, label_cells, replaced
from diverse.labels.labellers import LabellerError, make_labeller
from diverse.labels.labellers.worker import Answer
from diverse.labels.ledger import Ledger, label_key, write_rows
from diverse.labels.pool import Effort, LostCellsError, WorkerError, outcomes
from diverse.labels.process import End, Process, end_of
from diverse.lammps_library import potentials
from paths import ROOT

TESTS = Path(__file__).parents[1]


def spring(**options):
    factory = "calculators:spring"
    return make_labeller({"element": "W", "kind": "ase", "factory": factory, "options": options})


def run(folder, cells, labeller, *, retry=False, **effort):
    lines = []
    folder.mkdir(exist_ok=True)
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


def test_a_label_is_of_what_its_key_is_of_alone(tmp_path):
    """Constraints, spins and charges of a file do not reach the calculator."""
    plain = chain(3, 1)
    cell = plain.copy()
    cell.set_constraint(FixAtoms([0, 1]))
    cell.set_initial_magnetic_moments([1.0] * 3)
    cell.set_initial_charges([1.0] * 3)
    cell.info["charge"] = 1
    assert label_key(cell, spring().protocol) == label_key(plain, spring().protocol)
    (row,), _ = run(tmp_path, [cell], spring(seen=str(tmp_path / "seen")))
    np.testing.assert_allclose(row.get_forces(apply_constraint=False), -cell.positions)
    assert (tmp_path / "seen").read_text() == "numbers positions | config_type dataset trajectory"


def test_a_cell_that_does_not_repeat_is_named_and_nothing_is_labelled(tmp_path):
    cells = [chain(2), chain(3)]
    cells[1].pbc = (True, False, True)
    with pytest.raises(ValueError, match=r"cell 2 \(chain_3_0\) .* \(pbc T F T\): .*vacuum"):
        run(tmp_path, cells, spring())
    assert not (tmp_path / "ledger.xyz").exists()


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
    "segfault": "the labeller crashed twice (SIGSEGV)",
    "exit": "the labeller crashed twice (exit status 3)",
    "hang": "no label within 1 s",
    "nan": "the calculator returned NaN or infinity as energy",
    "one force": "the calculator returned forces of the shape (1, 3) instead of (6, 3)",
    "leave": "SystemExit: a licence is missing",
    "interrupt": "KeyboardInterrupt: by a calculator",
    "write everywhere": "the labeller crashed twice (its connection broke)",
    "close everything": "the labeller crashed twice (exit status 1)",
    "refuse": "ase.calculators.calculator.SCFError: it never converges",
}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_fault_costs_one_row(tmp_path, workers, drilled):
    faults = {str(n + 2): fault for n, fault in enumerate(CAUSES)}
    cells = [chain(n, index) for n in range(1, 14) for index in range(1 if str(n) in faults else 2)]
    rows, _ = run(tmp_path, cells, spring(faults=faults), workers=workers, timeout=1)
    for cell, row in zip(cells, rows, strict=True):
        fault = faults.get(str(len(cell)))
        assert row.info.get("cause") == (CAUSES[fault] if fault else None)
        assert row.info["status"] == ("failed" if fault else "converged")
        assert (row.calc is None) == bool(fault)
        assert row.info["attempts"] == (2 if "twice" in CAUSES.get(fault, "") else 1)
    assert sum(row.info["status"] == "failed" for row in rows) == len(CAUSES)
    drilled(
        "a labeller raises, crashes, hangs, exits, returns what is no label, prints everywhere",
        "a row with the cause; all other cells are labelled",
        times=len(CAUSES),
        lost="the label of the cell",
    )


def test_failed_cells_are_tried_again_only_on_request(tmp_path):
    calls = tmp_path / "calls"
    labeller = spring(faults={"2": "refuse"}, calls=str(calls))
    for retry, expected in ((False, 2), (False, 2), (True, 3)):
        run(tmp_path, [chain(2), chain(3)], labeller, retry=retry)
        assert len(firsts(calls.read_text())) == expected
    assert len(Ledger(None, [tmp_path / "ledger.xyz"]).rows()) == 2


def test_cells_that_were_replaced_are_told_and_found_again_once_they_are_back(tmp_path):
    first, second = [chain(2), chain(3)], [chain(2), chain(4), chain(5)]
    run(tmp_path, first, spring())
    ledger = Ledger(tmp_path / "ledger.xyz")
    (notice,) = replaced(second, spring(), ledger)
    assert notice.startswith(
        "2 of 3 cells have no label, and 1 of this chunk's labels are of other cells"
    )
    assert replaced([*first, chain(4)], spring(), ledger) == []  # grown
    assert replaced(second[:1], spring(), ledger) == []  # nothing to compute
    run(tmp_path, second, spring())
    assert run(tmp_path, first, spring())[1][0] == "2 cells, 0 to label"


@pytest.mark.parametrize("fault", ["segfault", "exit"])
def test_a_crash_that_does_not_come_again_costs_nothing(tmp_path, fault):
    calls = tmp_path / "calls"
    (row, _), _ = run(
        tmp_path, [chain(2), chain(3)], spring(faults={"2": fault}, calls=str(calls), strikes=1)
    )
    assert (row.info["status"], row.info["attempts"]) == ("converged", 2)
    np.testing.assert_allclose(row.get_forces(), -chain(2).positions)


OUTSIDE = {"SIGKILL": "SIGKILL", "SIGINT": "SIGINT", "signal 40": "signal 40"}
OUTSIDE["memory"] = "MemoryError: no memory for the charge density"


@pytest.mark.parametrize("fault", OUTSIDE)
def test_what_the_machine_did_is_never_a_row(tmp_path, fault, drilled):
    """Twice is borne; thrice ends the job in a sentence once the others are done; then go on."""
    calls, cells = tmp_path / "calls", [chain(3), chain(2, 1), chain(2, 2), chain(3, 3)]
    labeller = spring(faults={"3": fault}, calls=str(calls), strikes=3)
    with pytest.raises(LostCellsError, match="2 of 4 cells are not labelled") as error:
        run(tmp_path, cells, labeller)
    assert f"3 times ({OUTSIDE[fault]}), most likely because memory" in str(error.value)
    assert "(chain_3_0, chain_3_3)" in str(error.value) and "mem_mb" in str(error.value)
    assert len(firsts(calls.read_text())) == 2 + 2 * 3
    known = Ledger(None, [tmp_path / "ledger.xyz"]).rows()
    assert [row.info["trajectory"] for row in known] == ["chain_2_1", "chain_2_2"]
    rows, lines = run(tmp_path, cells, labeller)
    assert lines[0] == "4 cells, 2 to label"
    assert [row.info["attempts"] for row in rows] == [1] * 4
    drilled(
        "a worker has no memory, or is ended from outside, three times",
        "one sentence names the cells; the same command labels them",
    )


def test_a_worker_that_is_killed_twice_goes_on(tmp_path):
    calls = tmp_path / "calls"
    labeller = spring(faults={"2": "SIGKILL"}, calls=str(calls), strikes=2)
    (row,), _ = run(tmp_path, [chain(2)], labeller)
    assert (row.info["status"], len(firsts(calls.read_text()))) == ("converged", 3)


def test_a_longer_timeout_tries_again_what_a_shorter_one_ended(tmp_path):
    calls = tmp_path / "calls"
    labeller = spring(faults={"2": "hang"}, calls=str(calls), strikes=1)
    for timeout, status, tried in ((1, "failed", 1), (1, "failed", 1), (0.5, "failed", 1)):
        (row,), _ = run(tmp_path, [chain(2)], labeller, timeout=timeout)
        assert (row.info["status"], row.info["timeout"]) == (status, 1)
        assert len(firsts(calls.read_text())) == tried
    (row,), _ = run(tmp_path, [chain(2)], labeller, timeout=5)
    assert row.info["status"] == "converged" and "timeout" not in row.info
    row.info.update(status="failed", cause="no label within 20 s")  # as older ledgers say it
    write_rows(tmp_path / "ledger.xyz", [row])
    for timeout, tried in ((20, 2), (21, 3)):
        run(tmp_path, [chain(2)], labeller, timeout=timeout)
        assert len(firsts(calls.read_text())) == tried


def test_a_calculator_that_forks_labels_each_cell_with_its_own_label(tmp_path, drilled):
    cells = [chain(2, 1), chain(3, 2), chain(3, 3), chain(3, 4)]
    rows, _ = run(tmp_path, cells, spring(faults={"2": "fork"}, delay=0.2))
    for cell, row in zip(cells, rows, strict=True):
        np.testing.assert_allclose(row.get_forces(), -cell.positions)
    drilled("a labeller forks", "every cell has its own label")


def test_a_calculator_that_asks_reads_nothing(tmp_path, drilled):
    rows, _ = run(tmp_path, [chain(2), chain(3)], spring(faults={"2": "read"}))
    assert [row.info["status"] for row in rows] == ["converged"] * 2
    drilled("a labeller asks on the terminal", "it reads nothing, and labels")


def test_a_calculator_that_moves_leaves_the_next_cell_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labeller = spring(faults={"2": "move"}, calls="calls")
    run(tmp_path, [chain(2), chain(3)], labeller)
    assert len(firsts((tmp_path / "calls").read_text())) == 2


def test_workers_end_by_themselves_when_all_is_labelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(tmp_path, [chain(2), chain(3)], spring(faults={"2": "tidy up"}))
    assert Path("tidy").exists()


def test_a_worker_that_does_not_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("diverse.labels.process.FAREWELL", 0.5)
    rows, _ = run(tmp_path, [chain(2), chain(3)], spring(faults={"2": "linger"}, delay=0.1))
    assert [row.info["status"] for row in rows] == ["converged"] * 2


def children(folder):
    return [int(number) for number in (folder / "children").read_text().split()]


def wait_until_gone(processes):
    deadline = time.monotonic() + 5
    while any(is_running(process) for process in processes):
        assert time.monotonic() < deadline, f"{processes} live on"
        time.sleep(0.05)


def is_running(process):
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("fault", ["crash with child", "hang with child"])
def test_children_die_with_their_worker_whose_death_is_seen_at_once(
    tmp_path, monkeypatch, fault, drilled
):
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    (row,), _ = run(tmp_path, [chain(2)], spring(faults={"2": fault}), timeout=4)
    took = time.monotonic() - start
    if fault == "crash with child":
        assert row.info["cause"] == "the labeller crashed twice (exit status 3)"
        assert row.info["seconds"] < 2 and took < 30
    else:
        assert row.info["cause"] == "no label within 4 s"
    assert len(children(tmp_path)) == (4 if fault == "crash with child" else 2)
    wait_until_gone(children(tmp_path))
    drilled(
        "a labeller leaves processes behind",
        "they end with its worker",
        lost="the label of the cell",
    )


def test_children_die_with_a_run_that_is_killed(tmp_path):
    process = start(tmp_path, "hanging")
    deadline = time.monotonic() + 30
    while not (tmp_path / "children").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)
    assert all(map(is_running, children(tmp_path)))
    process.kill()
    process.wait()
    wait_until_gone(children(tmp_path))


def test_the_end_of_a_process_is_told():
    assert end_of(-signal.SIGSEGV) == End("SIGSEGV", crash=True)
    assert end_of(-signal.SIGABRT) == End("SIGABRT", crash=True)
    assert end_of(0) == End("exit status 0", crash=True)
    for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGXCPU", "SIGUSR1"):
        assert end_of(-getattr(signal, name)) == End(name, crash=False)
    for number in range(32, 65):
        assert not end_of(-number).crash and end_of(-number).reason


@pytest.mark.parametrize("greeted", [False, True])
def test_a_dead_process_is_seen_at_once(greeted):
    """Before it says that it is ready, and while it is idle."""
    process = Process(spring(), 1, "test-of-death")
    if greeted:
        assert isinstance(process.receive(), Answer)
    os.kill(process.number, signal.SIGKILL)
    start = time.monotonic()
    assert process.receive() == End("SIGKILL", crash=False)
    assert time.monotonic() - start < 1
    process.send("is lost")
    assert not process.is_alive()


def test_an_idle_worker_that_died_is_replaced(tmp_path):
    """Its death, between two cells, is no fault of the next one."""
    jobs = [(chain(2, index), tmp_path / "log") for index in range(2)]
    found = outcomes(jobs, spring(calls=str(tmp_path / "calls")), Effort())
    next(found)
    children = [task.read_text() for task in Path("/proc/self/task").glob("*/children")]
    for process in map(int, " ".join(children).split()):
        command = Path(f"/proc/{process}/cmdline").read_text()
        if "worker import main" in command:
            os.kill(process, signal.SIGKILL)
            os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    (number, outcome), *rest = found
    assert (number, outcome.cause, outcome.attempts, rest) == (1, "", 1, [])


def test_many_lines_of_a_calculator_are_one_row(tmp_path):
    """The ledger stays sound, and the chunk ends, now and when it is run again."""
    labeller = spring(faults={"2": "refuse in lines"})
    for todo in (2, 0):
        ledger = Ledger(tmp_path / "ledger.xyz")
        rows, lines = run(tmp_path, [chain(2), chain(3)], labeller)
        assert lines[0] == f"2 cells, {todo} to label" and ledger.notices == []
        assert rows[0].info["cause"].endswith(f'key={"0" * 32} \\ "\u2028\udc80')
        assert "it never\nconverges\r\n checksum=" in rows[0].info["cause"]
    said = [line for line in run(tmp_path / "other", [chain(2)], labeller)[1] if "never" in line]
    assert len(said) == 1 and said[0].isprintable()


def test_the_message_of_lammps_is_one_row(tmp_path):
    options = {"pair_style": "eam/alloy", "pair_coeff": ["* * W_zhou.eam.alloy Ta"]}
    labeller = make_labeller({"element": "W", "kind": "lammps", **options})
    for todo in (2, 0):
        rows, lines = run(tmp_path, [chain(2), chain(3)], labeller)
        assert lines[0] == f"2 cells, {todo} to label"
        assert all("\n" in row.info["cause"] for row in rows)
    assert Ledger(tmp_path / "ledger.xyz").notices == []


def test_a_calculator_without_stress_labels_energies_and_forces(tmp_path):
    rows, _ = run(tmp_path, [chain(2), chain(3)], spring(stress=False))
    for row in (*rows, *ase.io.read(tmp_path / "ledger.xyz", index=":")):
        assert row.info["status"] == "converged"
        assert set(row.calc.results) == {"energy", "free_energy", "forces"}


REFUSALS = {
    "refusing": "FileNotFoundError: no model at /models/w.pt; no cell can be labelled",
    "leaving": "SystemExit: 4; no cell can be labelled",
    "naught": "it returned float, not an ASE calculator; no cell can be labelled",
}


@pytest.mark.parametrize("factory", REFUSALS)
def test_a_factory_that_makes_nothing_stops_the_run(tmp_path, factory):
    labeller = make_labeller(
        {"element": "W", "kind": "ase", "factory": f"calculators:{factory}", "options": {}}
    )
    with pytest.raises(LabellerError, match=REFUSALS[factory]):
        run(tmp_path, [chain(2), chain(3)], labeller)
    assert not (tmp_path / "ledger.xyz").exists()


def test_a_factory_that_ends_its_process_stops_the_run(tmp_path):
    labeller = make_labeller(
        {"element": "W", "kind": "ase", "factory": "calculators:dying", "options": {}}
    )
    with pytest.raises(WorkerError, match=r"could not start \(exit status 5\)"):
        run(tmp_path, [chain(2)], labeller)


def test_a_worker_that_finds_no_module_says_so(tmp_path, monkeypatch):
    labeller = spring()
    assert labeller.protocol
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(TESTS)])
    with pytest.raises(LabellerError, match="No module named 'calculators'"):
        run(tmp_path, [chain(2)], labeller)


def test_a_module_that_changes_while_cells_are_labelled_stops_the_run(
    tmp_path, monkeypatch, drilled
):
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "mine.py"
    module.write_text("from calculators import spring as make\n")
    labeller = make_labeller({"element": "W", "kind": "ase", "factory": "mine:make", "options": {}})
    assert labeller.protocol
    module.write_text("from calculators import spring as make  # other numbers\n")
    with pytest.raises(WorkerError, match="changed while cells were labelled"):
        run(tmp_path, [chain(2)], labeller)
    drilled(
        "a labeller is edited while it labels",
        "one sentence; the same command labels under the new protocol",
    )


def edit(path):
    path.write_text("2.0")


@pytest.mark.parametrize("change", [edit, Path.unlink])
def test_no_row_is_of_a_file_that_changed_or_vanished_while_cells_were_labelled(
    tmp_path, monkeypatch, change
):
    """Neither a label of other numbers, nor a failure of a sound cell."""
    monkeypatch.chdir(tmp_path)
    file = Path("k.json")
    file.write_text("1.0")
    cells, ledger = [chain(2, index) for index in range(5)], Ledger(Path("ledger.xyz"))

    def say(line):
        if line.startswith("2/5"):
            change(file)

    labeller = spring(constant="k.json")
    with pytest.raises(WorkerError, match="changed while cells were labelled, or is gone"):
        label_cells(cells, labeller, ledger, effort=Effort(), log=Path("log"), say=say)
    rows = Ledger(None, [Path("ledger.xyz")]).rows()
    assert [row.info["trajectory"] for row in rows] == ["chain_2_0", "chain_2_1"]
    file.write_text("1.0")
    rows, lines = run(tmp_path, cells, spring(constant="k.json"))
    assert lines[0] == "5 cells, 3 to label"
    np.testing.assert_allclose(rows[4].get_forces(), -cells[4].positions)


@pytest.mark.parametrize("fault", ["exit", "hang"])
def test_no_row_is_of_a_cell_that_ended_its_worker_over_a_file_that_changed(
    tmp_path, monkeypatch, fault
):
    monkeypatch.chdir(tmp_path)
    file = Path("k.json")
    file.write_text("1.0")
    labeller = spring(constant="k.json", faults={"2": fault})
    assert labeller.protocol
    jobs = [(chain(3), tmp_path / "log"), (chain(2), tmp_path / "log")]
    found = outcomes(jobs, labeller, Effort(timeout=1))
    assert next(found)[1].label is not None
    edit(file)
    with pytest.raises(WorkerError, match="changed while cells were labelled"):
        next(found)


def test_a_potential_that_lammps_holds_in_memory_is_read_again_only_after_a_failure(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    file = Path("w.eam.alloy")
    file.write_bytes((potentials() / "W_zhou.eam.alloy").read_bytes())
    options = {"pair_style": "eam/alloy", "pair_coeff": ["* * w.eam.alloy W"]}
    labeller = make_labeller({"element": "W", "kind": "lammps", **options})
    assert labeller.protocol
    broken = chain(2)
    broken.cell[2] = 0
    jobs = [(cell, tmp_path / "log") for cell in (chain(2), chain(3), broken)]
    found = outcomes(jobs, labeller, Effort())
    assert next(found)[1].label is not None
    file.unlink()
    assert next(found)[1].label is not None
    with pytest.raises(WorkerError, match="or is gone"):
        next(found)


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
from test_labelling import {cells}, run
run(Path(), *{cells}(), workers=2)
"""


def many():
    """Return the cells and the labeller of the test of kills; it notes calls where it runs."""
    cells = [chain(2, index) for index in range(240)]
    return cells, spring(delay=0.04, calls="calls")


def hanging():
    """Return a cell whose calculator starts children and hangs."""
    return [chain(2)], spring(faults={"2": "hang with child"})


def start(folder, cells="many"):
    path = [str(TESTS), str(TESTS / "unit"), str(TESTS.parent / "workflow/scripts")]
    command = [sys.executable, "-c", DRIVER.format(path=path, cells=cells)]
    return subprocess.Popen(command, cwd=folder)


def test_kills_cost_only_the_cells_in_flight(tmp_path, drilled):
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
    drilled(
        "SIGKILL to a job that labels 240 cells",
        "the ledger of an undisturbed job, byte by byte",
        times=kills,
        lost="the cells in flight",
    )


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="no autogroups here")
def test_a_worker_under_nice_is_nice_among_sessions_too():
    code = (
        "import os; from pathlib import Path; os.nice(7);"
        "from diverse.labels.labellers.worker import stay_nice; stay_nice();"
        "print(Path('/proc/self/autogroup').read_text())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
    )
    assert run.stdout.split()[-2:] == ["nice", str(min(19, os.nice(0) + 7))]
