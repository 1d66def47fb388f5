"""Predictions of every family: forces and stresses against finite differences and LAMMPS."""

import numpy as np
import pytest

from diverse import lammps_library
from diverse.models import predict
from diverse.models.export import lammps_commands
from model_cases import CUTOFF, FAMILIES, ZBL_W, make_model

STEP = 1e-5
NAMES = ["bulk", "slab", "triclinic1", "triclinic5"]


@pytest.mark.parametrize("family", FAMILIES)
def test_equals_lammps(cells, family, tmp_path):
    model, chosen = make_model(family), [cells[name] for name in NAMES]
    model.write(tmp_path, "W", CUTOFF)
    found = predict(model, chosen, cutoff=CUTOFF, zbl=ZBL_W)
    results = lammps_library.evaluate(chosen, *lammps_commands(model, str(tmp_path), ZBL_W))
    sizes = np.array([len(atoms) for atoms in chosen])
    energies = np.array([result.energy for result in results])
    np.testing.assert_allclose(found.energies / sizes, energies / sizes, rtol=1e-12, atol=1e-9)
    forces = np.concatenate([result.forces for result in results])
    np.testing.assert_allclose(found.forces, forces, rtol=1e-9, atol=1e-8)
    stresses = np.array([result.stress for result in results])
    # LAMMPS turns eV/Å^3 into bar with 1.6021765e6, 8.4e-8 off the value of the SI
    np.testing.assert_allclose(found.stresses, stresses, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_forces_and_stress_are_derivatives_of_the_energy(cells, family):
    model, atoms = make_model(family), cells["triclinic5"].copy()
    atoms.rattle(0.02, seed=0)
    (stress,) = predict(model, [atoms], cutoff=CUTOFF, zbl=ZBL_W).stresses
    force = predict(model, [atoms], cutoff=CUTOFF, zbl=ZBL_W).forces[2, 1]
    moved, strained = [atoms.copy() for _ in range(2)], [atoms.copy() for _ in range(2)]
    for sign, copy, deformed in zip((1, -1), moved, strained, strict=True):
        copy.positions[2, 1] += sign * STEP
        strain = np.eye(3)
        strain[1, 2] = strain[2, 1] = sign * STEP / 2  # Voigt yz
        deformed.set_cell(atoms.cell.array @ strain, scale_atoms=True)
    plus, minus = predict(model, moved, cutoff=CUTOFF, zbl=ZBL_W).energies
    scale = max(1.0, abs(plus))
    # central differences err by STEP^2 E''' / 6 and by rounding, eps E / STEP
    assert force == pytest.approx(-(plus - minus) / (2 * STEP), rel=1e-6, abs=1e-9 * scale)
    plus, minus = predict(model, strained, cutoff=CUTOFF, zbl=ZBL_W).energies
    slope = (plus - minus) / (2 * STEP) / atoms.get_volume()
    assert stress[3] == pytest.approx(slope, rel=1e-6, abs=1e-9 * scale)


def test_energies_are_extensive_and_batches_do_not_matter(cells, monkeypatch):
    model, atoms = make_model("quadratic"), cells["triclinic5"]
    many = [atoms, atoms.repeat((2, 1, 1)), cells["slab"]]
    whole = predict(model, many, cutoff=CUTOFF, zbl=ZBL_W)
    assert whole.energies[1] == pytest.approx(2 * whole.energies[0], rel=1e-12)
    monkeypatch.setattr("diverse.models.BATCH", 1)
    single = predict(model, iter(many), cutoff=CUTOFF, zbl=ZBL_W)
    for name, array in vars(whole).items():  # other matrix shapes, other order of summation
        np.testing.assert_allclose(getattr(single, name), array, rtol=1e-12, atol=1e-12)
    assert predict(model, [], cutoff=CUTOFF, zbl=ZBL_W).forces.shape == (0, 3)
