"""The script that measures everything on a card, tried at a small size on a host that plays one."""

import csv
import os
import subprocess
import sys

import pytest
import torch

from paths import ROOT

RUN = ROOT / "tests/device/run"
ENVIRONMENT = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}


def test_it_runs_from_end_to_end_on_the_emulation(tmp_path):
    command = [RUN, "--emulate", "--out", tmp_path]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "emulation_on_the_host/results.csv") as file:
        rows = list(csv.DictReader(file))
    assert {row["stage"] for row in rows} == {"machine", "build", "parity", "rate", "train"}
    parity = {row["what"]: float(row["value"]) for row in rows if row["stage"] == "parity"}
    assert set(parity) == {"forward", "vjp", "jvp"}
    assert all(0 < error < 1e-12 for error in parity.values())
    errors = [float(row["value"]) for row in rows if row["what"].startswith("force error")]
    assert len(errors) == 3
    assert abs(errors[0] - errors[1]) < 1e-9 * errors[0]  # stored or computed


def test_without_a_card_it_ends_in_a_sentence(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a card here")
    done = subprocess.run([RUN, "--out", tmp_path], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("device is 'cuda', but")
