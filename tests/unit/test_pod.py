"""POD: descriptors of LAMMPS against finite differences, fits, files, and dynamics in LAMMPS."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from diverse import lammps_library
from diverse.labels.labellers import Label
from diverse.labels.ledger import attach
from diverse.models import load_model, predict
from diverse.models.calculator import PotentialCalculator
from diverse.models.export import lammps_commands, write_commands
from diverse.models.pod.form import PodForm
from diverse.models.pod.source import PodSource
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.settings import FitSettings
from model_cases import CUTOFF, POD, ZBL_W, make_model

SOURCE = POD.source(CUTOFF, "W")
FORMS = {
    1 + 10: PodForm((10,), ()),
    14: PodForm((4, 3), (2,)),
    80: PodForm((9, 7, 5), (4, 3)),
    185: PodForm((10, 8, 6, 4), (6, 4, 3)),
}


@pytest.fixture(scope="module")
def tilted():
    """A triclinic cell far smaller than the cutoff, in an orientation that LAMMPS has not."""
    rng = np.random.default_rng(5)
    atoms = bulk("W", a=3.2).repeat((2, 1, 1))
    atoms.positions += rng.normal(0, 0.1, (2, 3))
    atoms.set_cell(atoms.cell @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
    return atoms


def derivative(quantity, change, step=1e-4):
    """Return the derivative of a quantity of a cell by what `change` changes, at zero."""
    return (quantity(change(step)) - quantity(change(-step))) / (2 * step)


def sums(atoms):
    return SOURCE.describe([atoms])[0][0]


@pytest.mark.parametrize("count", FORMS)
def test_number_of_coefficients_is_that_of_lammps(count, tilted):
    form = FORMS[count]
    assert 1 + form.n_components == count
    parameters = form.parameters(CUTOFF, "W")
    PodSource(parameters, CUTOFF, "W", form.n_components).describe([tilted])
    with pytest.raises(RuntimeError, match=f"LAMMPS has {count} columns"):
        PodSource(parameters, CUTOFF, "W", form.n_components - 1).describe([tilted])


def test_derivatives_are_those_of_the_descriptors(tilted):
    def moved(step, atom, axis):
        copy = tilted.copy()
        copy.positions[atom, axis] += step
        return copy

    _, derivatives = SOURCE.sums([tilted])
    scale = np.abs(derivatives).max()
    for atom in range(2):
        for axis in range(3):
            slope = derivative(sums, partial(moved, atom=atom, axis=axis))
            np.testing.assert_allclose(derivatives[atom, axis], -slope, atol=1e-6 * scale)


def test_descriptors_are_invariant(tilted):
    turned, other = tilted.copy(), tilted[[1, 0]]
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    wrapped = tilted.copy()
    wrapped.positions[0] += 2 * tilted.cell[0] - tilted.cell[2]
    wrapped.positions += 0.3
    for atoms in (turned, other, wrapped, tilted.repeat((1, 2, 1))):
        expected = len(atoms) / len(tilted) * sums(tilted)
        np.testing.assert_allclose(sums(atoms), expected, atol=1e-9 * np.abs(expected).max())


def test_an_atom_without_neighbours_has_no_descriptors():
    lonely = Atoms("W", cell=[20] * 3, pbc=True)
    np.testing.assert_array_equal(SOURCE.describe([lonely])[0], np.zeros((4, POD.n_components)))
    model = make_model("pod")
    found = predict(model, [lonely], cutoff=CUTOFF, zbl=ZBL_W)
    assert found.energies == pytest.approx(model.coefficients[0])
    np.testing.assert_allclose(np.concatenate([found.forces, found.stresses], axis=None), 0)


def test_a_dimer_may_come_first():
    """Alone, it makes LAMMPS of 22 July 2025 write beyond its memory."""
    dimer = Atoms("W2", [[0, 0, 0], [2.5, 0, 0]], cell=[20] * 3, pbc=True)
    found = predict(make_model("pod"), [dimer] * 3, cutoff=CUTOFF, zbl=ZBL_W)
    assert np.isfinite(found.stresses).all()


def test_cells_are_described_once(tilted, monkeypatch):
    started, begin = [], lammps_library.start
    monkeypatch.setattr(lammps_library, "start", lambda: started.append(1) or begin())
    source = PodSource(POD.parameters(CUTOFF, "W"), CUTOFF, "W", POD.n_components)
    first = source.describe([tilted, tilted.repeat((2, 1, 1))])
    again = source.describe([tilted.repeat((2, 1, 1)), tilted])
    assert len(started) == 1
    for one, two in zip(first, again[::-1], strict=True):
        np.testing.assert_array_equal(one, two)
    monkeypatch.setattr(source, "_room", 1)
    large = tilted.repeat((1, 1, 2))
    np.testing.assert_array_equal(source.describe([large]), source.describe([large]))
    assert len(started) == 3  # there is no room for it


def test_stress_is_the_derivative_by_strain(tilted):
    model = make_model("pod")

    def energy(atoms):
        return predict(model, [atoms], cutoff=CUTOFF, zbl=ZBL_W, stresses=False).energies[0]

    def strained(step, k, m):
        strain = np.zeros((3, 3))
        strain[k, m] = strain[m, k] = step if k == m else step / 2
        copy = tilted.copy()
        copy.set_cell(tilted.cell @ (np.eye(3) + strain), scale_atoms=True)
        return copy

    found = predict(model, [tilted], cutoff=CUTOFF, zbl=ZBL_W).stresses[0]
    voigt = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
    for (k, m), stress in zip(voigt, found, strict=True):
        slope = derivative(energy, partial(strained, k=k, m=m)) / tilted.get_volume()
        assert stress == pytest.approx(slope, abs=1e-6 * np.abs(found).max())


def settings(**changes):
    entry = {"family": "pod", "radial_functions": [4, 3, 2, 2], "angular_degrees": [3, 2, 1]}
    entry |= {"energy_weight": 10.0, "force_weight": 1.0, "ridge": "auto", "energy_scale": None}
    return FitSettings.of({**entry, "folds": 4, **changes})


def fit(cells, **changes):
    return fit_streaming(lambda: iter(cells), settings(**changes), cutoff=CUTOFF, zbl=ZBL_W)


def test_fit_recovers_the_potential_that_made_the_labels(labelled):
    assert (
        form_of({"family": "pod", "radial_functions": [4, 3], "angular_degrees": [2]})
        == (FORMS[14])
    )
    truth = make_model("pod")
    found = predict(truth, labelled, cutoff=CUTOFF, zbl=ZBL_W)
    ends = np.cumsum([len(cell) for cell in labelled])[:-1]
    cells = [cell.copy() for cell in labelled]
    for cell, energy, force in zip(
        cells, found.energies, np.split(found.forces, ends), strict=True
    ):
        attach(cell, Label(energy, energy, force, np.zeros(6)))
    model, uncertainty, details = fit(cells, ridge=0.0)
    np.testing.assert_allclose(model.coefficients, truth.coefficients, atol=1e-6)
    assert details.summary["noise"] < 1e-6
    assert uncertainty.of_structures(cells, SOURCE).max() < 1e-5


def test_left_out_data_choose_the_ridge_and_errors_are_predicted(labelled):
    model, uncertainty, details = fit(labelled)
    assert details.path["chosen"].sum() == 1
    best = details.path["criterion"].idxmin()
    assert details.path["ridge"][best] == details.ridge
    deviations = uncertainty.of_structures(labelled, SOURCE)
    sizes = np.array([len(cell) for cell in labelled])
    energies = np.array([cell.get_potential_energy() for cell in labelled])
    off = predict(model, labelled, cutoff=CUTOFF, zbl=ZBL_W, stresses=False).energies - energies
    assert np.abs(off / sizes).max() < 0.5
    assert 0 < deviations.min() < deviations.max() < 0.5


def test_files_and_parameters_must_agree(tmp_path):
    model = make_model("pod")
    model.write(tmp_path, "W", CUTOFF)
    read = load_model(tmp_path)
    assert read.form == model.form and read.family == "pod"
    np.testing.assert_array_equal(read.coefficients, model.coefficients)
    for form in FORMS.values():
        assert PodForm.read(form.parameters(CUTOFF, "W")) == form
    coefficients = tmp_path / "potential.podcoeff"
    coefficients.write_text("\n".join(coefficients.read_text().splitlines()[:-1]))
    with pytest.raises(ValueError, match=r"coefficients in potential.podcoeff, which says \d+"):
        load_model(tmp_path)


def test_npt_dynamics_in_lammps(labelled, tmp_path):
    """The lines of ``potential.lammps`` run from the potential's folder, as its card says."""
    model, *_ = fit(labelled)
    model.write(tmp_path, "W", CUTOFF)
    write_commands(model, tmp_path, ZBL_W)
    instance = lammps_library.start()
    lines = (tmp_path / "potential.lammps").read_text().splitlines()
    lines = [line.replace("potential.", f"{tmp_path}/potential.") for line in lines]
    setup = ["units metal", "lattice bcc 3.165", "region box block 0 3 0 3 0 3", "create_box 1 box"]
    setup += ["create_atoms 1 box", "mass 1 183.84", *lines]
    run = ["velocity all create 600 1 mom yes", "timestep 0.002"]
    run += ["fix 1 all npt temp 300 300 0.2 iso 0 0 1.0", "run 100"]
    instance.commands_list([*setup, *run])
    volume = instance.get_thermo("vol") / 54
    temperature, step = instance.get_thermo("temp"), instance.get_thermo("step")
    instance.close()
    assert step == 100
    assert 13 < volume < 19 and 100 < temperature < 900


def test_calculator_equals_lammps(tilted, tmp_path):
    model = make_model("pod")
    model.write(tmp_path, "W", CUTOFF)
    write_commands(model, tmp_path, ZBL_W)
    atoms = tilted.copy()
    atoms.calc = PotentialCalculator(tmp_path)
    commands = lammps_commands(model, str(Path(tmp_path)), ZBL_W)
    (truth,) = lammps_library.evaluate([tilted], *commands)
    assert atoms.get_potential_energy() == pytest.approx(truth.energy, abs=1e-9)
    np.testing.assert_allclose(atoms.get_forces(), truth.forces, atol=1e-9)
    np.testing.assert_allclose(atoms.get_stress(), truth.stress, atol=1e-12)
