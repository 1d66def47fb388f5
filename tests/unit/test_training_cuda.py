"""Training on a card, emulated on the host: the same maps, gradients and networks as on the CPU."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from diverse.kernel import BispectrumSettings
from diverse.kernel.cuda_build import Hardware
from diverse.kernel.cuda_graph import recorded
from diverse.kernel.cuda_maps import CudaComputedJacobian, CudaStoredJacobian
from diverse.kernel.device import EMULATION, Device
from diverse.kernel.force_maps import StoredJacobian
from diverse.models.network.cuda_stack import CudaNetworkStack
from diverse.models.network.cuda_steps import CudaSteps
from diverse.models.network.data import training_cells
from diverse.models.network.loop import Training, train_networks
from diverse.models.network.loss import ForceLoss
from diverse.models.network.settings import TrainingSettings
from diverse.models.network.stack import NetworkStack, initial_parameters
from diverse.zbl import ZBL

DESCRIPTOR = BispectrumSettings(4, 4.734)
SETTINGS = TrainingSettings(
    widths=[12, 6],
    energy_weight=10,
    force_weight=1,
    epochs=2,
    batch=8,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.15,
    precision="float64",
)
SOME = np.array([7, 0, 23, 11])  # cells, not in order
MAPS = {"cached": CudaStoredJacobian, "matrix_free": CudaComputedJacobian}


@pytest.fixture(scope="module")
def cells(labelled):
    return training_cells(labelled, DESCRIPTOR, ZBL("W", 4.0, 4.8))


def assert_close(found, expected):
    """Assert agreement to 1e-10 of the largest: some thousand roundings of terms as large."""
    limit = 1e-10 * np.abs(expected).max()
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=limit)


@pytest.mark.parametrize("path", MAPS)
def test_maps_are_those_of_the_cpu(cells, path, monkeypatch):
    monkeypatch.setattr("diverse.kernel.cuda_maps.ATOMS_AT_ONCE", 50)
    rng, n = np.random.default_rng(1), int(cells.n_atoms[SOME].sum())
    slopes, cotangent = rng.normal(size=(n, DESCRIPTOR.n_components)), rng.normal(size=(n, 3))
    expected = StoredJacobian(cells.structures, DESCRIPTOR, "float64")
    found = MAPS[path](cells.structures, DESCRIPTOR, "float64", EMULATION)
    assert_close(found.forces(SOME, torch.tensor(slopes)), expected.forces(SOME, slopes))
    assert_close(found.adjoint(SOME, cotangent), expected.adjoint(SOME, cotangent))


@pytest.mark.parametrize("widths", [[7], [12, 6], [9, 5, 3, 2]])
def test_stacks_are_those_of_the_cpu(widths):
    """Energies, slopes and gradients; one of the networks gets no atoms."""
    rng, n_descriptors, counts = np.random.default_rng(0), 14, [29, 0, 1, 40]
    descriptors = rng.normal(5, 3, (50, n_descriptors))
    shape = [n_descriptors, *widths, 1]
    parameters = np.stack([initial_parameters(shape, seed, "float64") for seed in range(4)])
    parameters[:, : n_descriptors * widths[0]] *= 100
    mean, scale = rng.normal(5, 1, (4, n_descriptors)), rng.uniform(1, 4, (4, n_descriptors))
    first = np.concatenate([[0], np.cumsum(counts)])
    atoms = rng.integers(0, 50, first[-1])
    by_energy, by_slope = rng.normal(size=first[-1]), rng.normal(size=(first[-1], n_descriptors))

    cpu = NetworkStack(shape, parameters, mean, scale)
    card = CudaNetworkStack(shape, parameters, mean, scale, EMULATION)
    expected, found = (stack.slopes(descriptors, atoms, first) for stack in (cpu, card))
    for array, other in zip(found, expected, strict=True):
        assert_close(array, other)
    assert card.finite(*found).all()
    assert_close(
        card.gradient(by_energy, torch.tensor(by_slope)), cpu.gradient(by_energy, by_slope)
    )


@pytest.mark.parametrize("path", MAPS)
def test_training_on_a_card_gives_the_networks_of_the_cpu(cells, path):
    """Two networks on sets of their own: the same batches, steps, curves and weights."""
    settings = replace(SETTINGS, jacobians=path, energy_scale=0.5 if path == "cached" else None)
    members = [np.arange(12), np.arange(3, 15)]
    options = {"settings": settings, "seeds": [1, 2], "curves": True}
    expected = train_networks(cells, members, **options)
    found = train_networks(cells, members, **options, device=EMULATION)
    for (model, history), (other, other_history) in zip(found, expected, strict=True):
        for name, array in other.arrays().items():
            # steps of Adam follow the sign of a gradient: rounding grows with every step
            np.testing.assert_allclose(model.arrays()[name], array, rtol=1e-7, atol=1e-9)
        for epoch, other_epoch in zip(history, other_history, strict=True):
            assert epoch == pytest.approx(other_epoch, rel=1e-7)


def test_a_training_on_a_card_that_goes_on_ends_with_the_same_bytes(cells):
    """One seed, one result; the sizes that batches are padded to follow from their part."""
    settings = replace(SETTINGS, jacobians="matrix_free")
    members, trainings = [np.arange(12), np.arange(3, 15)], []
    for interrupted in (False, True):
        training = Training(cells, members, settings, [1, 2], EMULATION)
        training.run_part(0)
        if interrupted:
            before, training = training, Training(cells, members, settings, [1, 2], EMULATION)
            training.parameters[:] = before.parameters
            for name in ("means", "squares"):
                getattr(training.optimiser, name)[:] = getattr(before.optimiser, name)
            training.optimiser.steps = before.optimiser.steps
        training.run_part(1)
        trainings.append(training.parameters)
    np.testing.assert_array_equal(*trainings)


def test_a_training_that_diverges_on_a_card_gives_a_sentence(cells):
    settings = replace(SETTINGS, jacobians="matrix_free", learning_rate=1e200)
    with pytest.raises(ValueError, match=r"network 1 of 1 \(seed 1\) is not finite in epoch 1"):
        train_networks(cells, [np.arange(12)], settings, [1], device=EMULATION)


@pytest.mark.parametrize("path", MAPS)
def test_a_step_asks_the_card_for_nothing(cells, path, monkeypatch):
    """Else it could not be queued as a graph: no number read, no array sent, no shape open."""
    settings = replace(SETTINGS, jacobians=path)
    training = Training(cells, [np.arange(4)], settings, [1], EMULATION)
    steps = CudaSteps(training.loss, training.stack, training.optimiser)
    steps.run([[np.arange(4)]], [0.01])
    before = training.parameters.copy()

    def refuse(*_, **__):
        raise AssertionError("a step asked for a number on the card")

    reading = ("item", "__bool__", "__int__", "__float__", "__index__", "tolist", "cpu", "numpy")
    with monkeypatch.context() as patch:
        for name in (*reading, "nonzero", "to_sparse"):
            patch.setattr(torch.Tensor, name, refuse)
        patch.setattr(torch, "tensor", refuse)
        steps._step()
    steps._download(1)
    assert (training.parameters != before).any()


def test_a_graph_is_warmed_up_recorded_and_replayed(monkeypatch):
    """The calls that torch documents, in their order, on a card that is none."""
    calls = []

    class Stream:
        def wait_stream(self, other):
            calls.append("wait")

    class Graph:
        def replay(self):
            calls.append("replay")

    def context(name):
        @contextmanager
        def enter(_):
            calls.append(name)
            yield

        return enter

    for name, thing in {
        "Stream": Stream,
        "CUDAGraph": Graph,
        "current_stream": Stream,
        "stream": context("side stream"),
        "graph": context("graph"),
    }.items():
        monkeypatch.setattr(torch.cuda, name, thing)
    replay = recorded(lambda: calls.append("work"), Device("cuda", "none", Hardware("90", 1)))
    replay()
    warm_up = ["wait", "side stream", "work", "work", "work", "wait"]
    assert calls == [*warm_up, "graph", "work", "replay"]


def test_rows_are_stored_where_they_fit(cells, monkeypatch):
    members = [np.arange(len(cells.energies))]
    size = int(cells.structures.n_neighbours.sum()) * 3 * DESCRIPTOR.n_components * 8
    for room, chosen in ((size, CudaStoredJacobian), (size - 1, CudaComputedJacobian)):
        monkeypatch.setattr("diverse.kernel.cuda_maps.free_memory", lambda _, room=room: room)
        assert isinstance(ForceLoss(cells, members, SETTINGS, EMULATION).map, chosen)


def test_a_checkpoint_of_the_cpu_is_not_continued_on_a_card(cells, tmp_path, monkeypatch):
    members, file = [np.arange(len(cells.energies))], tmp_path / "checkpoint.npz"
    with monkeypatch.context() as patch:
        patch.setattr("diverse.models.network.checkpoint.Checkpoint.remove", lambda _: None)
        options = {"checkpoint": file, "checkpoint_seconds": 0.0}
        train_networks(cells, members, SETTINGS, [1], **options)
        patch.setattr("diverse.models.network.loop.Training.run_part", _refuse)
        train_networks(cells, members, SETTINGS, [1], **options)  # continues where it ended
        with pytest.raises(AssertionError, match="trained anew"):
            train_networks(cells, members, SETTINGS, [1], **options, device=EMULATION)


def _refuse(*_):
    raise AssertionError("trained anew")
