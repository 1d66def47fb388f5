"""One LAMMPS instance for many cells gives what a fresh one gives for each."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from diverse.lammps_library import Evaluator, evaluate

LENNARD_JONES = ("lj/cut 5.0", ["* * 0.1 2.5"])
ZHOU = ("eam/alloy", ["* * W_zhou.eam.alloy W"])


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
