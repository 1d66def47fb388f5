"""Published forces beside the energies: units and signs that would be silent wrong numbers."""

import numpy as np
import pytest
from ase.build import bulk
from ase.units import Bohr, Hartree, kcal, mol

from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.summary import summarise_groups
from diverse.datasets.literature.work_of_forces import check_forces
from literature_sources import labelled, xyz_frame

GROUPS = ("snapshots", "lattice")


def snapshots(n=12):
    """Return cells of a trajectory: every one is the last with its atoms moved a little."""
    atoms, cells = bulk("W", cubic=True, a=2.75).repeat((2, 1, 1)), []
    for seed in range(n):
        atoms.rattle(0.02, seed=seed)
        cells.append(labelled(atoms))
    return cells


def lattice(n=12):
    """Return displaced crystals, in which an atom may lie beyond the border of the cell."""
    perfect, cells = bulk("W", cubic=True, a=2.8).repeat((1, 2, 1)), []
    for seed in range(n):
        atoms = perfect.copy()
        atoms.rattle(0.03, seed=seed)
        atoms.wrap()
        cells.append(labelled(atoms))
    return cells


def load(path, **options):
    records = read_records(path)
    names = {"dataset": "d", "element": "W", "protocol": "p"}
    return import_records(records, **names, block=20, reach=4.8, **options)


def written(tmp_path, factor, groups=GROUPS):
    frames = []
    for group in groups:
        for atoms in {"snapshots": snapshots, "lattice": lattice}[group]():
            atoms.calc.results["forces"] = factor * atoms.calc.results["forces"]
            frames.append(xyz_frame(atoms, group=group))
    path = tmp_path / "set.xyz"
    path.write_text("".join(frames))
    return path


def test_right_forces_agree_with_the_energies(tmp_path):
    cells, problems = load(written(tmp_path, 1.0))
    assert problems.empty
    assert {verdict.group: verdict.agrees for verdict in check_forces(cells)} == dict.fromkeys(
        GROUPS, True
    )
    table = summarise_groups(cells).set_index("group")
    for group in GROUPS:
        slope = table.loc[group, "forces"].split(" times the difference")[0].split()[-1]
        assert float(slope) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("factor", [-1.0, Bohr / Hartree, Hartree / Bohr, Bohr, mol / kcal])
def test_forces_of_wrong_sign_or_unit_are_refused(factor, tmp_path):
    """Gradients taken for forces, Ha/bohr, Ha/Å and kcal/mol/Å for eV/Å."""
    with pytest.raises(
        ValueError, match=r"none of the 24 records .* the work against the forces is"
    ):
        load(written(tmp_path, factor))


def test_positions_in_another_unit_than_that_of_forces_are_refused(tmp_path):
    path, frames = tmp_path / "set.xyz", []
    for atoms in snapshots():
        results = atoms.calc.results
        atoms.set_cell(atoms.cell / Bohr, scale_atoms=True)
        atoms.calc.results = results
        frames.append(xyz_frame(atoms, group="snapshots"))
    path.write_text("".join(frames))
    with pytest.raises(ValueError, match="wrong unit or sign of energies, forces or positions"):
        load(path)


def test_zeros_in_place_of_forces_are_refused(tmp_path):
    with pytest.raises(ValueError, match="the forces are zero on 45 short ways"):
        load(written(tmp_path, 0.0))


def scattered(seed):
    """Return a cell too far from every other for a short way between them."""
    atoms = bulk("W", a=3.1 + 0.05 * seed, cubic=True).repeat((2, 2, 1))
    atoms.rattle(0.3, seed=seed)
    return labelled(atoms)


def test_zeros_in_place_of_forces_of_cells_far_apart_leave_the_group_out(tmp_path):
    padded, frames = [scattered(seed) for seed in range(8)], []
    for atoms in padded:
        atoms.calc.results["forces"] *= 0.0
        frames.append(xyz_frame(atoms, group="padded", tensor=""))
    frames += [xyz_frame(scattered(seed), group="sound", tensor="") for seed in range(8, 12)]
    (tmp_path / "set.xyz").write_text("".join(frames))
    cells, problems = load(tmp_path / "set.xyz")
    assert [cell.info["config_type"] for cell in cells] == ["sound"] * 4
    said = "the forces of all 8 cells are exactly zero: zeros stand in place of forces"
    assert list(problems["problem"]) == [said] * 8


