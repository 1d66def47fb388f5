"""Clusters, wires and slabs of published sets: the same physics in their boxes."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, surface

from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.record import Record
from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.vacuum import MARGIN, boxed
from diverse.descriptors.environments import environment_descriptors
from diverse.kernel import BispectrumSettings
from diverse.models import predict
from diverse.neighbours import find_pairs
from literature_sources import labelled, xyz_frame
from model_cases import CUTOFF, FAMILIES, TWOJMAX, ZBL_W, make_model

REACH = max(CUTOFF, ZBL_W.outer)


def cluster():
    atoms = bulk("W", cubic=True, a=3.165).repeat(2)
    atoms.rattle(0.2, seed=2)
    return Atoms(atoms.symbols, positions=atoms.positions, cell=1.02 * atoms.cell.array)


def tilted_slab():
    """A slab whose open vector is neither perpendicular nor the third, atoms far from zero."""
    atoms = surface(bulk("W", cubic=True, a=3.165), (1, 1, 2), 4)
    atoms.rattle(0.1, seed=3)
    cell = atoms.cell.array[[0, 2, 1]].copy()
    cell[1] = [3.0, 2.0, 4.0]
    positions = atoms.positions + np.array([5.0, -40.0, 70.0])
    return Atoms(atoms.symbols, positions=positions, cell=cell, pbc=[True, False, True])


def wire():
    atoms = bulk("W", cubic=True, a=3.165).repeat((2, 2, 1))
    atoms.rattle(0.1, seed=4)
    return Atoms(
        atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=[False, False, True]
    )


def widely(atoms):
    """Return the same atoms with 200 Å more along what does not repeat."""
    box = boxed(atoms, 100.0)
    assert box.pbc.all()
    return box


SHAPES = {"cluster": cluster(), "slab": tilted_slab(), "wire": wire()}


@pytest.mark.parametrize("name", SHAPES)
def test_descriptors_are_those_of_the_isolated_atoms(name):
    settings = BispectrumSettings(TWOJMAX, CUTOFF)
    found = environment_descriptors([boxed(SHAPES[name], REACH)], settings)
    truth = environment_descriptors([widely(SHAPES[name])], settings)
    np.testing.assert_allclose(found, truth, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", SHAPES)
def test_energies_and_forces_of_models_are_those_of_the_isolated_atoms(name, family):
    model = make_model(family)
    cells = [boxed(SHAPES[name], REACH), widely(SHAPES[name])]
    found, truth = (predict(model, [c], cutoff=CUTOFF, zbl=ZBL_W) for c in cells)
    np.testing.assert_allclose(found.energies, truth.energies, rtol=1e-10)
    scale = np.abs(truth.forces).max()
    np.testing.assert_allclose(found.forces, truth.forces, atol=1e-9 * scale)


def test_pairs_are_those_within_the_cluster():
    atoms = cluster()
    distances = atoms.get_all_distances()
    within = np.sort(distances[(distances > 0) & (distances < REACH)])
    found = np.sort(find_pairs([boxed(atoms, REACH)], REACH).distance)
    np.testing.assert_allclose(found, within, atol=1e-9)


@pytest.mark.parametrize("name", SHAPES)
def test_boxes_keep_what_repeats_and_leave_a_margin(name):
    atoms, box = SHAPES[name], boxed(SHAPES[name], REACH)
    np.testing.assert_allclose(box.cell.array[atoms.pbc], atoms.cell.array[atoms.pbc])
    assert np.linalg.det(box.cell.array) > 0
    moved = box.positions - atoms.positions
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-9)
    places = box.get_scaled_positions(wrap=False)[:, ~atoms.pbc]
    lengths = np.linalg.norm(box.cell.array[~atoms.pbc], axis=1)
    assert (places * lengths).min() >= REACH + MARGIN - 1e-9
    assert ((1 - places) * lengths).min() >= REACH + MARGIN - 1e-9


def test_vectors_that_repeat_must_be_independent():
    flat = Atoms("W2", positions=[[0, 0, 0], [0, 0, 2]], pbc=[True, True, False])
    flat.cell = [[3, 0, 0], [6, 0, 0], [0, 0, 9]]
    with pytest.raises(ValueError, match="not independent"):
        boxed(flat, REACH)


@pytest.mark.parametrize(
    ("extra", "lattice"), [('pbc="F F F"', True), ("", False), ('pbc="T T F"', True)]
)
def test_frames_that_do_not_repeat_are_kept_in_a_box_and_reported(extra, lattice, tmp_path):
    sound, other = labelled(bulk("W", a=2.8)), labelled(bulk("W", cubic=True, a=2.8))
    text = xyz_frame(sound) + xyz_frame(other, extra=extra, lattice=lattice)
    (tmp_path / "set.xyz").write_text(text)
    cells, problems = import_records(
        read_records(tmp_path / "set.xyz"),
        dataset="d",
        element="W",
        protocol="p",
        block=20,
        reach=REACH,
    )
    assert [cell.info["stress_valid"] for cell in cells] == [True, False]
    assert cells[1].pbc.all()
    assert cells[1].get_volume() > 4 * other.get_volume()
    assert cells[1].get_potential_energy() == pytest.approx(other.calc.results["energy"])
    (row,) = problems.to_dict("records")
    assert (row["record"], row["action"]) == ("set.xyz:1", "kept")
    assert "in a box with vacuum" in row["problem"]


def test_a_direction_cannot_repeat_without_a_vector():
    from diverse.datasets.literature.frame import FrameError, make_atoms

    with pytest.raises(FrameError, match="missing or zero"):
        make_atoms(["W"], np.zeros((1, 3)), None, [True, True, True], {})
    assert Record("a", "b", None, "c").notes == ()
