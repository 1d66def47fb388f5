"""Units and signs of published stress, and what physics says of it."""

import json

import numpy as np
import pytest
from ase.build import bulk
from ase.units import GPa, bar

from diverse.datasets.literature.frame import FrameError
from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.pressure import check_stress
from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.summary import summarise_groups
from diverse.datasets.literature.units import pressure_unit
from literature_sources import KBAR, fitsnap_text, labelled, make_cells, pymatgen_doc, xyz_frame

CELLS = make_cells(8)


def load(path):
    return import_records(
        read_records(path), dataset="d", element="W", protocol="p", block=20, reach=4.8
    )


def equation_of_state(n=9):
    return [labelled(bulk("W", a=2.75 * (0.96 + 0.01 * i))) for i in range(n)]


def strained(n=80):
    """Return cells of one atom under many strains, in changing bases."""
    rng, cells = np.random.default_rng(4), []
    bases = [np.eye(3), [[1, 0, 0], [1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 0], [-1, 0, 1]]]
    for index in range(n):
        atoms = bulk("W", a=2.75)
        strain = np.eye(3) + rng.normal(0, 0.02, (3, 3))
        atoms.set_cell(np.array(bases[index % 3]) @ atoms.cell.array @ strain, scale_atoms=True)
        cells.append(labelled(atoms))
    return cells


@pytest.mark.parametrize(
    ("name", "in_bar"),
    [
        ("bar", 1),
        ("kB", 1e3),
        ("kbar", 1e3),
        ("KBAR", 1e3),
        ("GPa", 1e4),
        ("MPa", 10),
        ("Pa", 1e-5),
    ],
)
def test_units_mean_what_they_say(name, in_bar):
    assert pressure_unit(name) == pytest.approx(in_bar * bar)
    assert pressure_unit("eV/Å^3") == pressure_unit("electronvoltPerAngstromCubed") == 1


def test_an_unknown_unit_is_said():
    with pytest.raises(FrameError, match="'psi'; known are bar, kB = kbar = 1000 bar, GPa"):
        pressure_unit("psi")


@pytest.mark.parametrize(
    ("style", "unit"), [("bar", bar), ("kB", KBAR), ("kbar", KBAR), ("GPa", GPa), ("eV/A^3", 1.0)]
)
def test_fitsnap_is_a_pressure_in_its_unit(style, unit, tmp_path):
    (tmp_path / "bulk").mkdir()
    for index, atoms in enumerate(CELLS):
        text = fitsnap_text(atoms, style=style, unit=unit)
        (tmp_path / "bulk" / f"{index}.json").write_text(text)
    cells, problems = load(tmp_path)
    assert problems.empty
    for cell, atoms in zip(cells, CELLS, strict=True):
        np.testing.assert_allclose(cell.get_stress(), atoms.calc.results["stress"], atol=1e-10)


def test_an_unknown_unit_loses_the_stress_alone(tmp_path):
    (tmp_path / "bulk").mkdir()
    (tmp_path / "bulk/0.json").write_text(fitsnap_text(CELLS[0], style="psi"))
    (cell,), problems = load(tmp_path)
    assert not cell.info["stress_valid"]
    assert "stress is 'psi'; known are bar" in problems["problem"][0]
    assert cell.get_potential_energy() == CELLS[0].calc.results["energy"]


def test_voigt_empty_and_zero_stress_of_fitsnap(tmp_path):
    (tmp_path / "bulk").mkdir()
    voigt = (-CELLS[0].calc.results["stress"] / bar).tolist()
    for name, stress in {"a": voigt, "b": [], "c": np.zeros((3, 3)).tolist(), "d": None}.items():
        atoms = CELLS["abcd".index(name)]
        text = fitsnap_text(atoms, Stress=voigt if name == "a" else stress)
        (tmp_path / "bulk" / f"{name}.json").write_text(text)
    (tmp_path / "bulk/e.json").write_text(fitsnap_text(CELLS[4], Stress="absent"))
    cells, problems = load(tmp_path)
    assert [cell.info["stress_valid"] for cell in cells] == [True] + [False] * 4
    np.testing.assert_allclose(cells[0].get_stress(), CELLS[0].calc.results["stress"], atol=1e-10)
    assert "6 numbers, read as xx, yy, zz, yz, xz, xy" in problems["problem"][0]


