"""Models: FitSNAP's fit, the network's gradients and training, exports that equal the model."""

import numpy as np
import pytest
from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.kernel import BispectrumSettings
from diverse.labels.labellers import Label
from diverse.labels.ledger import attach
from diverse.models import load_model, predict
from diverse.models.export import check_export
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.network.data import training_cells
from diverse.models.network.loop import train_networks
from diverse.models.network.model import NetworkModel
from diverse.models.network.settings import TrainingSettings
from diverse.models.polynomial.model import PolynomialModel
from diverse.models.trained import load_trained, save_trained
from diverse.zbl import ZBL
from model_cases import make_model

CUTOFF, TWOJMAX = 4.734, 4
CELLS_COMPARED = 20
SETTINGS = TrainingSettings(
    widths=[12, 6],
    energy_weight=10,
    force_weight=1,
    epochs=300,
    batch=None,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.15,
)


@pytest.fixture(scope="module")
def zbl() -> ZBL:
    return ZBL("W", 4.0, 4.8)


@pytest.fixture(scope="module")
def linear_folder(labelled, zbl, tmp_path_factory):
    folder = tmp_path_factory.mktemp("linear")
    save_trained(fit(labelled, folder, zbl), folder / "trained.npz")
    return folder


@pytest.fixture(scope="module")
def network(labelled, zbl):
    cells = training_cells(labelled, BispectrumSettings(TWOJMAX, CUTOFF), zbl)
    return train_networks(cells, [np.arange(len(labelled))], SETTINGS, [1], curves=True)[0]


def fit(cells, folder, zbl, *, quadratic=False, ridge=1e-8):
    return fit_with_fitsnap(
        cells,
        folder / "potential",
        twojmax=TWOJMAX,
        quadratic=quadratic,
        cutoff=CUTOFF,
        zbl=zbl,
        weights=lambda cell: (10, 1),
        ridge=ridge,
    )


@pytest.mark.parametrize(("quadratic", "columns"), [(False, "15"), (True, "120")])
def test_fewer_rows_than_coefficients_are_refused(labelled, zbl, tmp_path, quadratic, columns):
    few = [cell for cell in labelled if len(cell) == 4][:1]
    with pytest.raises(ValueError, match=rf"^13 rows .* do not determine {columns} coefficients"):
        fit(few, tmp_path, zbl, quadratic=quadratic, ridge=0.0)


def test_linear_fit_recovers_a_linear_potential(labelled, linear_folder, zbl, tmp_path):
    """Labels made by a linear model are reproduced by the fit to those labels."""
    truth = predict(load_model(linear_folder), labelled, cutoff=CUTOFF, zbl=zbl)
    forces_of_cell = np.split(truth.forces, np.cumsum([len(atoms) for atoms in labelled])[:-1])
    relabelled = []
    for atoms, energy, forces in zip(labelled, truth.energies, forces_of_cell, strict=True):
        copy = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
        copy.info.update(atoms.info)
        attach(copy, Label(energy, energy, forces, np.zeros(6)))
        relabelled.append(copy)
    fit(relabelled, tmp_path, zbl)
    again = predict(load_model(tmp_path), labelled, cutoff=CUTOFF, zbl=zbl)
    np.testing.assert_allclose(again.energies, truth.energies, atol=1e-5)
    np.testing.assert_allclose(again.forces, truth.forces, atol=1e-5)


def test_network_gradient_equals_finite_difference(network, labelled):
    model, _ = network
    descriptors = environment_descriptors(labelled, BispectrumSettings(TWOJMAX, CUTOFF))
    _, slope = model.site_energies(descriptors)
    step = 1e-4 * model.scale[3]
    along = step * np.eye(descriptors.shape[1])[3]
    shifted, lower = descriptors + along, descriptors - along
    difference = (model.site_energies(shifted)[0] - model.site_energies(lower)[0]) / (2 * step)
    np.testing.assert_allclose(slope[:, 3], difference, rtol=1e-6, atol=1e-8)


