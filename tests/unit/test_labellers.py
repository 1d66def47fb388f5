"""Labellers: forces and stress are derivatives of the free energy; failures are sentences."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk

from diverse.labels.labellers import LabelError, LabellerError, gpaw, make_labeller
from diverse.labels.labellers.gpaw import kpoint_mesh
from diverse.structures import tagged

COARSE = {
    "element": "W",
    "kind": "gpaw",
    "xc": "PBE",
    "setup": "paw",
    "cutoff_energy": 200,
    "kpoint_density": {"1000": 0.6},
    "kpoint_mesh": [],
    "smearing": 0.3,
    "point_group": False,
    "magnetic_moment": 0.0,
    "energy_tolerance": 1e-6,
    "density_tolerance": 1e-5,
    "eigenstates_tolerance": 1e-9,
    "maxiter": 60,
    "pulay_energy": 0.0,
    "protocol_version": 1,
}


@pytest.fixture
def cell():
    atoms = bulk("W", a=3.165).repeat((2, 1, 1))
    atoms.rattle(0.1, seed=3)
    atoms.set_cell(atoms.cell.array @ np.array([[1.02, 0.03, 0], [0, 1, 0.02], [0.01, 0, 0.97]]))
    return tagged(atoms, "test", "test")


def difference(labeller, cell, tmp_path, change, step):
    def energy(sign):
        moved = cell.copy()
        change(moved, sign * step)
        return labeller.label(moved, tmp_path / "log").free_energy

    return (energy(1) - energy(-1)) / (2 * step)


def move_first_atom(atoms, step):
    atoms.positions[0, 1] += step


def shear(atoms, step):
    strain = np.eye(3)
    strain[0, 2] = strain[2, 0] = step / 2
    atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)


def test_lammps_derivatives(zhou, cell, tmp_path):
    label = zhou.label(cell, tmp_path / "log")
    force = -difference(zhou, cell, tmp_path, move_first_atom, 1e-4)
    assert label.forces[0, 1] == pytest.approx(force, abs=1e-6)
    stress = difference(zhou, cell, tmp_path, shear, 1e-4) / cell.get_volume()
    # the tabulated potential is a spline: its second derivatives jump
    assert label.stress[4] == pytest.approx(stress, rel=1e-4, abs=1e-6)


def test_gpaw_forces_are_derivatives_of_the_free_energy(cell, tmp_path):
    labeller = make_labeller(COARSE)
    label = labeller.label(cell, tmp_path / "log")
    force = -difference(labeller, cell, tmp_path, move_first_atom, 5e-3)
    assert label.forces[0, 1] == pytest.approx(force, abs=5e-3)
    assert label.free_energy < label.energy
    assert label.iterations > 3


def test_gpaw_pulay_correction_is_a_pressure(cell, tmp_path):
    plain = make_labeller(COARSE).label(cell, tmp_path / "log").stress
    corrected = make_labeller({**COARSE, "pulay_energy": 0.3}).label(cell, tmp_path / "log").stress
    shift = 0.3 * len(cell) / cell.get_volume()
    np.testing.assert_allclose(plain - corrected, [shift] * 3 + [0] * 3, atol=1e-12)


def test_gpaw_that_does_not_converge_says_so(cell, tmp_path):
    with pytest.raises(LabelError, match="not self-consistent after 2 iterations") as error:
        make_labeller({**COARSE, "maxiter": 2}).label(cell, tmp_path / "log")
    assert error.value.attempts == len(gpaw.LADDER)


@pytest.mark.parametrize("rung", range(1, len(gpaw.LADDER)))
def test_every_rung_of_the_ladder_ends_at_the_same_label(cell, tmp_path, monkeypatch, rung):
    labeller = make_labeller(COARSE)
    first = labeller.label(cell, tmp_path / "log")
    monkeypatch.setattr(gpaw, "LADDER", gpaw.LADDER[rung:])
    other = labeller.label(cell, tmp_path / "log")
    # 28 electrons at 1e-6 eV per electron
    assert other.free_energy == pytest.approx(first.free_energy, abs=3e-5)
    np.testing.assert_allclose(other.forces, first.forces, atol=2e-3)


def test_the_ladder_is_climbed_and_counted(cell, tmp_path, monkeypatch):
    from gpaw import KohnShamConvergenceError

    calculate, rungs = gpaw._calculate, []

    def stubborn(atoms, settings, rung, log, attempt):
        rungs.append(rung)
        if attempt < 3:
            raise KohnShamConvergenceError
        return calculate(atoms, settings, rung, log, attempt)

    monkeypatch.setattr(gpaw, "_calculate", stubborn)
    assert make_labeller(COARSE).label(cell, tmp_path / "log").attempts == 3
    assert rungs == list(gpaw.LADDER[:3])


def test_what_another_setting_cannot_mend_is_tried_once(cell, tmp_path):
    cell.positions[1] = cell.positions[0]
    with pytest.raises(LabelError) as error:
        make_labeller(COARSE).label(cell, tmp_path / "log")
    assert error.value.attempts == 1


def test_the_point_group_changes_nothing_but_the_cost(tmp_path):
    atoms = bulk("W", a=3.165)
    plain = make_labeller(COARSE).label(atoms, tmp_path / "log")
    reduced = make_labeller({**COARSE, "point_group": True}).label(atoms, tmp_path / "log")
    assert reduced.free_energy == pytest.approx(plain.free_energy, abs=1e-3)
    np.testing.assert_allclose(reduced.stress, plain.stress, atol=1e-4)


def test_magnetic_moments_are_said(tmp_path):
    options = COARSE | {"element": "Fe", "magnetic_moment": 2.2, "smearing": 0.1}
    label = make_labeller(options).label(bulk("Fe", a=2.87), tmp_path / "log")
    assert 1.5 < label.magnetic_moment < 4.5
    assert make_labeller(COARSE).label(bulk("W"), tmp_path / "log").magnetic_moment is None


def test_a_fixed_mesh_does_not_follow_the_cell():
    atoms = bulk("W", a=3.165)
    held = make_labeller(COARSE).fixed(atoms).settings
    assert held.kpoint_mesh == list(kpoint_mesh(atoms, COARSE["kpoint_density"]))
    strained = make_labeller(COARSE).strained(atoms).settings
    assert strained == replace(held, cutoff_energy=1.5 * COARSE["cutoff_energy"])


def test_a_pair_style_needs_no_other_settings(zhou, cell):
    assert zhou.fixed(cell) == zhou.strained(cell) == zhou


def test_any_ase_calculator_labels(tmp_path):
    options = {"element": "Cu", "kind": "ase", "factory": "ase.calculators.emt:EMT", "options": {}}
    labeller = make_labeller(options)
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    label = labeller.label(atoms, tmp_path / "log")
    assert labeller.provenance["code"].startswith("ase 3.")
    assert -difference(labeller, atoms, tmp_path, move_first_atom, 1e-4) == pytest.approx(
        label.forces[0, 1], abs=1e-5
    )
    assert len(label.stress) == 6


def test_kpoints_follow_the_number_of_atoms():
    atoms = bulk("W", a=3.165)
    density = {"1": 3.0, "4": 2.0}
    assert kpoint_mesh(atoms, density) > kpoint_mesh(atoms, {"4": 2.0})
    assert kpoint_mesh(atoms.repeat(2), density) == kpoint_mesh(atoms.repeat(2), {"4": 2.0})


def test_protocol_is_settings_version_and_setup(monkeypatch):
    protocol = make_labeller(COARSE).protocol
    assert protocol == make_labeller(dict(COARSE)).protocol
    assert protocol != make_labeller({**COARSE, "smearing": 0.2}).protocol
    assert protocol != make_labeller({**COARSE, "setup": "6"}).protocol
    assert make_labeller(COARSE).provenance["setup"] == "W.PBE.gz"
    monkeypatch.setattr(gpaw, "version", lambda package: "99.1")
    assert protocol != make_labeller(COARSE).protocol


def test_what_cannot_label_is_said():
    with pytest.raises(
        LabellerError, match="no labeller 'vasp'; the labellers are ase, gpaw, lammps"
    ):
        make_labeller({"kind": "vasp"})
    with pytest.raises(LabellerError, match="no PAW setup for element 'Po'"):
        _ = make_labeller({**COARSE, "element": "Po"}).provenance
    magic = {"element": "W", "kind": "lammps", "pair_style": "magic 3", "pair_coeff": ["* *"]}
    with pytest.raises(LabellerError, match="no pair style 'magic'"):
        _ = make_labeller(magic).provenance
    absent = {"element": "W", "kind": "ase", "factory": "ase.calculators.emt:Absent", "options": {}}
    with pytest.raises(LabellerError, match="no calculator factory 'ase.calculators.emt:Absent'"):
        _ = make_labeller(absent).provenance


def test_lammps_error_is_a_label_error(cell, tmp_path):
    broken = make_labeller(
        {
            "element": "W",
            "kind": "lammps",
            "pair_style": "eam/alloy",
            "pair_coeff": ["* * absent W"],
        }
    )
    with pytest.raises(LabelError, match="absent"):
        broken.label(cell, tmp_path / "log")
