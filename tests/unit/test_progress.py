"""Where a study stands, told from its files while other processes write them."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from ase.build import bulk

from diverse.labels.chunk_log import end_line, read_job, start_line
from diverse.labels.labellers import make_labeller
from diverse.labels.ledger import Ledger, new_row, write_rows
from diverse.structures import tagged, write_cells
from diverse.study.progress import left, progress, tell
from paths import ROOT

ZHOU = {
    "kind": "lammps",
    "element": "W",
    "pair_style": "eam/alloy",
    "pair_coeff": ["* * W_zhou.eam.alloy W"],
}
CELLS, ATOMS, SECONDS = 4, 2, 90.0
LOG = (
    "on n7 with 4 cores since 2026-11-26T10:00:00+00:00\n"
    "4 cells, 4 to label\n"
    "1/4 cell 1, 2 atoms, 90.0 core s, attempts 1: converged; about 2 min left\n"
    "2/4 cell 2, 2 atoms, 30.0 core s, attempts 1: converged; about 1 min left\n"
)


def rows(number, chunk):
    labeller = make_labeller(ZHOU)
    cells = [
        tagged(bulk("W", "bcc", 3.1 + 0.01 * n + 0.1 * chunk, cubic=True), "eos", "eos")
        for n in range(number)
    ]
    found = [new_row(cell, labeller) for cell in cells]
    for place, row in enumerate(found):
        row.info["dataset"] = "expert"
        row.info["seconds"] = SECONDS
        row.info["status"] = "failed" if place == 1 else "converged"
    return found


@pytest.fixture
def results(tmp_path):
    """Three chunks: one labelled, one that is running, one whose structures are not there."""
    study = {"datasets": {"expert": {"family": "expert", "chunks": 3}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(study))
    for chunk in (0, 1):
        (tmp_path / "structures/expert").mkdir(parents=True, exist_ok=True)
        write_cells(tmp_path / f"structures/expert/{chunk}.xyz", rows(CELLS, chunk))
    write_rows(tmp_path / "labels/expert/0.xyz", rows(CELLS, 0))
    write_rows(tmp_path / "ledger/expert/0.xyz", rows(CELLS, 0))
    ledger = Ledger(tmp_path / "ledger/expert/1.xyz")
    for row in rows(2, 1):
        ledger.append(row)
    (tmp_path / "logs/label_chunk/expert").mkdir(parents=True)
    (tmp_path / "logs/label_chunk/expert/1.log").write_text(LOG)
    return tmp_path


def state(results):
    return progress(results, yaml.safe_load((results / "config.yaml").read_text()))


def test_cells_and_core_hours_are_counted(results):
    own = state(results)["expert"]
    assert (own.chunks, own.made, own.done) == (3, 2, 1)
    assert (own.cells, own.labelled, own.failed) == (2 * CELLS, 4, 2)
    assert own.seconds == 6 * SECONDS
    assert [job.node for job in own.running] == ["n7"]
    assert left(own, state(results)) == pytest.approx((3 * CELLS - 6) * SECONDS)


def test_a_row_that_is_being_written_is_not_counted(results):
    path = results / "ledger/expert/1.xyz"
    text = path.read_bytes()
    path.write_bytes(text[:-20])
    assert state(results)["expert"].labelled == 4
    assert state(results)["expert"].failed == 1
    assert path.read_bytes() == text[:-20]


def test_released_labels_cost_nothing(results):
    (results / "ledger/expert/0.xyz").unlink()
    own = state(results)["expert"]
    assert own.seconds == 2 * SECONDS and own.labelled == 4


def test_speed_is_that_of_the_job_that_runs_now():
    job = read_job(LOG.replace("n7 with 4", "old with 9") + LOG)
    assert (job.node, job.cores, job.seconds) == ("n7", 4, 120.0)
    assert job.speed(job.start + timedelta(seconds=60)) == pytest.approx(2)
    assert read_job(start_line(3)).speed(datetime.now(UTC)) == 3
    assert read_job("4 cells, 4 to label\n") is None
    assert "core s" in end_line()


def test_text_says_when_labels_are_there(results):
    text = tell(state(results), datetime.fromisoformat("2026-11-26T10:01:00+00:00"))
    hours = (3 * CELLS - 6) * SECONDS / 3600
    assert f"1 chunks are running on n7; {hours:.2f} core-hours are left" in text
    assert f"{hours / 2:.2f} hours at the speed of these chunks (2.0 cores)" in text
    (results / "logs/label_chunk/expert/1.log").unlink()
    assert "No chunk is running" in tell(state(results), datetime.now(UTC))


def test_the_command_needs_a_study_and_writes_nothing(results):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    command = [sys.executable, "-m", "diverse.study.progress", str(results)]
    environment = {"PYTHONPATH": str(ROOT / "workflow/scripts")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert "expert" in run.stdout and "1/3" in run.stdout, run.stderr
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before
    command[-1] = str(results / "nothing")
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 2 and "name the folder of a study" in run.stderr