def test_maml_and_snap_order_their_stress_differently(tmp_path):
    cells = CELLS[:3]
    docs = []
    for atoms in cells:
        doc = pymatgen_doc(atoms)
        xx, yy, zz, xy, yz, xz = doc.pop("outputs")["virial_stress"]
        doc["data"] = {
            "energy_per_atom": atoms.calc.results["energy"] / len(atoms),
            "forces": atoms.calc.results["forces"].tolist(),
            "virial_stress": [xx, yy, zz, yz, xz, xy],
        }
        docs.append(doc)
    (tmp_path / "AIMD.json").write_text(json.dumps(docs))
    found, _ = load(tmp_path)
    for cell, atoms in zip(found, cells, strict=True):
        assert cell.get_potential_energy() == pytest.approx(atoms.calc.results["energy"])
        np.testing.assert_allclose(cell.get_stress(), atoms.calc.results["stress"], atol=1e-9)


GROUPS = {"series": equation_of_state(), "parabola": CELLS, "strains": strained()}


def imported(tmp_path, group, factor):
    """Import a group whose stress in the file is `factor` times the right one."""
    cells = []
    for atoms in GROUPS[group]:
        atoms = labelled(atoms)
        atoms.calc.results["stress"] = factor * atoms.calc.results["stress"]
        cells.append(xyz_frame(atoms, group=group))
    sound = [xyz_frame(atoms, group="sound") for atoms in make_cells(7, rattle=0.02)]
    (tmp_path / "set.xyz").write_text("".join(cells + sound))
    return load(tmp_path / "set.xyz")


@pytest.mark.parametrize("group", GROUPS)
def test_a_right_stress_agrees_with_the_energies(group, tmp_path):
    cells, problems = imported(tmp_path, group, 1.0)
    assert problems.empty
    assert all(cell.info["stress_valid"] for cell in cells)
    verdicts = {verdict.group: verdict.agrees for verdict in check_stress(cells)}
    assert verdicts[group]
    table = summarise_groups(cells).set_index("group")
    assert "times -dE/dV" in table.loc[group, "stress"]


@pytest.mark.parametrize("factor", [-1.0, 1e-3, 1e3, 10.0, 160.2, -160.2, 1602.2])
@pytest.mark.parametrize("group", GROUPS)
def test_a_stress_of_wrong_sign_or_size_is_missing(group, factor, tmp_path):
    """GPa or kbar taken for eV/Å^3, bar for kbar, VASP's sign for ASE's."""
    cells, problems = imported(tmp_path, group, factor)
    wrong = [cell for cell in cells if cell.info["config_type"] == group]
    assert not any(cell.info["stress_valid"] for cell in wrong)
    assert not any("stress" in cell.calc.results for cell in wrong)
    assert all(cell.info["stress_valid"] for cell in cells if cell not in wrong)
    (row,) = problems.to_dict("records")
    assert row["group"] == group
    assert f"the stress of {len(wrong)} cells is missing" in row["problem"]
    assert summarise_groups(cells).set_index("group").loc[group, "with_stress"] == 0


def test_one_absurd_stress_is_missing_alone(tmp_path):
    frames = [labelled(atoms) for atoms in CELLS]
    frames[2].calc.results["stress"] = np.array([80.0, 80, 80, 0, 0, 0])
    (tmp_path / "set.xyz").write_text("".join(map(xyz_frame, frames)))
    cells, problems = load(tmp_path / "set.xyz")
    assert problems["problem"].str.contains("over 50 eV/Å|absurd|times -dE/dV").all()
    assert not cells[2].info["stress_valid"]


def test_a_group_that_cannot_be_checked_says_so(tmp_path):
    (tmp_path / "set.xyz").write_text("".join(map(xyz_frame, CELLS[:2])))
    cells, problems = load(tmp_path / "set.xyz")
    assert problems.empty
    assert "no equation of state" in summarise_groups(cells)["stress"][0]


def test_relaxed_phases_are_no_equation_of_state(tmp_path):
    """Their energies follow the volume, yet each is free of stress: nothing contradicts that."""
    rng, frames = np.random.default_rng(5), []
    for atoms in make_cells(9):
        atoms.calc.results["stress"] = rng.normal(0, 1e-4, 6)
        frames.append(xyz_frame(atoms, group="phases"))
    (tmp_path / "set.xyz").write_text("".join(frames))
    cells, problems = load(tmp_path / "set.xyz")
    assert problems.empty
    assert all(cell.info["stress_valid"] for cell in cells)
