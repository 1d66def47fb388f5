"""The benchmark programs start: what they import is still there."""

import subprocess
import sys

import pytest

from paths import ROOT

PROGRAMS = sorted((ROOT / "tests/benchmarks").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_benchmark_starts(program):
    run = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
