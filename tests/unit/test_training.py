"""Training of networks: exact gradients, stacks, schedule, resumption, same bytes, bad input."""

import shutil
import tempfile
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.kernel import BispectrumSettings
from diverse.kernel.force_maps import ComputedJacobian, StoredJacobian
from diverse.kernel.packed import ranges
from diverse.models.network.adamw import AdamW
from diverse.models.network.data import _Column, check_room, training_cells
from diverse.models.network.loop import (
    Training,
    initial_stack,
    set_aside,
    some_of,
    train_networks,
)
from diverse.models.network.loss import ForceLoss
from diverse.models.network.model import NetworkModel, layer_widths
from diverse.models.network.schedule import WARM_UP, Schedule, relative_rate
from diverse.models.network.settings import TrainingSettings
from diverse.models.network.stack import NetworkStack, initial_parameters
from diverse.zbl import ZBL

DESCRIPTOR, ZBL_W = BispectrumSettings(4, 4.734), ZBL("W", 4.0, 4.8)
PATHS = {"cached": StoredJacobian, "matrix_free": ComputedJacobian}
EPSILON = {"float64": 2.2e-16, "float32": 1.2e-7}
SETTINGS = TrainingSettings(
    widths=[12, 6],
    energy_weight=10,
    force_weight=1,
    epochs=12,
    batch=8,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.15,
    precision="float64",
)
SOME = np.array([7, 0, 23, 11])  # cells, not in order
OTHERS = np.array([5, 2, 31])


@pytest.fixture(scope="module")
def cells(labelled):
    return training_cells(labelled, DESCRIPTOR, ZBL_W)


@pytest.fixture(params=PATHS)
def settings(request):
    return replace(SETTINGS, jacobians=request.param)


def everything(cells):
    """Return the numbers of all cells."""
    return np.arange(len(cells.energies))


def train(cells, settings, seed, **options):
    """Train one network on all cells; return it with its history."""
    [trained] = train_networks(cells, [everything(cells)], settings, [seed], curves=True, **options)
    return trained


def assert_same(first, second):
    """Assert that two networks are the same, bit for bit."""
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, second.arrays()[name])


def bent(cells, settings, members):
    """Return a loss, and networks with tanh that are far from linear, one for each set."""
    loss = ForceLoss(cells, members, settings)
    stack = initial_stack(loss, range(3, 3 + len(members)))
    stack.parameters[:, : DESCRIPTOR.n_components * settings.widths[0]] *= 30
    biases = np.random.default_rng(0).normal(0, 0.1, stack.parameters.shape)
    stack.parameters += biases.astype(stack.parameters.dtype)
    return loss, stack


def network_energies(model, loss, labelled):
    """Return total energies of cells, ZBL included, from their positions alone."""
    fresh = training_cells(labelled, DESCRIPTOR, ZBL_W)
    site = model.site_energies(fresh.descriptors)[0]
    cell_of_atom = np.repeat(np.arange(len(labelled)), fresh.n_atoms)
    zbl = fresh.labels * fresh.n_atoms - fresh.energies
    return np.bincount(cell_of_atom, site) + loss.mean_energy[0] * fresh.n_atoms + zbl


def as_model(stack, number):
    """Return a network of a stack as the model that is exported."""
    weights, biases = stack.layers(number)
    return NetworkModel(4, stack.mean[number], stack.scale[number], weights, biases)


@pytest.mark.parametrize("dtype", EPSILON)
def test_stored_and_computed_jacobians_agree(cells, dtype):
    rng, n = np.random.default_rng(1), int(cells.n_atoms[SOME].sum())
    slopes = rng.normal(size=(n, DESCRIPTOR.n_components)).astype(dtype)
    cotangent = rng.normal(size=(n, 3)).astype(dtype)
    maps = [path(cells.structures, DESCRIPTOR, dtype) for path in PATHS.values()]
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
    force_map = PATHS[path](cells.structures, DESCRIPTOR, "float64")
    forward = (force_map.forces(SOME, slopes) * cotangent).sum()
    backward = (force_map.adjoint(SOME, cotangent) * slopes).sum()
    np.testing.assert_allclose(forward, backward, rtol=1e-12)


