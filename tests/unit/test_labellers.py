"""Labellers: forces and stress are derivatives of the free energy; failures are sentences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from diverse.labels.labellers import Label, LabelError, LabellerError, gpaw, make_labeller
from diverse.labels.labellers.gpaw import kpoint_mesh
from diverse.labels.labellers.results import checked
from diverse.lammps_library import load_cell
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


def few_electrons():
    """Return a cell of 6 electrons, of which any share is few bands."""
    places = [[0, 0, 0], [1.9, 2.1, 2.2]]
    return tagged(Atoms("Al2", places, cell=[4, 4.1, 4.2], pbc=True), "test", "test")


@pytest.mark.parametrize(
    ("element", "rung"), [*(("W", rung) for rung in range(1, len(gpaw.LADDER))), ("Al", 1)]
)
def test_every_rung_of_the_ladder_ends_at_the_same_label(
    cell, tmp_path, monkeypatch, element, rung
):
    labeller = make_labeller({**COARSE, "element": element})
    cell = few_electrons() if element == "Al" else cell
    first = labeller.label(cell, tmp_path / "log")
    monkeypatch.setattr(gpaw, "LADDER", gpaw.LADDER[rung:])
    other = labeller.label(cell, tmp_path / "log")
    # at most 28 electrons at 1e-6 eV per electron
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


def test_a_larger_basis_needs_no_pulay_correction():
    """The correction is that of the protocol's own cutoff."""
    labeller = make_labeller({**COARSE, "pulay_energy": 0.3})
    assert labeller.strained(bulk("W", a=3.165)).settings.pulay_energy == 0
    assert labeller.fixed(bulk("W", a=3.165)).settings.pulay_energy == 0.3


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


def test_a_potential_named_in_pair_style_is_part_of_the_protocol(tmp_path, monkeypatch, zhou):
    """As of mliap or table; what is in use keeps its protocol."""
    assert zhou.protocol == "efcef6f61b8a9a4d"
    monkeypatch.chdir(tmp_path)
    options = {"element": "W", "kind": "lammps", "pair_coeff": ['* * "my own.table" W']}
    options["pair_style"] = "hybrid/overlay mliap model linear a.model descriptor sna 'b c.sna'"
    protocols = [make_labeller(options).protocol]
    for name in ("a.model", "b c.sna", "my own.table"):
        for text in ("1", "2"):
            Path(name).write_text(text)
            protocols.append(make_labeller(options).protocol)
    assert len(set(protocols)) == 7
    monkeypatch.setenv("LAMMPS_POTENTIALS", f"{tmp_path / 'none'}:{tmp_path / 'mine'}")
    (tmp_path / "mine").mkdir()
    Path("a.model").rename(tmp_path / "mine/a.model")
    assert make_labeller(options).protocol == protocols[-1]
    assert make_labeller(options).files() == ["b c.sna", "mine/a.model", "my own.table"]


def test_files_of_installed_packages_are_no_files_of_the_users(zhou):
    """A rebuilt environment marks no label for recomputation."""
    factory = {"element": "W", "kind": "ase", "factory": "ase.calculators.emt:EMT", "options": {}}
    assert [one.files() for one in (zhou, make_labeller(COARSE), make_labeller(factory))] == [
        []
    ] * 3


@pytest.mark.parametrize("line", ["zero 5\nshell touch ran", "zero 5\rshell touch ran", "zero 5 &"])
@pytest.mark.parametrize("key", ["pair_style", "pair_coeff"])
def test_a_command_from_a_study_file_is_one_line(tmp_path, monkeypatch, cell, line, key):
    monkeypatch.chdir(tmp_path)
    options = {"element": "W", "kind": "lammps", "pair_style": "zero 5", "pair_coeff": ["* *"]}
    options[key] = line if key == "pair_style" else [line]
    labeller = make_labeller(options)
    with pytest.raises(LabellerError, match=f"{key} .* (one line|next command)"):
        _ = labeller.provenance
    with pytest.raises(LabelError, match=f"{key} .* (one line|next command)"):
        labeller.label(cell, tmp_path / "log")
    with pytest.raises(ValueError, match=f"{key} "):
        load_cell(None, cell, options["pair_style"], options["pair_coeff"])
    assert not Path("ran").exists()


