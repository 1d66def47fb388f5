"""The ZBL reference against LAMMPS."""

import numpy as np
import pytest

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