@pytest.mark.parametrize("dtype", EPSILON)
@pytest.mark.parametrize("widths", [[1], [7], [12, 6], [32, 64, 32], [9, 5, 3, 2]])
def test_stacked_networks_are_the_models_that_are_exported(widths, dtype):
    """Energies and slopes, for numbers of atoms around the size of a chunk and none at all."""
    rng, n_descriptors, counts = np.random.default_rng(0), 14, [129, 0, 1, 128, 40]
    descriptors = rng.normal(5, 3, (300, n_descriptors))
    shape = [n_descriptors, *widths, 1]
    parameters = np.stack([initial_parameters(shape, seed, "float64") for seed in range(5)])
    parameters[:, : n_descriptors * widths[0]] *= 100
    parameters += rng.normal(0, 0.1, parameters.shape)
    mean, scale = rng.normal(5, 1, (5, n_descriptors)), rng.uniform(2, 4, (5, n_descriptors))
    stack = NetworkStack(shape, parameters.astype(dtype), mean, scale)
    first = np.cumsum([0, *counts])
    atoms = rng.integers(300, size=first[-1])
    energies, slopes = stack.slopes(descriptors, atoms, first)
    for number in range(5):
        part = slice(first[number], first[number + 1])
        expected = as_model(stack, number).site_energies(descriptors[atoms[part]])
        for found, exact in zip((energies[part], slopes[part]), expected, strict=True):
            scale = np.abs(exact).max(initial=1)
            np.testing.assert_allclose(found, exact, atol=1e3 * EPSILON[dtype] * scale, rtol=0)


@pytest.mark.parametrize("dtype", EPSILON)
def test_tanh_is_the_tangent_from_the_smallest_number_to_the_largest(dtype):
    """A network of one neuron shows it, to a few units in the last place."""
    x = np.concatenate([np.logspace(-12, 3, 5000), [0.0, 1e30]])
    x = np.concatenate([x, -x]).astype(dtype)
    one = np.ones((1, 1))
    stack = NetworkStack([1, 1, 1], np.array([[1, 0, 1, 0]], dtype), 0 * one, one)
    found, _ = stack.slopes(x[:, None].astype(float), np.arange(len(x)), np.array([0, len(x)]))
    np.testing.assert_allclose(found, np.tanh(x.astype(float)), rtol=4 * EPSILON[dtype], atol=0)


def test_forces_are_minus_the_gradient_of_the_energy(labelled, cells, settings):
    loss, stack = bent(cells, settings, [everything(cells)])
    number, step = 5, 1e-4
    energies = []
    for sign in (1, -1):
        moved = labelled[number].copy()
        moved.positions[1, 2] += sign * step
        moved.calc = labelled[number].calc
        energies.append(network_energies(as_model(stack, 0), loss, [moved])[0])
    numerical = -(energies[0] - energies[1]) / (2 * step)
    errors = loss.residuals(stack, [np.array([number])]).forces
    exact = errors[1, 2] + labelled[number].get_forces()[1, 2]
    # error step^2 / 6 times the third derivative, of the order of the force over 1 Å^2
    assert abs(numerical - exact) < 10 * step**2 * max(1, abs(exact))


