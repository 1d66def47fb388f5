"""Generation on a card, emulated on the host: the pairs, gradients and cells of the CPU."""

import copy

import numpy as np
import pytest
import torch

from diverse.descriptors.statistics import SetStatistics
from diverse.descriptors.whitening import Whitening
from diverse.generate.batch import Batch
from diverse.generate.cuda_batch import CudaBatch
from diverse.generate.cuda_objective import CudaEntropyTerm, core_gradient, shortest_distances
from diverse.generate.cuda_optimiser import relax_on_card, total_gradient
from diverse.generate.entropy import CellEntropy, SetEntropy
from diverse.generate.objective import EntropyTerm, core_repulsion
from diverse.generate.objective import shortest_distances as shortest_on_cpu
from diverse.generate.optimiser import Bounds, OptimiserSettings, relax
from diverse.generate.optimiser import total_gradient as gradient_on_cpu
from diverse.generate.random_cells import SamplerSettings
from diverse.generate.sampling import EntropySettings, Generator, generate_cells
from diverse.kernel import (
    BispectrumSettings,
    GeometryError,
    Kernel,
    neighbour_pairs,
    position_gradient,
    strain_gradient,
)
from diverse.kernel.device import EMULATION

DESCRIPTOR = BispectrumSettings(2, 4.734)
FLOOR = 2.1
BOUNDS = Bounds(FLOOR, (14.0, 30.0), 2.9, 10.0)
PLACE = {"device": EMULATION, "descriptor": DESCRIPTOR}


def random_batch(sizes=(4, 1, 6, 3), seed=0):
    """Return cells of these numbers of atoms, some of them closer than the floor."""
    rng = np.random.default_rng(seed)
    cells, positions = [], []
    for n in sizes:
        cell = (np.eye(3) + rng.uniform(-0.3, 0.3, (3, 3))) * (n * 18.0) ** (1 / 3)
        cells.append(cell)
        positions.append(rng.uniform(-1, 2, size=(n, 3)) @ cell)
    return Batch(
        positions=np.concatenate(positions),
        cells=np.array(cells),
        core=rng.uniform(2.2, 2.9, len(sizes)),
        first_atom=np.append(0, np.cumsum(sizes)),
        failed=np.zeros(len(sizes), dtype=bool),
    )


def on_card(batch):
    return CudaBatch(batch, EMULATION, DESCRIPTOR)


def pairs_on_cpu(batch, cutoff):
    return neighbour_pairs(batch.positions, batch.cells, batch.first_atom, cutoff=cutoff)


def term(name, weight=0.5):
    rng, n = np.random.default_rng(3), DESCRIPTOR.n_components
    whitening = Whitening(rng.normal(size=n), rng.normal(scale=0.1, size=(n, n)))
    earlier = SetStatistics.of(rng.normal(size=(60, n)))
    estimator = CellEntropy() if name == "cell" else SetEntropy(earlier)
    return EntropyTerm(Kernel(DESCRIPTOR), whitening, estimator, weight)


@pytest.mark.parametrize("cutoff", [2.15, 4.734, 11.0])
def test_pairs_and_their_sums_are_those_of_the_cpu(cutoff):
    batch = random_batch()
    expected, there = pairs_on_cpu(batch, cutoff), on_card(batch)
    found = there.pairs(cutoff)
    np.testing.assert_array_equal(found.first, expected.first)

    def ordered(pairs):
        return np.lexsort((*np.round(np.asarray(pairs.vector).T, 9), pairs.neighbour, pairs.center))

    mine, theirs = ordered(found), ordered(expected)
    np.testing.assert_array_equal(found.center[mine], expected.center[theirs])
    np.testing.assert_array_equal(found.neighbour[mine], expected.neighbour[theirs])
    np.testing.assert_allclose(found.vector[mine], expected.vector[theirs], rtol=0, atol=1e-13)
    by_pair = np.empty_like(expected.vector)
    by_pair[theirs] = np.random.default_rng(0).normal(size=by_pair.shape)
    given = torch.empty_like(found.vector)
    given[mine] = torch.tensor(by_pair[theirs])
    for array, other in (
        (
            there.search.position_gradient(found, given),
            position_gradient(expected, by_pair, len(batch.positions)),
        ),
        (
            there.search.strain_gradient(found, given),
            strain_gradient(expected, by_pair, batch.cell_of_atom, len(batch.cells)),
        ),
    ):
        np.testing.assert_allclose(array, other, rtol=0, atol=1e-10)
    np.testing.assert_allclose(
        shortest_distances(there, found), shortest_on_cpu(batch, expected), rtol=1e-14
    )
    core = core_gradient(there, found, FLOOR, stiffness=10.0)
    np.testing.assert_allclose(
        there.search.position_gradient(found, core),
        core_repulsion(batch, expected, FLOOR, stiffness=10.0).positions(),
        atol=1e-10,
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda batch: batch.positions.__setitem__(2, batch.positions[1] + 1e-4),
        lambda batch: batch.positions.__setitem__(3, np.nan),
        lambda batch: batch.positions.__setitem__(0, 1e7),
    ],
)
def test_a_cell_that_cannot_be_searched_is_parked_and_hurts_no_other(spoil):
    good = random_batch()
    there = on_card(good)
    alone = there.pairs(DESCRIPTOR.cutoff).vector[-20:]
    spoil(batch := copy.deepcopy(good))
    there = on_card(batch)
    pairs = there.pairs(DESCRIPTOR.cutoff)
    assert there.failed.tolist() == [True, False, False, False]
    np.testing.assert_array_equal(pairs.vector[-20:], alone)
    batch.park(0)
    np.testing.assert_allclose(there.positions, batch.positions, rtol=1e-14)


