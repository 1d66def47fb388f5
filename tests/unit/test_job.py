"""The two ends of every script: last words of what fails, and of what was started again."""

import errno
import os
import sys
import time
from types import SimpleNamespace

import pytest

from diverse import progress
from diverse.study.job import begin, finish


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job in its second attempt, whose words a test reads."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(progress.logger, "handlers", [])
    monkeypatch.setattr(progress.logger, "propagate", True)
    log, output = tmp_path / "log", tmp_path / "output"
    output.write_text("made")
    resources = {"attempt": 2, "mem_mb": 4000, "runtime": 480}
    return SimpleNamespace(
        **{"rule": "split", "wildcards": ["hot"], "input": [], "output": [str(output)]},
        **{"log": [str(log)], "resources": resources, "config": {}},
    )


def fail(error):
    try:
        raise error
    except OSError as raised:
        sys.excepthook(type(raised), raised, raised.__traceback__)


def test_a_full_disk_is_one_sentence_even_where_the_log_lies_on_it(job, tmp_path, capsys):
    job.log = [str(tmp_path / "absent/log")]  # which cannot be written
    begin(job)
    fail(OSError(errno.ENOSPC, "No space left on device"))
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        "split: the disk or a quota is full ([Errno 28] No space left on device)"
    )
    assert last.endswith("run in another folder (--directory), and run the same command again")


def test_another_failure_says_its_own_words_and_leaves_its_traceback(job, tmp_path, capsys):
    begin(job)
    fail(FileNotFoundError("there is no such file"))
    assert capsys.readouterr().err.splitlines()[-1] == "split: there is no such file"
    assert "Traceback" in (tmp_path / "log").read_text()


def test_the_log_of_a_job_that_was_started_again_says_what_it_had(job, tmp_path):
    begin(job)
    finish(job)
    assert (tmp_path / "log").read_text() == "attempt 2: 4000 MB, 480 min\n"
    job.resources["attempt"] = 1
    finish(job)
    assert (tmp_path / "log").read_text().count("attempt") == 1


def test_a_long_job_says_on_the_terminal_and_in_its_log_how_long_the_rest_takes(
    job, tmp_path, capsys, monkeypatch
):
    clock = iter(range(0, 400, 20))  # s, an item every 20 s
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    begin(job)
    assert list(progress.tracked(range(5), 5, "fits")) == [0, 1, 2, 3, 4]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "split hot: 40 % of 5 fits done, about 2 min left"
    logged = (tmp_path / "log").read_text().splitlines()
    assert [f"split hot: {line}" for line in logged] == said


def test_times_are_in_the_unit_that_fits():
    assert [progress.duration(s) for s in (5, 89, 300, 9000)] == ["5 s", "89 s", "5 min", "2.5 h"]


def test_inputs_of_a_clock_that_was_ahead_are_no_newer_than_outputs(job, tmp_path):
    early, late = tmp_path / "early", tmp_path / "late"
    now = time.time()
    for path, when in ((early, now - 1000), (late, now + 1000)):
        path.touch()
        os.utime(path, (when, when))
    job.input = [str(early), str(late), str(tmp_path / "absent")]
    begin(job)
    assert early.stat().st_mtime == pytest.approx(now - 1000)
    assert now - 1 <= late.stat().st_mtime <= time.time()