@pytest.mark.parametrize("widths", [[1], [12, 6], [9, 5, 3]])
@pytest.mark.parametrize("energy_scale", [None, 0.7])
def test_gradients_of_the_losses_equal_finite_differences(cells, settings, widths, energy_scale):
    settings = replace(settings, widths=widths, energy_scale=energy_scale)
    members = [everything(cells)[:30], everything(cells)[3:]]
    loss, stack = bent(cells, settings, members)
    batches = [SOME, OTHERS]
    _, gradients = loss.gradient(stack, batches)
    rng, step = np.random.default_rng(4), 1e-5
    for _ in range(5):
        direction = rng.normal(size=stack.parameters.shape)
        losses = []
        for sign in (1, -1):
            stack.parameters += sign * step * direction
            losses.append(loss.gradient(stack, batches)[0])
            stack.parameters -= sign * step * direction
        numerical = (losses[0] - losses[1]) / (2 * step)
        # rounding of the loss over the step, and the step squared
        tolerance = 100 * EPSILON["float64"] * losses[0] / step
        tolerance += 1e-7 * np.abs(gradients).sum(axis=1)
        assert (np.abs(numerical - (gradients * direction).sum(axis=1)) < tolerance).all()


def test_each_parameter_has_its_own_derivative(cells):
    """Every weight and bias by itself: a wrong place in the list of parameters is seen."""
    settings = replace(SETTINGS, widths=[5, 3])
    loss, stack = bent(cells, settings, [everything(cells)])
    _, [gradient] = loss.gradient(stack, [SOME])
    numerical, step = np.empty_like(gradient), 1e-6
    for k in range(len(gradient)):
        values = []
        for sign in (1, -1):
            stack.parameters[0, k] += sign * step
            values.append(loss.gradient(stack, [SOME])[0][0])
            stack.parameters[0, k] -= sign * step
        numerical[k] = (values[0] - values[1]) / (2 * step)
    np.testing.assert_allclose(numerical, gradient, atol=1e-6 * np.abs(gradient).max(), rtol=0)


def test_the_loss_and_the_errors_are_those_of_their_formula(cells, settings):
    loss, stack = bent(cells, settings, [everything(cells)] * 2)
    losses, _ = loss.gradient(stack, [SOME, OTHERS])
    errors = loss.residuals(stack, [SOME, OTHERS])
    energies, forces = errors.energies[len(SOME) :], errors.forces[cells.n_atoms[SOME].sum() :]
    assert forces.shape == (cells.n_atoms[OTHERS].sum(), 3)
    weighted = ((10 * energies) ** 2).sum() + (forces**2).sum()
    assert losses[1] == pytest.approx(weighted / (energies.size + forces.size), rel=1e-12)
    squares, rows = errors.squares(2), errors.rows(2)
    np.testing.assert_allclose(squares[:, 1], [(energies**2).sum(), (forces**2).sum()], rtol=1e-12)
    assert rows[:, 1].tolist() == [energies.size, forces.size]


def test_adamw_takes_the_steps_of_its_paper():
    """Loshchilov & Hutter, arXiv:1711.05101, algorithm 2, and twice the same in float32."""
    rng = np.random.default_rng(0)
    start, mean, square = rng.normal(size=50), np.zeros(50), np.zeros(50)
    exact, arrays = start.copy(), {dtype: start.astype(dtype) for dtype in EPSILON}
    optimisers = {dtype: AdamW(array, 0.1) for dtype, array in arrays.items()}
    for number in range(1, 20):
        gradient, rate = rng.normal(size=50), 0.01 * number
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        corrected = mean / (1 - 0.9**number) / (np.sqrt(square / (1 - 0.999**number)) + 1e-8)
        exact -= rate * (corrected + 0.1 * exact)
        for dtype, optimiser in optimisers.items():
            optimiser.step(gradient.astype(dtype), rate)
    for dtype, array in arrays.items():
        np.testing.assert_allclose(array, exact, atol=100 * EPSILON[dtype])


