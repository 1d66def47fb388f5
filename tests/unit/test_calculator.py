"""Exported models as ASE calculators, against LAMMPS and finite differences."""

import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

from diverse import lammps_library
from diverse.models.calculator import PotentialCalculator
from diverse.models.export import lammps_commands, write_commands
from model_cases import CUTOFF, FAMILIES, ZBL_W, make_model


@pytest.mark.parametrize("family", FAMILIES)
def test_equals_lammps_and_finite_differences(cells, family, tmp_path):
    model, atoms = make_model(family), cells["triclinic5"].copy()
    model.write(tmp_path, "W", CUTOFF)
    write_commands(model, tmp_path, ZBL_W)
    atoms.calc = PotentialCalculator(tmp_path)
    assert (atoms.calc.cutoff, atoms.calc.zbl) == (CUTOFF, ZBL_W)
    (truth,) = lammps_library.evaluate([atoms], *lammps_commands(model, str(tmp_path), ZBL_W))
    assert atoms.get_potential_energy() == pytest.approx(truth.energy, rel=1e-10)
    np.testing.assert_allclose(atoms.get_forces(), truth.forces, rtol=1e-9, atol=1e-8)
    # central differences of step h err by h^2 E''' / 6; the stiffest pair here is ZBL's
    scale = np.abs(atoms.get_forces()).max()
    numerical = calculate_numerical_forces(atoms, eps=1e-5)
    np.testing.assert_allclose(atoms.get_forces(), numerical, atol=1e-6 * scale)
    numerical = calculate_numerical_stress(atoms, eps=1e-6)
    np.testing.assert_allclose(atoms.get_stress(), numerical, atol=1e-6 * np.abs(numerical).max())


def test_commands_run_in_the_folder(cells, tmp_path, monkeypatch):
    """The lines of potential.lammps are what a user includes."""
    model = make_model("quadratic")
    model.write(tmp_path, "W", CUTOFF)
    write_commands(model, tmp_path, ZBL_W)
    style, *coeff = (tmp_path / "potential.lammps").read_text().splitlines()
    monkeypatch.chdir(tmp_path)
    (truth,) = lammps_library.evaluate(
        [cells["bulk"]],
        style.removeprefix("pair_style "),
        [line.removeprefix("pair_coeff ") for line in coeff],
    )
    atoms = cells["bulk"].copy()
    atoms.calc = PotentialCalculator(tmp_path)
    assert atoms.get_potential_energy() == pytest.approx(truth.energy, rel=1e-10)


def test_what_it_cannot_do_is_said(tmp_path, cells):
    with pytest.raises(FileNotFoundError, match="holds neither of potential.snapcoeff"):
        PotentialCalculator(tmp_path)
    model = make_model("linear")
    model.write(tmp_path, "W", CUTOFF)
    write_commands(model, tmp_path, ZBL_W)
    water = molecule("H2O", vacuum=3.0)
    water.calc = PotentialCalculator(tmp_path)
    with pytest.raises(ValueError, match="for W in cells that repeat .* not for H, O with pbc"):
        water.get_potential_energy()