def test_a_cell_without_volume_gives_a_sentence():
    batch = random_batch()
    batch.cells[2, 1] = batch.cells[2, 0]
    with pytest.raises(GeometryError, match="Cell 2 has no usable lattice vectors") as caught:
        on_card(batch).pairs(3.0)
    assert caught.value.cell == 2


@pytest.mark.parametrize("name", ["cell", "set"])
def test_gradients_are_those_of_the_cpu(name):
    """Cells of three sizes at once, one of them too close for the entropy."""
    batch, entropy = random_batch((4, 5, 6, 3)), term(name)
    pairs = pairs_on_cpu(batch, DESCRIPTOR.cutoff)
    batch.positions[batch.first_atom[1]] += 0.3 - shortest_on_cpu(batch, pairs)[1]
    pairs = pairs_on_cpu(batch, DESCRIPTOR.cutoff)
    there = on_card(batch)
    found = total_gradient(
        there,
        there.pairs(DESCRIPTOR.cutoff),
        BOUNDS,
        CudaEntropyTerm(entropy, EMULATION),
        with_strain=True,
    )
    expected = gradient_on_cpu(batch, pairs, BOUNDS, entropy, with_strain=True)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9 * np.abs(theirs).max())


@pytest.mark.parametrize("name", ["cell", "set", None])
def test_a_few_steps_lead_where_those_of_the_cpu_do(name):
    """Atoms and cells after all phases; rounding grows a thousandfold in so few steps."""
    settings = OptimiserSettings(steps=3, step_size=0.05)
    expected, entropy = random_batch((4, 5, 3), seed=5), name and term(name)
    found = copy.deepcopy(expected)
    start = expected.positions.copy()
    relax(expected, settings, BOUNDS, entropy)
    relax_on_card(found, settings, BOUNDS, entropy, **PLACE)
    assert np.abs(expected.positions - start).max() > 0.3
    np.testing.assert_allclose(found.positions, expected.positions, atol=1e-7)
    np.testing.assert_allclose(found.cells, expected.cells, atol=1e-7)
    np.testing.assert_array_equal(found.failed, expected.failed)


def test_a_batch_that_does_not_fit_goes_in_halves(monkeypatch, caplog):
    settings = OptimiserSettings(steps=2, step_size=0.05)
    whole, halves = random_batch((3, 4, 3)), random_batch((3, 4, 3))
    relax_on_card(whole, settings, BOUNDS, None, **PLACE)
    pairs, room = CudaBatch.pairs, 7

    def cramped(batch, cutoff):
        if len(batch.positions) > room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return pairs(batch, cutoff)

    monkeypatch.setattr(CudaBatch, "pairs", cramped)
    relax_on_card(halves, settings, BOUNDS, None, **PLACE)
    np.testing.assert_allclose(halves.positions, whole.positions, atol=1e-12)
    assert "no memory for 3 cells: they go there in halves" in caplog.text
    room = 3
    with pytest.raises(RuntimeError, match="no memory left for a cell of 4 atoms: end what"):
        relax_on_card(random_batch((4,)), settings, BOUNDS, None, **PLACE)


def test_cells_made_on_a_card_keep_the_floor_and_are_as_diverse(lattice):
    """Same draws, steps and acceptance: the entropy of small sets agrees within their spread."""
    sampler = SamplerSettings(
        (3, 5), "uniform", (0.9, 1.6), 1.5, (60, 120), FLOOR, (0.9, 1.0), 10.0
    )
    entropies = {}
    for device in (None, EMULATION):
        generator = Generator(
            lattice,
            sampler,
            OptimiserSettings(steps=4, step_size=0.1),
            EntropySettings("set", 0.5),
            DESCRIPTOR,
            Whitening.none(DESCRIPTOR.n_components),
            batch=4,
            device=device,
        )
        samples = [
            generate_cells(
                6,
                generator=generator,
                earlier=SetStatistics.empty(DESCRIPTOR.n_components),
                rng=np.random.default_rng(seed),
            )
            for seed in range(3)
        ]
        entropies[device] = [sample.statistics.entropy() for sample in samples]
        for sample in samples:
            assert len(sample.cells) == 6
    cpu, card = entropies[None], entropies[EMULATION]
    assert np.ptp(cpu) > 0
    assert abs(np.mean(card) - np.mean(cpu)) < np.std(cpu, ddof=1)