def test_both_paths_train_the_same_network(cells):
    """Rounding differs, and twelve epochs amplify it a little."""
    models = [train(cells, replace(SETTINGS, jacobians=path), 1)[0] for path in PATHS]
    for a, b in zip(models[0].weights, models[1].weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_float32_training_is_harmless(cells):
    """Its validation error is within a hundredth of that of float64 after the same steps."""
    long = replace(SETTINGS, epochs=60)
    errors = [
        train(cells, settings, 1)[1][-1]["validation_loss"]
        for settings in (long, replace(long, precision="float32"))
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.01)


def test_training_is_reproducible_and_seeded(cells, settings):
    first, again, other = (train(cells, settings, seed)[0] for seed in (1, 1, 2))
    assert_same(first, again)
    assert np.abs(other.weights[0] - first.weights[0]).max() > 1e-3


@pytest.mark.parametrize("precision", EPSILON)
def test_a_network_does_not_depend_on_its_stack(cells, settings, precision):
    settings = replace(settings, precision=precision, epochs=2)
    order = np.random.default_rng(0).permutation(len(cells.energies))
    members, seeds = [order[:30], order[5:35], order[10:]], [4, 5, 4]
    together = train_networks(cells, members, settings, seeds)
    for (network, _), numbers, seed in zip(together, members, seeds, strict=True):
        [(alone, _)] = train_networks(cells, [numbers], settings, [seed])
        assert_same(network, alone)


def test_networks_are_the_same_on_any_number_of_threads(cells, settings, monkeypatch):
    settings = replace(settings, precision="float32")
    members, seeds = [everything(cells), everything(cells)[::-1]], [1, 2]
    results = []
    for threads in (1, 2, 3):
        monkeypatch.setattr("diverse.kernel.library.n_threads", lambda wanted, n=threads: n)
        results.append(train_networks(cells, members, settings, seeds))
    for other in results[1:]:
        for (network, _), (first, _) in zip(other, results[0], strict=True):
            assert_same(network, first)


@pytest.mark.parametrize("dtype", EPSILON)
def test_gradients_of_many_atoms_add_up_in_one_order(dtype, monkeypatch):
    """Of one network that several threads work on; they equal those of its parts."""
    rng, shape, first = np.random.default_rng(0), [14, 12, 6, 1], np.array([0, 700, 700, 830])
    descriptors, atoms = rng.normal(size=(900, 14)), rng.integers(900, size=830)
    parameters = np.stack([initial_parameters(shape, seed, dtype) for seed in range(3)])
    by_energy, by_slope = rng.normal(size=830), rng.normal(size=(830, 14))

    def gradient(part, first):
        stack = NetworkStack(shape, parameters, np.zeros((3, 14)), np.ones((3, 14)))
        stack.slopes(descriptors, atoms[part], first)
        return stack.gradient(by_energy[part], by_slope[part])

    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("diverse.kernel.library.n_threads", lambda wanted, n=threads: n)
        found.append(gradient(slice(830), first))
        np.testing.assert_array_equal(found[-1], found[0])
    parts = gradient(slice(250), np.array([0, *[250] * 3]))[0]
    parts = parts + gradient(slice(250, 700), np.array([0, *[450] * 3]))[0]
    limit = 1e3 * EPSILON[dtype] * np.abs(parts).max()
    np.testing.assert_allclose(parts, found[0][0], rtol=0, atol=limit)
    assert (found[0][1] == 0).all() and (found[0][2] != 0).any()


def test_curves_change_no_network(cells):
    with_curves, history = train(cells, SETTINGS, 1)
    [(without, nothing)] = train_networks(cells, [everything(cells)], SETTINGS, [1])
    assert_same(with_curves, without)
    assert nothing == []
    assert [row["epoch"] for row in history] == list(range(1, int(SETTINGS.epochs) + 1))
    assert {type(row["epoch"]) for row in history} == {int}  # as it is written


@pytest.fixture
def short_parts(monkeypatch):
    """Make epochs of five steps have three parts."""
    monkeypatch.setattr("diverse.models.network.steps.Steps.cells_of_part", 12)


def test_parts_change_no_network(cells, settings, monkeypatch, request):
    """An epoch is the same steps whether errors are noted in its middle or not."""
    whole, history = train(cells, settings, 1)
    request.getfixturevalue("short_parts")
    parts, more = train(cells, settings, 1)
    assert_same(parts, whole)
    assert len(more) == 3 * len(history)
    thirds = zip(more[::3], more[1::3], more[2::3], strict=True)
    for row, (first, second, third) in zip(history, thirds, strict=True):
        assert (first["epoch"], third["epoch"]) == (row["epoch"] - 1 + 1 / 5, row["epoch"])
        assert third | row == third | {"training_loss": row["training_loss"]}
        losses = np.array([part["training_loss"] for part in (first, second, third)])
        assert row["training_loss"] == pytest.approx(losses @ [1 / 5, 2 / 5, 2 / 5], rel=1e-12)


@pytest.mark.parametrize("epochs", [0.01, 0.5, 1, 1.3, 2, 7])
@pytest.mark.parametrize(("size", "batch", "of_part"), [(40, 8, 12), (40, 8, 100), (7, None, 2)])
def test_a_schedule_has_every_step_once(epochs, size, batch, of_part):
    settings = replace(SETTINGS, epochs=epochs, batch=batch)
    schedule = Schedule.of([size, size - 1], settings, of_part)
    orders = [np.arange(size), np.arange(size - 1)]
    parts = range(schedule.n_parts)
    steps = [batches for part in parts for batches in schedule.batches(part, orders)]
    rates = [rate for part in parts for rate in schedule.rates(part)]
    n_steps = max(1, round(epochs * schedule.steps_per_epoch))
    assert len(steps) == len(rates) == n_steps == schedule.n_steps
    assert rates[-1] == pytest.approx(0, abs=1e-15)
    seen = np.bincount(np.concatenate([first for first, _ in steps]), minlength=size)
    assert seen.min() >= int(n_steps / schedule.steps_per_epoch) and seen.max() - seen.min() <= 1
    assert max(len(first) for first, _ in steps) <= (batch or size)
    assert sum(map(schedule.share, parts)) == pytest.approx(1)
    assert schedule.epochs_after(parts[-1]) == pytest.approx(n_steps / schedule.steps_per_epoch)
    largest = max(schedule.share(part) for part in parts) * n_steps
    assert largest == 1 or largest * (batch or size) <= of_part + (batch or size)


def test_steps_may_be_given_instead_of_epochs(cells, settings):
    """Five steps are an epoch: the same network by either, and 13 steps of whatever set."""
    by_epochs, _ = train(cells, replace(settings, epochs=3), 1)
    by_steps, history = train(cells, replace(settings, steps=15), 1)
    assert_same(by_steps, by_epochs)
    assert [row["epoch"] for row in history] == [1, 2, 3]
    for size in (8, 40, 4000):
        schedule = Schedule.of([size], replace(settings, steps=13), 20_000)
        assert sum(len(schedule.rates(part)) for part in range(schedule.n_parts)) == 13


def test_candidates_are_trained_for_a_part_of_the_time():
    for epochs, shortened in ((300, 30), (60, 6), (12, 1), (4, 1), (0.5, 0.5)):
        assert replace(SETTINGS, epochs=epochs).shortened(0.1).epochs == shortened
    assert replace(SETTINGS, steps=64_000).shortened(0.1).steps == 6400
    assert SETTINGS.shortened(0.1).steps is None


def test_a_part_of_an_epoch_is_a_training(cells, settings):
    """Of half an epoch it is the steps of its first half, at the rates of a shorter training."""
    model, history = train(cells, replace(settings, epochs=0.4), 1)
    whole, _ = train(cells, replace(settings, epochs=1), 1)
    assert [row["epoch"] for row in history] == [0.4]
    assert np.isfinite(history[0]["validation_loss"])
    assert np.abs(model.weights[0] - whole.weights[0]).max() > 1e-6


def test_curves_of_many_cells_are_drawn_from_some(cells, monkeypatch):
    """The same at all times, taken at random from all that are set aside."""
    monkeypatch.setattr("diverse.models.network.loop.VALIDATION_CELLS", 3)
    settings = replace(SETTINGS, validation_fraction=0.4)
    training = Training(cells, [everything(cells)], settings, [1])
    assert len(training.validation[0]) > 10
    numbers, seen = np.arange(100), set()
    for seed in range(50):
        chosen = some_of(numbers, 3, seed)
        assert len(set(chosen)) == 3
        seen |= set(chosen.tolist())
    assert max(seen) > 80 and min(seen) < 20
    chosen = some_of(training.validation[0], 3, 1)
    errors = training.loss.residuals(training.stack, [chosen])
    rmse = np.sqrt((errors.energies**2).mean()), np.sqrt((errors.forces**2).mean())
    np.testing.assert_allclose(training.validate()[1:, 0], rmse, rtol=1e-12)


def test_the_network_is_that_of_the_last_step(cells):
    """What is set aside decides nothing: the last row of the curve is the error of the network."""
    wild = replace(SETTINGS, learning_rate=0.3, epochs=30)
    model, history = train(cells, wild, 1)
    losses = [row["validation_loss"] for row in history]
    assert min(losses) < losses[-1]
    _, aside = set_aside(everything(cells), cells.trajectories, wild.validation_fraction, 1)
    atoms = ranges(*(cells.structures.first_atom[aside + k] for k in (0, 1)))
    site = model.site_energies(cells.descriptors[atoms])[0]
    cell_of_atom = np.repeat(np.arange(len(aside)), cells.n_atoms[aside])
    errors = (np.bincount(cell_of_atom, site) - cells.energies[aside]) / cells.n_atoms[aside]
    rmse = np.sqrt((errors**2).mean())
    assert history[-1]["validation_energy"] == pytest.approx(rmse, rel=1e-9)


def test_the_schedule_rises_and_ends_at_zero(cells, monkeypatch):
    rates, step = [], AdamW.step

    def noted(self, gradient, learning_rate):
        rates.append(learning_rate)
        step(self, gradient, learning_rate)

    monkeypatch.setattr(AdamW, "step", noted)
    train(cells, SETTINGS, 1)
    peak = int(np.argmax(rates))
    assert rates[0] > 0 and rates[-1] == pytest.approx(0, abs=1e-15)
    assert (np.diff(rates[: peak + 1]) > 0).all() and (np.diff(rates[peak:]) < 0).all()
    assert (peak + 1) / len(rates) == pytest.approx(WARM_UP, abs=1 / len(rates))
    assert relative_rate(WARM_UP) == 1 and relative_rate(0.5 + WARM_UP / 2) == pytest.approx(0.5)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3, 0.49])