def test_network_learns(network, labelled, zbl):
    model, history = network
    predictions = predict(model, labelled, cutoff=CUTOFF, zbl=zbl)
    sizes = np.array([len(atoms) for atoms in labelled])
    energies = np.array([atoms.get_potential_energy() for atoms in labelled]) / sizes
    forces = np.concatenate([atoms.get_forces() for atoms in labelled])
    assert np.var(predictions.energies / sizes - energies) < 0.05 * np.var(energies)
    assert np.var(predictions.forces - forces) < 0.05 * np.var(forces)
    assert history[-1]["training_loss"] < 0.05 * history[0]["training_loss"]


def test_network_files_keep_every_bit(network, tmp_path):
    model, _ = network
    model.write(tmp_path, "W", CUTOFF)
    read = NetworkModel.read(tmp_path)
    assert read.n_parameters == model.n_parameters == (14 * 12 + 12) + (12 * 6 + 6) + (6 + 1)
    for a, b in zip(read.weights + read.biases, model.weights + model.biases, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("family", "end", "old", "new", "name"),
    [
        ("linear", "snapparam", "rfac0 0.99363", "rfac0 0.9", "rfac0 to 0.9"),
        ("linear", "snapparam", "rmin0 0.0", "rmin0 0.3", "rmin0 to 0.3"),
        ("linear", "snapparam", "bzeroflag 1", "bzeroflag 1\nswitchflag 0", "switchflag to 0"),
        ("quadratic", "snapcoeff", "W 0.5 1.0", "W 0.6 1.0", "radelem to 0.6"),
        ("quadratic", "snapcoeff", "W 0.5 1.0", "W 0.5 2.0", "weight to 2.0"),
        ("network", "descriptor", "rfac0 0.99363", "rfac0 0.9", "rfac0 to 0.9"),
        ("network", "descriptor", "welems 1.0", "welems 0.5", "welems to 0.5"),
        ("network", "descriptor", "bzeroflag 1", "bzeroflag 0", "bzeroflag to 0"),
        ("network", "nn", " tanh ", " relu ", "relu, linear"),
        ("network", "nn", " linear ", " tanh ", "tanh, tanh"),
    ],
)
def test_settings_that_would_give_other_energies_are_refused(family, end, old, new, name, tmp_path):
    model = make_model(family)
    model.write(tmp_path, "W", CUTOFF)
    path = tmp_path / f"potential.{end}"
    type(model).read(tmp_path)
    first, rest = path.read_text().split("\n", 1)
    assert old in rest
    path.write_text(f"{first}\n{rest.replace(old, new)}")
    with pytest.raises(ValueError, match=rf"potential\.{end} .* {name}, .* reader takes .* only: "):
        type(model).read(tmp_path)


def test_settings_that_are_missing_are_those_of_lammps(tmp_path):
    model = make_model("linear")
    model.write(tmp_path, "W", CUTOFF)
    path = tmp_path / "potential.snapparam"
    path.write_text(f"rcutfac {CUTOFF}\ntwojmax {model.twojmax}\n")
    assert PolynomialModel.read(tmp_path).constant == model.constant


def test_exports_equal_the_models(labelled, zbl, linear_folder, network, tmp_path):
    network[0].write(tmp_path, "W", CUTOFF)
    save_trained(network[0], tmp_path / "trained.npz")
    for folder in (linear_folder, tmp_path):
        trained = load_trained(folder / "trained.npz")
        differences, _ = check_export(trained, folder, labelled, cutoff=CUTOFF, zbl=zbl)
        assert len(differences) >= CELLS_COMPARED
        assert differences["energy_difference"].max() <= 1e-8
        assert differences["force_difference"].max() <= 1e-6


def test_no_data(zbl, tmp_path):
    with pytest.raises(ValueError, match="no labelled cells to fit to"):
        fit([], tmp_path, zbl)
