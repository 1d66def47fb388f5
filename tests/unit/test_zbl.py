"""The ZBL reference against LAMMPS."""

import numpy as np
import pytest
from ase import Atoms

from diverse import lammps_library
from diverse.neighbours import find_pairs
from diverse.zbl import ZBL


@pytest.mark.parametrize("name", ["bulk", "slab", "triclinic1", "triclinic16"])
def test_equals_lammps(cells, name):
    zbl, atoms = ZBL("W", 4.0, 4.8), cells[name]
    energies, forces = zbl.energies_forces(find_pairs([atoms], zbl.outer), 1)
    (reference,) = lammps_library.evaluate([atoms], zbl.lammps_style, [f"* * {zbl.lammps_coeff}"])
    assert energies[0] == pytest.approx(reference.energy, rel=1e-12, abs=1e-12)
    scale = max(1.0, np.abs(reference.forces).max())
    np.testing.assert_allclose(forces, reference.forces, atol=1e-12 * scale)


def test_a_batch_is_the_sum_of_its_cells(cells):
    zbl = ZBL("W", 4.0, 4.8)
    batch = [cells[name] for name in ("triclinic16", "bulk", "slab")]
    energies, forces = zbl.energies_forces(find_pairs(batch, zbl.outer), len(batch))
    alone = [zbl.energies_forces(find_pairs([atoms], zbl.outer), 1) for atoms in batch]
    assert energies.tolist() == [energy.item() for energy, _ in alone]
    np.testing.assert_array_equal(forces, np.concatenate([force for _, force in alone]))


def test_it_ends_smoothly_and_is_added_to_what_is_there():
    zbl = ZBL("W", 4.0, 4.8)
    dimers = [Atoms("W2", [[0, 0, 0], [0, 0, r]], cell=[30, 30, 30]) for r in (4.8 - 1e-3, 4.8)]
    pairs = find_pairs(dimers, 5.0)
    gradient = np.ones_like(pairs.vector)
    energies = zbl.add(pairs, 2, gradient)
    assert 0 < energies[0] < 1e-9  # of third order in the distance from the end
    assert energies[1] == 0
    assert (gradient[:2, :2] == 1).all() and (gradient[2:] == 1).all()
    assert 1e-9 < abs(gradient[0, 2] - 1) < 1e-6


def test_whole_numbers_and_wrong_arrays(cells):
    pairs = find_pairs([cells["bulk"]], 5.0)
    found = [ZBL("W", *ends).energies_forces(pairs, 1) for ends in ((3, 5), (3.0, 5.0))]
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
    for wrong in (pairs.vector[1:], pairs.vector.astype("float32")):
        with pytest.raises(ValueError, match="it must be float64 of the shape"):
            ZBL("W", 3, 5).add(pairs, 1, wrong)
