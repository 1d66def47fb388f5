"""One LAMMPS instance for many cells gives what a fresh one gives for each."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from diverse.labels.labellers.parallel import BACKEND
from diverse.lammps_library import Evaluator, evaluate
from paths import ROOT

LENNARD_JONES = ("lj/cut 5.0", ["* * 0.1 2.5"])
ZHOU = ("eam/alloy", ["* * W_zhou.eam.alloy W"])


KILLED = """
import os, re, signal
from pathlib import Path
{use}
names = re.findall(r"/dev/shm/mpich_shm_\\w+", Path("/proc/self/maps").read_text())
print(*set(names), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
USES = {
    "lammps": "from diverse.lammps_library import evaluate, start; from ase.build import bulk; "
    "start().close(); evaluate([bulk('W')], 'lj/cut 5.0', ['* * 0.1 2.5'])",
    "two processes": "from diverse.labels.labellers.parallel import join; world = join(); "
    "assert world.sum_scalar(world.rank + 1.0) == 3.0; world.barrier()",
}


@pytest.mark.skipif(sys.platform != "linux", reason="shared memory elsewhere has other names")
@pytest.mark.parametrize("use", USES)
def test_processes_that_are_killed_leave_no_shared_memory(use):
    """And MPI goes on working after it was unlinked."""
    command = [sys.executable, "-c", KILLED.format(use=USES[use])]
    if use == "two processes":
        command = ["mpiexec", "-launcher", "fork", "-n", "2", *command]
    environment = {**os.environ, **BACKEND, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    names = set(re.findall(r"/dev/shm/mpich_shm_\w+", run.stdout))
    assert names, run.stderr
    assert not [name for name in names if Path(name).exists()]


def distorted(symbol, repeat, seed):
    rng = np.random.default_rng(seed)
    atoms = bulk(symbol, "bcc", a=3.165).repeat(repeat)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(0, 0.05, (3, 3))), scale_atoms=True)
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    return atoms


def assert_fresh(evaluator, atoms, pair):
    found, (fresh,) = evaluator(atoms), evaluate([atoms], *pair)
    assert found.energy == fresh.energy
    np.testing.assert_array_equal(found.forces, fresh.forces)
    np.testing.assert_array_equal(found.stress, fresh.stress)


@pytest.mark.parametrize("pair", [ZHOU, LENNARD_JONES])
def test_cells_leave_nothing_behind(pair):
    evaluator = Evaluator(*pair)
    for seed, repeat in enumerate([(1, 1, 1), (3, 3, 3), (2, 1, 1), (1, 4, 2)]):
        assert_fresh(evaluator, distorted("W", repeat, seed), pair)
    left_handed = distorted("W", 2, 9)
    left_handed.set_cell(left_handed.cell.array[[1, 0, 2]])
    assert_fresh(evaluator, left_handed, pair)
    evaluator.close()


def test_it_goes_on_after_a_cell_it_refuses():
    evaluator = Evaluator(*LENNARD_JONES)
    cell = distorted("W", 1, 0)
    assert_fresh(evaluator, cell, LENNARD_JONES)
    for sentence in ("Box bounds are invalid", "Illegal region"):  # between cells, at the start
        with pytest.raises(Exception, match=sentence):  # LAMMPS raises bare Exception
            evaluator(Atoms("W", cell=[3, 3, 0], pbc=True))
    with pytest.raises(ValueError, match="unpack"):
        evaluator(bulk("NaCl", "rocksalt", a=4.0))
    assert_fresh(evaluator, cell, LENNARD_JONES)
    assert_fresh(evaluator, distorted("Ta", 1, 1), LENNARD_JONES)
    evaluator.close()
