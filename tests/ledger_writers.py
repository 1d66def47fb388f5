"""Jobs that write one ledger, each in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from paths import ROOT

PROGRAM = """
import sys, time
from pathlib import Path
from diverse.labels.ledger import Ledger

wanted = Ledger(None, [Path(sys.argv[1])]).rows()
ledger = Ledger(Path(sys.argv[2]))
for row in wanted:
    if ledger.find(row.info["key"]) is None:
        time.sleep(float(sys.argv[3]))  # the label is computed
        ledger.append(row)
ledger.sort([row.info["key"] for row in wanted])
"""
PATIENCE = 60.0  # s
SLOW, FAST = 0.5, 0.02  # s a label of the job that is replaced, and of the other


def write_at_once(
    wanted: Path, ledger: Path, launchers: Sequence[Sequence[str]]
) -> list[tuple[int, str]]:
    """Let two jobs write the rows of one ledger to another at the same time.

    Parameters
    ----------
    wanted : Path
    ledger : Path
        Written; the second job begins as soon as the first has written a row.
    launchers : sequence
        Words that each job's command begins with.

    Returns
    -------
    list of tuple
        Exit status and words of each job.
    """
    jobs = []
    for launcher, pace in zip(launchers, (SLOW, FAST), strict=True):
        if jobs:
            _wait_for(ledger, jobs[0])
        jobs.append(
            subprocess.Popen(
                [*launcher, sys.executable, "-c", PROGRAM, *map(str, (wanted, ledger, pace))],
                env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    said = [job.communicate(timeout=PATIENCE)[1] for job in jobs]
    return [(job.returncode, words) for job, words in zip(jobs, said, strict=True)]


def _wait_for(file: Path, writer: subprocess.Popen) -> None:
    end = time.monotonic() + PATIENCE
    while not file.exists():
        assert writer.poll() is None and time.monotonic() < end, "nothing is written"
        time.sleep(0.01)