def test_no_trajectory_is_trained_on_and_set_aside(fraction):
    rng = np.random.default_rng(0)
    trajectories = np.sort(rng.integers(12, size=80))
    numbers = rng.permutation(200)[:80]
    of_number = dict(zip(numbers.tolist(), trajectories.tolist(), strict=True))
    for seed in range(20):
        training, aside = set_aside(numbers, trajectories, fraction, seed)
        assert sorted([*training, *aside]) == sorted(numbers)
        assert not {of_number[n] for n in training} & {of_number[n] for n in aside}
        assert 0 < len(aside) <= max(fraction * 80 + 1, np.bincount(trajectories).min())
    assert len(set_aside(numbers, trajectories, 0, 1)[1]) == 0


def test_nothing_is_set_aside_where_none_is_wanted(cells):
    model, history = train(cells, replace(SETTINGS, validation_fraction=0, epochs=2), 1)
    assert np.isfinite(history[-1]["training_loss"])
    assert np.isnan(history[-1]["validation_loss"])
    np.testing.assert_allclose(model.mean, cells.descriptors.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("steps_of_part", [1, 5])
def test_interrupted_training_continues_to_the_same_networks(
    cells, settings, tmp_path, monkeypatch, steps_of_part
):
    """Also if it was killed in the middle of an epoch; what is lost are the steps of a part."""
    monkeypatch.setattr("diverse.models.network.steps.Steps.cells_of_part", 8 * steps_of_part)
    members, seeds = [everything(cells), everything(cells)[::-1]], [1, 2]
    whole = train_networks(cells, members, settings, seeds, curves=True)
    steps_an_epoch, path = 5, tmp_path / "checkpoint.npz"
    killed_at = int(np.random.default_rng().integers(1, steps_an_epoch * settings.epochs))
    step, count = AdamW.step, iter(range(killed_at))

    def interrupted(self, *arguments):
        if next(count, None) is None:
            raise KeyboardInterrupt
        step(self, *arguments)

    options = {"curves": True, "checkpoint": path}
    monkeypatch.setattr(AdamW, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_networks(cells, members, settings, seeds, checkpoint_seconds=0, **options)
    monkeypatch.setattr(AdamW, "step", step)
    assert path.exists() == (killed_at >= steps_of_part)
    resumed = train_networks(cells, members, settings, seeds, **options)
    for (network, history), (expected, whole_history) in zip(resumed, whole, strict=True):
        assert history == whole_history, f"killed at step {killed_at}"
        assert_same(network, expected)
    assert not path.exists()


@pytest.fixture
def checkpoint(cells, tmp_path, monkeypatch):
    """Return the checkpoint of an interrupted training."""
    path = tmp_path / "checkpoint.npz"
    with monkeypatch.context() as patched:
        patched.setattr("diverse.models.network.checkpoint.Checkpoint.remove", lambda self: None)
        train(cells, SETTINGS, 1, checkpoint=path, checkpoint_seconds=0)
    return path


def started_anew(cells, settings, seed, checkpoint, caplog):
    """Whether a training with this checkpoint is the one without, and the line that it said."""
    caplog.clear()
    content = checkpoint.read_bytes()
    network, history = train(cells, settings, seed, checkpoint=checkpoint)
    aside = checkpoint.with_name("checkpoint.npz.aside")
    assert aside.read_bytes() == content
    checkpoint.write_bytes(content)
    whole, whole_history = train(cells, settings, seed)
    assert_same(network, whole)
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


def test_jacobians_are_cached_where_they_fit(cells):
    size = StoredJacobian.largest_size(cells.structures, DESCRIPTOR, "float64")
    for memory, path in ((size, StoredJacobian), (size - 1, ComputedJacobian)):
        settings = replace(SETTINGS, jacobian_memory=memory)
        loss = ForceLoss(cells, [everything(cells)], settings)
        assert isinstance(loss.map, path)
    others = np.repeat(cells.n_atoms - 1, cells.n_atoms).sum()  # all within the cutoff
    assert size == others * 3 * DESCRIPTOR.n_components * 8


def test_high_energies_weigh_less(cells):
    """Each network counts from the lowest energy of its own cells."""
    sets = [np.argsort(cells.labels), np.argsort(cells.labels)[10:]]
    plain, weighted = (
        ForceLoss(cells, sets, replace(SETTINGS, energy_scale=scale)) for scale in (None, 0.7)
    )
    stack = initial_stack(plain, [1, 2])
    for cell in [*SOME, *sets[0][:11]]:
        errors = plain.residuals(stack, [np.array([cell])] * 2)
        excess = cells.labels[cell] - cells.labels[[sets[0][0], sets[1][0]]]
        factor = 1 / (1 + np.maximum(excess, 0) / 0.7)  # a cell of no set may lie lower
        expected = factor**2 * plain.sum_squares(errors, 2)
        np.testing.assert_allclose(weighted.sum_squares(errors, 2), expected, rtol=1e-12)


def test_cells_are_described_alike_in_parts_and_at_once(labelled, cells, monkeypatch):
    monkeypatch.setattr("diverse.models.network.data.CELLS_AT_ONCE", 7)
    parts = training_cells(iter(labelled), DESCRIPTOR, ZBL_W)
    assert parts.fingerprint() == cells.fingerprint()
    at_once = cells.structures.all_pairs()
    monkeypatch.setattr("diverse.kernel.packed.CELLS_AT_ONCE", 7)
    for name, array in vars(parts.structures.all_pairs()).items():
        np.testing.assert_array_equal(array, getattr(at_once, name))


def test_scratch_files_take_the_room_that_is_looked_for(labelled, cells, tmp_path, monkeypatch):
    written, sizes = [], cells.n_atoms.tolist()
    append = _Column.append

    def noted(self, rows):
        written.append(rows.nbytes)
        append(self, rows)

    monkeypatch.setattr(_Column, "append", noted)
    training_cells(labelled, DESCRIPTOR, ZBL_W)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room, wanted = shutil.disk_usage(tmp_path), sum(written)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room._replace(free=wanted))
    check_room(sizes, DESCRIPTOR)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room._replace(free=wanted - 1))
    with pytest.raises(
        OSError, match=f"^training on 120 environments .*, and {tmp_path} has 0.0 GB"
    ):
        check_room(sizes, DESCRIPTOR)


