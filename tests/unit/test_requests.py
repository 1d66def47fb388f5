"""What labelling jobs ask a cluster for, and the time that Slurm leaves them."""

import math

import pandas as pd
import pytest

from diverse.labels.labellers import make_labeller
from diverse.study import requests
from diverse.study.requests import LabelRate, read_label_rates, request_line, request_minutes

HOURS, ATOMS, MEMORY = 100.0, 6000, 3000.0
ZERO = {"kind": "lammps", "pair_style": "zero 1", "pair_coeff": ["* *"]}
STUDY = {
    "element": "W",
    "labeller": "zero",
    "labellers": {"zero": ZERO},
    "datasets": {"random": {}, "surrogate": {}, "unknown": {}},
}
PROTOCOL = make_labeller({"element": "W", **ZERO}).protocol
ESTIMATE = pd.DataFrame(
    [
        ["generate", "random", ATOMS, 1.0, math.nan, 150.0, math.nan],
        ["label", "random", ATOMS, 80.0, HOURS, MEMORY, PROTOCOL],
        ["label", "surrogate", ATOMS, 2.0, math.nan, 200.0, PROTOCOL],
        ["label", "unknown", ATOMS, math.nan, math.nan, math.nan, PROTOCOL],
        ["label", "gone", ATOMS, 80.0, HOURS, MEMORY, PROTOCOL],
        ["train", "networks", math.nan, 5.0, math.nan, math.nan, math.nan],
    ],
    columns=["stage", "dataset", "environments", "core_hours", "high", "memory_mb", "protocol"],
)


@pytest.fixture
def rates(tmp_path):
    ESTIMATE.to_csv(tmp_path / "stages.csv", index=False)
    return read_label_rates(tmp_path / "stages.csv", STUDY)


def test_rates_are_the_upper_end_of_the_estimate_where_there_is_one(rates):
    assert set(rates) == {"random", "surrogate"}
    assert rates["random"].core_minutes == pytest.approx(60 * HOURS / ATOMS)
    assert rates["surrogate"].core_minutes == pytest.approx(60 * 2.0 / ATOMS)
    assert rates["random"].memory_mb == pytest.approx(1000 + 1.5 * MEMORY)


def test_an_estimate_of_another_labeller_says_nothing(tmp_path):
    path = tmp_path / "stages.csv"
    ESTIMATE.to_csv(path, index=False)
    other = STUDY | {"labellers": {"zero": ZERO | {"pair_style": "zero 2"}}}
    assert read_label_rates(path, other) == {}
    ESTIMATE.drop(columns="protocol").to_csv(path, index=False)
    assert read_label_rates(path, STUDY) == {}


def test_a_chunk_asks_for_time_by_its_atoms_its_largest_cell_and_its_cores(tmp_path, rates):
    path = tmp_path / "chunk.xyz"
    path.write_text("".join(f"{n}\nLattice\n" + n * "W 0 0 0\n" for n in (2, 2, 4, 8)))
    minute = 60 * HOURS / ATOMS  # of a core and atom
    for threads in (1, 16):
        expected = 15 + 1.5 * minute * (16 / threads + 8**2 / 4)
        assert request_minutes(rates["random"], path, threads, 1) == math.ceil(expected)
    twice = math.ceil(15 + 1.5 * minute * (32 + 8**2 / 4))
    assert request_minutes(rates["random"], [path, path], 1, 1) == twice
    assert request_minutes(rates["random"], path, 1, 3) == math.ceil(3 * (15 + 1.5 * minute * 32))


def test_without_an_estimate_every_chunk_asks_for_the_same_and_more_in_each_attempt(tmp_path):
    assert read_label_rates(tmp_path / "stages.csv", STUDY) == {}
    assert [LabelRate().minutes([4, 8], 16, attempt) for attempt in (1, 2)] == [240, 480]
    assert [LabelRate().memory(16, attempt) for attempt in (1, 2)] == [32000, 64000]
    assert LabelRate(core_minutes=1.0).minutes([], 16, 1) == 240  # of a chunk without cells


def test_attempts_are_said_where_they_are_counted():
    asked = {"attempt": 2, "mem_mb": 4000, "runtime": 480}
    assert request_line(asked) == "attempt 2: 4000 MB, 480 min"
    assert request_line({"mem_mb": 4000, "runtime": 480}) == ""


LEFT = {"1-02:03:04": 93784, "02:03:04": 7384, "03:04": 184, "UNLIMITED": 0, "INVALID": 0, "": 0}


@pytest.mark.parametrize("text", LEFT)
def test_cells_are_begun_in_all_but_a_twentieth_of_the_time_left(text):
    assert requests.seconds_to_begin(f"{text}\n") == pytest.approx(0.95 * LEFT[text])


def test_slurm_is_asked_inside_its_jobs_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert requests.time_left() == 0
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert requests.time_left() == 0  # no squeue on the node
    squeue = tmp_path / "squeue"
    squeue.write_text('#!/bin/sh\n[ "$3" = 7 ] && echo 10:00\n')
    squeue.chmod(0o755)
    assert requests.time_left() == pytest.approx(570)
