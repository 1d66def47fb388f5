"""Training of networks: exact gradients on both paths, resumption, determinism, bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.kernel import BispectrumSettings
from diverse.kernel.force_maps import ComputedJacobian, StoredJacobian
from diverse.models.network.adamw import AdamW
from diverse.models.network.data import training_cells
from diverse.models.network.loop import initial_network, train_network
from diverse.models.network.loss import ForceLoss
from diverse.models.network.model import layer_widths
from diverse.models.network.settings import TrainingSettings
from diverse.zbl import ZBL

DESCRIPTOR, ZBL_W = BispectrumSettings(4, 4.734), ZBL("W", 4.0, 4.8)
PATHS = {"cached": StoredJacobian, "matrix_free": ComputedJacobian}
EPSILON = {"float64": 2.2e-16, "float32": 1.2e-7}
SETTINGS = TrainingSettings(
    widths=[12, 6],
    energy_weight=10,
    force_weight=1,
    epochs=12,
    patience=12,
    batch=8,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.15,
    precision="float64",
)
SOME = np.array([7, 0, 23, 11])  # cells, not in order


@pytest.fixture(scope="module")
def cells(labelled):
    return training_cells(labelled, DESCRIPTOR, ZBL_W)


@pytest.fixture(params=PATHS)
def settings(request):
    return replace(SETTINGS, jacobians=request.param)


def bent_network(settings):
    """Return a network whose tanh are far from linear."""
    network = initial_network(DESCRIPTOR.n_components, settings, seed=3)
    with torch.no_grad():
        network[0].weight.mul_(30)
    return network


def network_energies(network, loss, labelled):
    """Return total energies of cells, ZBL included, from their positions alone."""
    fresh = training_cells(labelled, DESCRIPTOR, ZBL_W)
    site = network(torch.tensor((fresh.descriptors - loss.mean) / loss.scale))[:, 0]
    cell_of_atom = np.repeat(np.arange(len(labelled)), fresh.n_atoms)
    zbl = fresh.labels * fresh.n_atoms - fresh.energies
    return np.bincount(cell_of_atom, site.detach().numpy()) + loss.mean_energy * fresh.n_atoms + zbl


@pytest.mark.parametrize("dtype", EPSILON)
def test_stored_and_computed_jacobians_agree(cells, dtype):
    rng, n = np.random.default_rng(1), int(cells.n_atoms[SOME].sum())
    slopes = rng.normal(size=(n, DESCRIPTOR.n_components)).astype(dtype)
    cotangent = rng.normal(size=(n, 3)).astype(dtype)
    maps = [path(cells.pairs, DESCRIPTOR, dtype) for path in PATHS.values()]
    for results in (
        [m.forces(SOME, slopes) for m in maps],
        [m.adjoint(SOME, cotangent) for m in maps],
    ):
        # some thousand terms a number, and the recursion of the kernel: rounding adds up
        scale = np.abs(results[0]).max()
        np.testing.assert_allclose(*results, atol=1e3 * EPSILON[dtype] * scale, rtol=0)


@pytest.mark.parametrize("path", PATHS)
def test_adjoint_is_the_adjoint(cells, path):
    rng, n = np.random.default_rng(2), int(cells.n_atoms[SOME].sum())
    slopes, cotangent = rng.normal(size=(n, DESCRIPTOR.n_components)), rng.normal(size=(n, 3))
    force_map = PATHS[path](cells.pairs, DESCRIPTOR, "float64")
    forward = (force_map.forces(SOME, slopes) * cotangent).sum()
    backward = (force_map.adjoint(SOME, cotangent) * slopes).sum()
    np.testing.assert_allclose(forward, backward, rtol=1e-12)


def test_forces_are_minus_the_gradient_of_the_energy(labelled, cells, settings):
    loss, network = ForceLoss(cells, settings), bent_network(settings)
    number, step = 5, 1e-4
    energies = []
    for sign in (1, -1):
        moved = labelled[number].copy()
        moved.positions[1, 2] += sign * step
        moved.calc = labelled[number].calc
        energies.append(network_energies(network, loss, [moved])[0])
    numerical = -(energies[0] - energies[1]) / (2 * step)
    _, errors = loss.residuals(network, np.array([number]))
    exact = errors.detach().numpy()[1, 2] + labelled[number].get_forces()[1, 2]
    # error step^2 / 6 times the third derivative, of the order of the force over 1 Å^2
    assert abs(numerical - exact) < 10 * step**2 * max(1, abs(exact))


def test_parameter_gradient_of_the_loss_equals_finite_differences(cells, settings):
    loss, network = ForceLoss(cells, settings), bent_network(settings)
    parameters = list(network.parameters())
    gradients = torch.autograd.grad(loss(network, SOME), parameters)
    rng, step = np.random.default_rng(4), 1e-5
    for parameter, gradient in zip(parameters, gradients, strict=True):
        direction = torch.from_numpy(rng.normal(size=tuple(parameter.shape)))
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter += sign * step * direction
            values.append(loss(network, SOME).item())
            with torch.no_grad():
                parameter -= sign * step * direction
        numerical = (values[0] - values[1]) / (2 * step)
        # rounding of the loss over the step, and the step squared
        tolerance = 100 * EPSILON["float64"] * values[0] / step + 1e-7 * gradient.abs().sum().item()
        assert abs(numerical - (gradient * direction).sum().item()) < tolerance


def test_both_paths_train_the_same_network(cells):
    """Rounding differs, and twelve epochs amplify it a little."""
    models = [train_network(cells, replace(SETTINGS, jacobians=p), 1)[0] for p in PATHS]
    for a, b in zip(models[0].weights, models[1].weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_float32_training_is_harmless(cells):
    """Its validation error is within a hundredth of that of float64 after the same steps."""
    long = replace(SETTINGS, epochs=60, patience=60)
    errors = [
        min(row["validation_loss"] for row in train_network(cells, settings, 1)[1])
        for settings in (long, replace(long, precision="float32"))
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.01)


def test_training_is_reproducible_and_seeded(cells, settings):
    first, again, other = (train_network(cells, settings, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(again.weights[0], first.weights[0])
    assert np.abs(other.weights[0] - first.weights[0]).max() > 1e-3


def test_interrupted_training_continues_to_the_same_network(cells, settings, tmp_path, monkeypatch):
    whole, whole_history = train_network(cells, settings, 1)
    steps_an_epoch, path = 5, tmp_path / "checkpoint.pt"
    killed_at = int(np.random.default_rng().integers(1, steps_an_epoch * settings.epochs))
    step, count = AdamW.step, iter(range(killed_at))

    def interrupted(self, *arguments):
        if next(count, None) is None:
            raise KeyboardInterrupt
        step(self, *arguments)

    monkeypatch.setattr(AdamW, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_network(cells, settings, 1, checkpoint=path, checkpoint_seconds=0)
    monkeypatch.setattr(AdamW, "step", step)
    assert path.exists() == (killed_at >= steps_an_epoch)
    resumed, history = train_network(cells, settings, 1, checkpoint=path)
    assert history == whole_history, f"killed at step {killed_at}"
    for a, b in zip(resumed.weights + resumed.biases, whole.weights + whole.biases, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not path.exists()


@pytest.fixture
def checkpoint(cells, tmp_path, monkeypatch):
    """Return the checkpoint of an interrupted training."""
    path = tmp_path / "checkpoint.pt"
    with monkeypatch.context() as patched:
        patched.setattr("diverse.models.network.checkpoint.Checkpoint.remove", lambda self: None)
        train_network(cells, SETTINGS, 1, checkpoint=path, checkpoint_seconds=0)
    return path


def started_anew(cells, settings, seed, checkpoint, caplog):
    """Whether a training with this checkpoint is the one without, and the line that it said."""
    caplog.clear()
    content = checkpoint.read_bytes()
    network, history = train_network(cells, settings, seed, checkpoint=checkpoint)
    aside = checkpoint.with_name("checkpoint.pt.aside")
    assert aside.read_bytes() == content
    checkpoint.write_bytes(content)
    whole, whole_history = train_network(cells, settings, seed)
    np.testing.assert_array_equal(network.weights[0], whole.weights[0])
    assert history == whole_history
    return caplog.messages[0]


def test_checkpoints_of_other_trainings_are_put_aside(labelled, cells, checkpoint, caplog):
    faster = replace(SETTINGS, learning_rate=0.02)
    fewer = training_cells(labelled[1:], DESCRIPTOR, ZBL_W)
    others = [(cells, faster, 1, "settings"), (cells, SETTINGS, 2, "settings")]
    for *training, what in [*others, (fewer, SETTINGS, 1, "data")]:
        said = started_anew(*training, checkpoint, caplog)
        assert f"comes from a training with other {what}: it is kept as" in said


def cut(content):
    return content[: len(content) // 2]


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [cut, flipped, lambda content: b"", lambda content: b"PK\x03\x04"]
)
def test_damaged_checkpoints_are_put_aside(cells, checkpoint, damage, caplog):
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    assert "is damaged: it is kept as" in started_anew(cells, SETTINGS, 1, checkpoint, caplog)


def test_training_stops_early_and_keeps_the_best(cells):
    wild = replace(SETTINGS, learning_rate=0.5, epochs=200, patience=10)
    model, history = train_network(cells, wild, 1)
    losses = [row["validation_loss"] for row in history]
    assert len(history) == 1 + np.argmin(losses) + 10 < 200
    best, _ = train_network(cells, replace(wild, patience=1 + int(np.argmin(losses))), 1)
    np.testing.assert_array_equal(model.weights[0], best.weights[0])


def test_jacobians_are_cached_where_they_fit(cells):
    size = StoredJacobian.largest_size(cells.pairs, DESCRIPTOR, "float64")
    for memory, path in ((size, StoredJacobian), (size - 1, ComputedJacobian)):
        assert isinstance(ForceLoss(cells, replace(SETTINGS, jacobian_memory=memory)).map, path)
    others = np.repeat(cells.n_atoms - 1, cells.n_atoms).sum()  # all within the cutoff
    assert size == others * 3 * DESCRIPTOR.n_components * 8


def test_high_energies_weigh_less(cells):
    weights = ForceLoss(cells, replace(SETTINGS, energy_scale=0.7)).weights
    excess = cells.labels - cells.labels.min()
    np.testing.assert_allclose(weights * (1 + excess / 0.7), 1)
    assert weights.max() == 1 and weights.min() < 0.9


def test_cells_are_described_alike_in_parts_and_at_once(labelled, cells, monkeypatch):
    monkeypatch.setattr("diverse.models.network.data.CELLS_AT_ONCE", 7)
    parts = training_cells(iter(labelled), DESCRIPTOR, ZBL_W)
    assert parts.fingerprint() == cells.fingerprint()


def test_widths_follow_the_number_of_descriptors():
    widths = {d: (layer_widths("A", d), layer_widths("B", d)) for d in (14, 30, 55)}
    assert widths[14] == widths[30] == ([32, 16, 8], [32, 64, 32])
    assert widths[55] == ([64, 32, 16], [64, 128, 64])


def with_labels(atoms, **labels):
    """Return a copy with labels of zero, or those given; None leaves one out."""
    copy = atoms.copy()
    labels = {"free_energy": 0.0, "energy": 0.0, "forces": np.zeros((len(atoms), 3))} | labels
    copy.calc = SinglePointCalculator(copy)
    copy.calc.results = {name: value for name, value in labels.items() if value is not None}
    return copy


def test_isolated_atoms_have_no_forces():
    far = [Atoms("W", cell=[9] * 3, pbc=True), Atoms("W2", [[0] * 3, [9] * 3], cell=[18] * 3)]
    data = training_cells([with_labels(atoms) for atoms in far], DESCRIPTOR, ZBL_W)
    for path in PATHS.values():
        force_map = path(data.pairs, DESCRIPTOR, "float64")
        slopes = np.ones((3, DESCRIPTOR.n_components))
        np.testing.assert_array_equal(force_map.forces(np.arange(2), slopes), 0)
        np.testing.assert_array_equal(force_map.adjoint(np.arange(2), np.ones((3, 3))), 0)


def test_bad_labels_are_named(labelled):
    atoms = labelled[3]
    name = f"cell {atoms.info['key']} of group strained"
    nan = np.full((len(atoms), 3), np.nan)
    for wrong, sentence in (
        ({"forces": nan}, f"{name} has NaN or infinite forces: label it again"),
        ({"free_energy": np.inf}, f"{name} has NaN or infinite free energy"),
        ({"forces": None}, f"{name} has no forces, .*: leave its group out of the training set"),
    ):
        with pytest.raises(ValueError, match=sentence):
            training_cells([*labelled[:3], with_labels(atoms, **wrong)], DESCRIPTOR, ZBL_W)


def test_unfit_data_give_sentences(labelled, lattice):
    with pytest.raises(ValueError, match="no labelled training cells"):
        training_cells([], DESCRIPTOR, ZBL_W)
    one = training_cells(labelled[:1], DESCRIPTOR, ZBL_W)
    with pytest.raises(ValueError, match="1 labelled training cells are too few"):
        train_network(one, SETTINGS, 1)
    crystals = [with_labels(lattice.primitive())] * 3
    with pytest.raises(ValueError, match=r"components \[0, 1, .* do not vary"):
        train_network(training_cells(crystals, DESCRIPTOR, ZBL_W), SETTINGS, 1)


def test_divergence_gives_a_sentence(cells):
    with pytest.raises(ValueError, match="not finite in epoch 1: lower the learning rate"):
        train_network(cells, replace(SETTINGS, learning_rate=1e200), 1)