def test_an_empty_pair_style_is_named():
    with pytest.raises(LabellerError, match="pair_style is empty: name a pair style"):
        _ = make_labeller(
            {"element": "W", "kind": "lammps", "pair_style": " ", "pair_coeff": []}
        ).provenance


GOOD = Label(-1.0, -2.0, np.arange(6.0).reshape(2, 3), np.arange(6.0))


def test_what_is_right_is_kept():
    assert checked(GOOD, 2).free_energy == -1.0
    tensor = np.array([[1, 6, 5], [6, 2, 4], [5, 4, 3]])  # integers are numbers
    label = checked(replace(GOOD, stress=tensor, forces=[[1, 2, 3], [4, 5, 6]], energy=3), 2)
    np.testing.assert_array_equal(label.stress, [1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(label.forces, [[1, 2, 3], [4, 5, 6]])
    assert label.forces.dtype == label.stress.dtype == float and type(label.energy) is float
    assert checked(replace(GOOD, stress=None), 2).stress is None


WRONG = [
    ({"forces": np.ones((1, 3))}, r"forces of the shape \(1, 3\) instead of \(2, 3\)"),
    ({"forces": np.ones(6)}, r"forces of the shape \(6,\)"),
    ({"forces": np.ones((3, 2))}, r"forces of the shape \(3, 2\)"),
    ({"forces": np.ones((2, 2, 3))}, r"forces of the shape \(2, 2, 3\)"),
    ({"forces": np.ones((2, 3), dtype=bool)}, "forces of the type bool"),
    ({"forces": np.ones((2, 3), dtype=complex)}, "forces of the type complex128"),
    ({"forces": np.full((2, 3), "1.0")}, "forces of the type <U3"),
    (
        {"forces": np.ma.array(np.ones((2, 3)), mask=[[1, 0, 0]] * 2)},
        "forces with masked, unknown numbers",
    ),
    ({"forces": [[1, 2, 3], [4, 5]]}, "forces that are no array"),
    ({"forces": None}, "forces of the type NoneType"),
    ({"forces": np.array([[0, 0, np.nan]] * 2)}, "NaN or infinity as forces"),
    ({"energy": np.inf}, "NaN or infinity as energy"),
    ({"energy": 1j}, "energy of the type complex128"),
    ({"energy": True}, "energy of the type bool"),
    ({"energy": None}, "energy of the type NoneType"),
    ({"energy": 10**400}, "energy of the type int"),
    ({"energy": np.ones(1)}, r"energy of the shape \(1,\) instead of \(\)"),
    ({"free_energy": np.ones(2)}, r"free energy of the shape \(2,\)"),
    ({"free_energy": "-8.0"}, "free energy of the type <U4"),
    ({"stress": np.ones(3)}, r"stress of the shape \(3,\) instead of \(6,\)"),
    ({"stress": np.ones((1, 6))}, r"stress of the shape \(1, 6\)"),
    ({"stress": np.arange(9.0, dtype=np.float32).reshape(3, 3)}, "a stress tensor that is not"),
    ({"stress": np.arange(9.0).reshape(3, 3)}, "a stress tensor that is not symmetric"),
    ({"stress": np.full(6, 1j)}, "stress of the type complex128"),
    ({"stress": np.full(6, np.nan)}, "NaN or infinity as stress"),
]


@pytest.mark.parametrize(("change", "cause"), WRONG)
def test_anything_but_real_numbers_of_the_right_shape_is_a_failed_cell(change, cause):
    with pytest.raises(LabelError, match=cause) as error:
        checked(replace(GOOD, **change, attempts=4), 2)
    assert error.value.attempts == 4


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
