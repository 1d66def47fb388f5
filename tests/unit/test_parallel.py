"""Cells of several MPI processes: the label of one process; launchers that fail say so."""

import pytest
from ase.build import bulk

from diverse.labels.labellers import LabellerError, make_labeller
from diverse.labels.labellers.gpaw import LADDER
from diverse.labels.pool import Effort, LostCellsError, outcomes
from diverse.structures import tagged

COARSE = {
    **{"element": "W", "kind": "gpaw", "xc": "PBE", "setup": "paw", "cutoff_energy": 200},
    **{"kpoint_density": {"1000": 0.6}, "kpoint_mesh": [], "smearing": 0.3, "point_group": False},
    **{"magnetic_moment": 0.0, "energy_tolerance": 1e-6, "density_tolerance": 1e-5},
    **{"eigenstates_tolerance": 1e-9, "maxiter": 60, "pulay_energy": 0.0, "protocol_version": 1},
}
STARTS = 'case "$*" in *" -c "*) echo processes 2; exit;; esac\n'  # passes the check


@pytest.fixture
def cell():
    atoms = bulk("W", a=3.165).repeat((2, 1, 1))
    atoms.rattle(0.1, seed=3)
    return tagged(atoms, "test", "test_0")


@pytest.fixture
def script(tmp_path):
    """Write a launcher that is a shell script."""

    def write(text):
        path = tmp_path / "launcher"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write


def outcome(cell, folder, launcher, cores=2, **settings):
    effort = Effort(cores_per_cell=cores, launcher=launcher)
    labeller = make_labeller(COARSE | settings)
    ((_, found),) = outcomes([(cell, folder / "log")], labeller, effort)
    return found


def test_two_processes_give_the_label_of_one(cell, tmp_path):
    """Both iterate alike, and sum over k-points in another order: round-off of 53 bits."""
    one, two = (
        outcome(cell, tmp_path, launcher, cores)
        for launcher, cores in (("", 1), ("mpiexec -launcher fork", 2))
    )
    assert "cores:  2" in (tmp_path / "log").read_text()
    assert two.label.iterations == one.label.iterations
    assert two.label.free_energy == pytest.approx(one.label.free_energy, abs=1e-9)
    assert two.label.forces == pytest.approx(one.label.forces, abs=1e-9)
    assert two.label.stress == pytest.approx(one.label.stress, abs=1e-11)
    assert two.seconds > one.label.iterations * 0.01


def test_a_cell_that_fails_in_parallel_is_a_cell_that_failed(cell, tmp_path):
    found = outcome(cell, tmp_path, "mpiexec -launcher fork", maxiter=2)
    assert (found.label, found.cause) == (None, "not self-consistent after 2 iterations")
    assert found.attempts == len(LADDER)


BROKEN = {
    "does not start": "",
    "ends with status 3: no such partition": "echo no such partition >&2; exit 3",
    "starts processes that do not find each other": 'shift 2; exec "$@"',
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_a_launcher_that_does_not_work_costs_no_cell(cell, tmp_path, script, sentence):
    launcher = script(BROKEN[sentence]) if BROKEN[sentence] else "/nowhere/mpiexec"
    with pytest.raises(LabellerError, match=f"the launcher '.*' {sentence}"):
        outcome(cell, tmp_path, launcher)


def test_a_process_that_is_killed_is_not_the_fault_of_the_cell(cell, tmp_path, script):
    with pytest.raises(LostCellsError, match="ended from outside 3 times"):
        outcome(cell, tmp_path, script(f"{STARTS}exit 137"))


def test_a_process_that_crashes_is(cell, tmp_path, script):
    found = outcome(cell, tmp_path, script(f"{STARTS}exit 139"))
    assert found.cause == "the labeller crashed twice (exit status 139)"
