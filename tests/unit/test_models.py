"""Models: FitSNAP's fit, the network's gradients and training, exports that equal the model."""

import numpy as np
import pytest
from ase import Atoms

from diverse.descriptors import DescriptorTable, describe
from diverse.kernel import BispectrumSettings
from diverse.labellers import Label
from diverse.ledger import attach
from diverse.models import load_model, predict
from diverse.models.export import ExportError, check_export
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.network import NetworkModel
from diverse.models.training import TrainingSettings, train_network, training_cells
from diverse.zbl import ZBL

CUTOFF, TWOJMAX = 4.734, 4
CELLS_COMPARED = 20
SETTINGS = TrainingSettings(
    widths=[12, 6],
    energy_weight=10,
    force_weight=1,
    epochs=300,
    patience=300,
    batch=None,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.15,
)


@pytest.fixture(scope="module")
def zbl() -> ZBL:
    return ZBL("W", 4.0, 4.8)


@pytest.fixture(scope="module")
def table(labelled, zbl) -> DescriptorTable:
    return describe(labelled, BispectrumSettings(TWOJMAX, CUTOFF), zbl)


@pytest.fixture(scope="module")
def linear_folder(labelled, zbl, tmp_path_factory):
    folder = tmp_path_factory.mktemp("linear")
    fit(labelled, folder, zbl)
    return folder


@pytest.fixture(scope="module")
def network(labelled, zbl):
    cells = training_cells(labelled, BispectrumSettings(TWOJMAX, CUTOFF), zbl)
    return train_network(cells, SETTINGS, seed=1)


def fit(cells, folder, zbl):
    fit_with_fitsnap(
        cells,
        folder / "potential",
        twojmax=TWOJMAX,
        quadratic=False,
        cutoff=CUTOFF,
        zbl=zbl,
        weights=lambda cell: (10, 1),
        ridge=1e-8,
    )


def test_table_gradient_equals_finite_difference(labelled, zbl, table):
    settings, atoms = BispectrumSettings(TWOJMAX, CUTOFF), labelled[0]
    moved = []
    for sign in (1, -1):
        copy = atoms.copy()
        copy.positions[1, 2] += sign * 1e-5
        copy.info["key"] = ""
        attach(copy, Label(0.0, 0.0, np.zeros((len(atoms), 3)), np.zeros(6)))
        moved.append(describe([copy], settings, zbl).descriptors)
    difference = (moved[0] - moved[1]) / 2e-5
    for center in range(len(atoms)):
        (entry,) = np.flatnonzero((table.center == center) & (table.atom == 1))
        np.testing.assert_allclose(
            table.gradient[entry, :, 2], difference[center], rtol=1e-5, atol=1e-5
        )


def test_fitsnap_solves_our_least_squares_problem(linear_folder, table):
    """FitSNAP's rows come from LAMMPS, ours from PyTorch: the coefficients must agree."""
    n_cells, n_atoms = len(table.energies), len(table.cell_of_atom)
    sums = np.zeros((n_cells, table.descriptors.shape[1]))
    np.add.at(sums, table.cell_of_atom, table.descriptors)
    energy_rows = np.column_stack([np.ones(n_cells), sums / table.n_atoms[:, None]])
    force_rows = np.zeros((n_atoms, 3, table.descriptors.shape[1]))
    np.add.at(force_rows, table.atom, -table.gradient.transpose(0, 2, 1))
    force_rows = np.insert(force_rows.reshape(3 * n_atoms, -1), 0, 0, axis=1)
    rows = np.concatenate([10 * energy_rows, force_rows])
    truth = np.concatenate(
        [
            10 * (table.energies - table.zbl_energies) / table.n_atoms,
            (table.forces - table.zbl_forces).ravel(),
        ]
    )
    exact = np.linalg.lstsq(rows, truth, rcond=None)[0]
    model = load_model(linear_folder)
    fitted = np.array([model.constant, *model.linear])
    # the ridge of 1e-8 is far below the smallest squared singular value, but not zero
    np.testing.assert_allclose(rows @ fitted, rows @ exact, atol=1e-4)