def test_widths_follow_the_number_of_descriptors():
    widths = {d: (layer_widths("A", d), layer_widths("B", d)) for d in (14, 30, 55)}
    assert widths[14] == widths[30] == ([32, 16, 8], [32, 64, 32])
    assert widths[55] == ([64, 32, 16], [64, 128, 64])


def with_labels(atoms, trajectory=0, **labels):
    """Return a copy with labels of zero, or those given; None leaves one out."""
    copy = atoms.copy()
    copy.info = {"config_type": "made", "trajectory": f"made_{trajectory}"} | copy.info
    labels = {"free_energy": 0.0, "energy": 0.0, "forces": np.zeros((len(atoms), 3))} | labels
    copy.calc = SinglePointCalculator(copy)
    copy.calc.results = {name: value for name, value in labels.items() if value is not None}
    return copy


def test_isolated_atoms_have_no_forces():
    far = [Atoms("W", cell=[9] * 3, pbc=True), Atoms("W2", [[0] * 3, [9] * 3], cell=[18] * 3)]
    data = training_cells([with_labels(atoms) for atoms in far], DESCRIPTOR, ZBL_W)
    for path in PATHS.values():
        force_map = path(data.structures, DESCRIPTOR, "float64")
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
    with pytest.raises(
        ValueError, match="^1 labelled training cells of 1 trajectories are too few"
    ):
        train(one, SETTINGS, 1)
    crystals = [with_labels(lattice.primitive(), number) for number in range(3)]
    with pytest.raises(ValueError, match=r"components \[0, 1, .* do not vary"):
        train(training_cells(crystals, DESCRIPTOR, ZBL_W), SETTINGS, 1)


def test_sets_of_very_different_size_are_refused(cells):
    members, settings = [everything(cells), SOME[:3]], replace(SETTINGS, validation_fraction=0)
    with pytest.raises(ValueError, match="^sets of 3 and of 40 training cells cannot be trained"):
        train_networks(cells, members, settings, [1, 2])


def test_divergence_names_the_network(cells, settings):
    sentence = r"network {} of {} \(seed {}\) is not finite in epoch 1: lower the learning rate"
    with pytest.raises(ValueError, match=sentence.format(1, 1, 1)):
        train(cells, replace(settings, learning_rate=1e200), 1)
    broken = replace(cells, energies=np.where(everything(cells) == 7, 1e300, cells.energies))
    members, seeds = [np.delete(everything(cells), 7), everything(cells)], [8, 9]
    with pytest.raises(ValueError, match=sentence.format(2, 2, 9)):
        train_networks(broken, members, replace(settings, validation_fraction=0), seeds)