def test_perfect_crystals_have_no_forces(tmp_path):
    frames = []
    for scale in np.linspace(0.95, 1.05, 8):
        for atoms in (bulk("W", cubic=True), bulk("W", "hcp", a=2.8, c=4.5)):
            atoms.set_cell(scale * atoms.cell, scale_atoms=True)
            atoms = labelled(atoms)
            atoms.calc.results["forces"] *= 0.0
            frames.append(xyz_frame(atoms, group="crystals", tensor=""))
    (tmp_path / "set.xyz").write_text("".join(frames))
    cells, problems = load(tmp_path / "set.xyz")
    assert len(cells) == 16 and problems.empty


def test_energies_per_atom_are_refused(tmp_path):
    frames = []
    for atoms in snapshots():
        atoms.calc.results["energy"] /= len(atoms)
        frames.append(xyz_frame(atoms, group="snapshots"))
    (tmp_path / "set.xyz").write_text("".join(frames))
    with pytest.raises(ValueError, match="or energies per atom"):
        load(tmp_path / "set.xyz")


def test_a_wrong_group_is_left_out_and_others_stay(tmp_path):
    wrong = written(tmp_path, -1.0, ["snapshots"]).read_text()
    right = written(tmp_path, 1.0, ["lattice"]).read_text()
    lone = "".join(xyz_frame(labelled(bulk("W", a=2.7 + 0.01 * i)), group="eos") for i in range(3))
    (tmp_path / "set.xyz").write_text(wrong + right + lone)
    cells, problems = load(tmp_path / "set.xyz")
    assert {cell.info["config_type"] for cell in cells} == {"lattice", "eos"}
    out = problems[problems["action"] == "left out"]
    assert len(out) == 12 and set(out["group"]) == {"snapshots"}
    (doubt,) = problems.loc[problems["action"] == "kept", "problem"]
    assert "the forces of other groups contradict their energies" in doubt


def test_where_no_group_agrees_none_is_believed(tmp_path):
    wrong = written(tmp_path, -1.0, ["snapshots"]).read_text()
    lone = "".join(xyz_frame(labelled(bulk("W", a=2.7 + 0.01 * i)), group="eos") for i in range(3))
    (tmp_path / "set.xyz").write_text(wrong + lone)
    with pytest.raises(ValueError, match="none of the 15 records"):
        load(tmp_path / "set.xyz")


def test_labels_that_are_not_used_are_not_judged(tmp_path):
    cells, problems = load(written(tmp_path, -1.0), labels=False)
    assert len(cells) == 24 and problems.empty


def test_energies_that_do_not_follow_the_forces_prove_nothing(tmp_path):
    rng, frames = np.random.default_rng(3), []
    for atoms in snapshots():
        atoms.calc.results["energy"] += rng.normal(0, 50)
        atoms.calc.results.pop("free_energy", None)
        frames.append(xyz_frame(atoms, group="snapshots"))
    (tmp_path / "set.xyz").write_text("".join(frames))
    cells, problems = load(tmp_path / "set.xyz")
    assert len(cells) == 12 and problems.empty
    assert "too loosely" in summarise_groups(cells)["forces"][0]


def test_atomic_units_throughout_are_noticed_by_the_reference_lattice(tmp_path):
    """Nothing in such a set contradicts itself: the work against the forces is right in hartree."""
    frames = []
    for atoms in snapshots():
        results = atoms.calc.results
        atoms.set_cell(atoms.cell / Bohr, scale_atoms=True)
        results["energy"] /= Hartree
        results["forces"] = results["forces"] * Bohr / Hartree
        frames.append(xyz_frame(atoms))
    (tmp_path / "bohr.xyz").write_text("".join(frames))
    cells, problems = load(tmp_path / "bohr.xyz", nearest=2.74)
    assert len(cells) == len(frames)
    assert problems["problem"].str.contains("in bohr").sum() == 1
    _, sound = load(written(tmp_path, 1.0), nearest=2.74)
    assert sound.empty