def test_linear_fit_recovers_a_linear_potential(labelled, linear_folder, table, zbl, tmp_path):
    """Labels made by a linear model are reproduced by the fit to those labels."""
    truth = predict(load_model(linear_folder), labelled, cutoff=CUTOFF, zbl=zbl)
    relabelled = []
    for index, atoms in enumerate(labelled):
        copy = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=True)
        copy.info.update(atoms.info)
        energy, forces = truth.energies[index], truth.forces[table.cell_of_atom == index]
        attach(copy, Label(energy, energy, forces, np.zeros(6)))
        relabelled.append(copy)
    fit(relabelled, tmp_path, zbl)
    again = predict(load_model(tmp_path), labelled, cutoff=CUTOFF, zbl=zbl)
    np.testing.assert_allclose(again.energies, truth.energies, atol=1e-5)
    np.testing.assert_allclose(again.forces, truth.forces, atol=1e-5)


def test_network_gradient_equals_finite_difference(network, table):
    model, _ = network
    _, slope = model.site_energies(table.descriptors)
    step = 1e-4 * model.scale[3]
    shifted = table.descriptors + step * np.eye(table.descriptors.shape[1])[3]
    lower = table.descriptors - step * np.eye(table.descriptors.shape[1])[3]
    difference = (model.site_energies(shifted)[0] - model.site_energies(lower)[0]) / (2 * step)
    np.testing.assert_allclose(slope[:, 3], difference, rtol=1e-6, atol=1e-8)


def test_network_learns(network, labelled, table, zbl):
    model, history = network
    predictions = predict(model, labelled, cutoff=CUTOFF, zbl=zbl)
    unexplained = np.var((predictions.energies - table.energies) / table.n_atoms)
    assert unexplained < 0.05 * np.var(table.energies / table.n_atoms)
    assert np.var(predictions.forces - table.forces) < 0.05 * np.var(table.forces)
    assert history[-1]["training_loss"] < 0.05 * history[0]["training_loss"]


def test_network_files_keep_every_bit(network, tmp_path):
    model, _ = network
    model.write(tmp_path, "W", CUTOFF)
    read = NetworkModel.read(tmp_path)
    assert read.n_parameters == model.n_parameters == (14 * 12 + 12) + (12 * 6 + 6) + (6 + 1)
    for a, b in zip(read.weights + read.biases, model.weights + model.biases, strict=True):
        np.testing.assert_array_equal(a, b)


def test_exports_equal_the_models(labelled, zbl, linear_folder, network, tmp_path):
    network[0].write(tmp_path, "W", CUTOFF)
    for folder in (linear_folder, tmp_path):
        differences = check_export(load_model(folder), folder, labelled, cutoff=CUTOFF, zbl=zbl)
        assert len(differences) >= CELLS_COMPARED
        assert differences["energy_difference"].max() <= 1e-8
        assert differences["force_difference"].max() <= 1e-6


def test_a_wrong_export_is_refused(labelled, zbl, network, tmp_path):
    model, _ = network
    model.write(tmp_path, "W", CUTOFF)
    path = tmp_path / "potential.descriptor"
    path.write_text(path.read_text().replace(f"rcutfac {CUTOFF}", "rcutfac 4.7"))
    with pytest.raises(ExportError, match="differs from its model"):
        check_export(model, tmp_path, labelled[:3], cutoff=CUTOFF, zbl=zbl)


def test_empty_data(zbl, tmp_path):
    table = describe([], BispectrumSettings(TWOJMAX, CUTOFF), zbl)
    table.save(tmp_path / "empty.npz")
    loaded = DescriptorTable.load(tmp_path / "empty.npz")
    assert loaded.descriptors.shape == (0, 14)
    with pytest.raises(ValueError, match="no labelled cells to fit to"):
        fit([], tmp_path, zbl)
