"""The objective's derivatives, and how atoms and cells move down it."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from diverse.descriptors.statistics import SetStatistics
from diverse.descriptors.whitening import Whitening
from diverse.generate.acceptance import Gate
from diverse.generate.batch import Batch, equal_sizes
from diverse.generate.entropy import CellEntropy, SetEntropy
from diverse.generate.objective import (
    WALL_STIFFNESS,
    EntropyTerm,
    clipped,
    core_repulsion,
    shortest_distances,
)
from diverse.generate.optimiser import Bounds, OptimiserSettings, relax, total_gradient
from diverse.kernel import BispectrumSettings, Kernel, neighbour_pairs
from diverse.neighbours import shortest_distance

DESCRIPTOR = BispectrumSettings(4, 4.734)
FLOOR = 2.1
STIFFNESS = 10.0
BOUNDS = Bounds(FLOOR, (14.0, 30.0), 2.9, STIFFNESS)
STEP = 1e-5  # Å, or strain
# central differences of values up to 1e2 with third derivatives up to 1e5: truncation
# STEP^2 * 1e5 / 6, rounding 1e2 * eps / STEP; ten times both
DIFFERENCE = 2e-5


def cells_of(cells, names=("triclinic5", "triclinic16", "bulk")):
    return [cells[name] for name in names]


def random_batch(lattice, n_cells=6, seed=0, sizes=(3, 7)):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n_cells):
        n = int(rng.integers(*sizes))
        cell = (np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3))) * (n * 20.0) ** (1 / 3)
        made.append(Atoms(["W"] * n, rng.uniform(size=(n, 3)) @ cell, cell=cell, pbc=True))
    return Batch.of(made, rng.uniform(2.2, 2.9, n_cells))


def pairs_of(batch, cutoff=DESCRIPTOR.cutoff):
    return neighbour_pairs(batch.positions, batch.cells, batch.first_atom, cutoff=cutoff)


@pytest.fixture(scope="module")
def whitening():
    rng = np.random.default_rng(0)
    return Whitening(rng.normal(size=14), rng.normal(scale=0.1, size=(14, 14)))


def term(whitening, name, weight=0.1, threads=1):
    rng = np.random.default_rng(1)
    earlier = SetStatistics.of(rng.normal(size=(60, 14)))
    estimator = CellEntropy() if name == "cell" else SetEntropy(earlier)
    return EntropyTerm(Kernel(DESCRIPTOR, threads=threads), whitening, estimator, weight)


def values(batch, entropy):
    pairs = pairs_of(batch)
    everywhere = np.ones(len(batch.cells), dtype=bool)
    return (
        core_repulsion(batch, pairs, FLOOR, stiffness=STIFFNESS).value
        + entropy(batch, pairs, everywhere).value
    )


@pytest.mark.parametrize("name", ["cell", "set"])
def test_objective_by_positions_and_strain_equals_finite_differences(lattice, whitening, name):
    batch, entropy = random_batch(lattice), term(whitening, name)
    pairs = pairs_of(batch)
    everywhere = np.ones(len(batch.cells), dtype=bool)
    parts = (
        core_repulsion(batch, pairs, FLOOR, stiffness=STIFFNESS),
        entropy(batch, pairs, everywhere),
    )
    positions, strain = sum(p.positions() for p in parts), sum(p.strain() for p in parts)
    slack = DIFFERENCE * max(1.0, abs(positions).max())
    for atom, axis in [(0, 0), (4, 1), (11, 2), (len(positions) - 1, 0)]:
        change = []
        for sign in (1, -1):
            moved = copy.deepcopy(batch)
            moved.positions[atom, axis] += sign * STEP
            change.append(values(moved, entropy).sum())
        expected = (change[0] - change[1]) / (2 * STEP)
        assert positions[atom, axis] == pytest.approx(expected, abs=slack)
    for row, column in np.ndindex(3, 3):
        change = []
        for sign in (1, -1):
            deformation = np.eye(3)
            deformation[row, column] += sign * STEP
            moved = replace(
                batch, positions=batch.positions @ deformation, cells=batch.cells @ deformation
            )
            change.append(values(moved, entropy))
        expected = (change[0] - change[1]) / (2 * STEP)
        slack = DIFFERENCE * max(1.0, abs(strain).max())
        np.testing.assert_allclose(strain[:, row, column], expected, atol=slack)


@pytest.mark.parametrize("name", ["cell", "set"])
def test_entropy_term_is_minus_k_times_the_entropy_of_each_active_cell(lattice, whitening, name):
    batch, entropy = random_batch(lattice), term(whitening, name, weight=0.3)
    pairs, active = pairs_of(batch), np.array([True, True, False, True, False, True])
    found = entropy(batch, pairs, active)
    descriptors = entropy.kernel.forward(pairs.vector, pairs.first)
    for number, is_active in enumerate(active):
        own = whitening(descriptors[batch.cell_of_atom == number])
        expected = -0.3 * entropy.estimator(own[None])[0][0] if is_active else 0.0
        assert found.value[number] == pytest.approx(expected, rel=1e-10)
    of_pair = batch.cell_of_atom[pairs.center]
    moved = np.bincount(of_pair, weights=abs(found.by_pair).sum(axis=1), minlength=len(active))
    np.testing.assert_array_equal(moved > 0, active)


def test_core_of_two_atoms_in_closed_form():
    batch = Batch(
        positions=np.array([[0.0, 0, 0], [2.0, 0, 0]]),
        cells=10 * np.eye(3)[None],
        core=np.array([2.5]),
        first_atom=np.array([0, 2]),
        failed=np.zeros(1, dtype=bool),
    )
    core = core_repulsion(batch, pairs_of(batch), FLOOR, stiffness=STIFFNESS)
    soft, wall = 2.5 - 2.0, FLOOR + 0.05 - 2.0
    energy = 0.5 * (STIFFNESS * soft**2 + WALL_STIFFNESS * wall**2)
    force = STIFFNESS * soft + WALL_STIFFNESS * wall
    assert core.value[0] == pytest.approx(energy, rel=1e-12)
    np.testing.assert_allclose(core.positions()[:, 0], [force, -force], rtol=1e-12)
    assert core.strain()[0, 0, 0] == pytest.approx(-2.0 * force, rel=1e-12)
    only_wall = core_repulsion(batch, pairs_of(batch), FLOOR, stiffness=0)
    assert only_wall.value[0] == pytest.approx(0.5 * WALL_STIFFNESS * wall**2, rel=1e-12)


def test_entropy_is_off_below_the_floor(lattice, whitening):
    batch = random_batch(lattice)
    near = batch.first_atom[2]
    batch.positions[near + 1] = batch.positions[near] + [FLOOR - 0.05, 0, 0]
    pairs = pairs_of(batch)
    assert shortest_distances(batch, pairs)[2] < FLOOR - 0.03
    total, _ = total_gradient(batch, pairs, BOUNDS, term(whitening, "set"), with_strain=False)
    core = core_repulsion(batch, pairs, FLOOR, stiffness=STIFFNESS).positions()
    inside = slice(near, batch.first_atom[3])
    assert (total[inside] == core[inside]).all()


def test_clipping_shortens_only_what_is_too_long():
    rows = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    np.testing.assert_allclose(clipped(rows, 2.0), [[1.2, 1.6], [0.3, 0.4], [0.0, 0.0]])


def test_shortest_distances_equal_those_of_the_cells(cells):
    batch = Batch.of(cells_of(cells), np.ones(3))
    expected = [shortest_distance(cell) for cell in cells_of(cells)]
    np.testing.assert_allclose(shortest_distances(batch, pairs_of(batch)), expected, rtol=1e-12)


def test_equal_sizes_deal_out_every_atom_once():
    sizes = np.array([3, 5, 3, 1])
    dealt = {tuple(m): a for m, a in equal_sizes(sizes)}
    assert set(dealt) == {(3,), (0, 2), (1,)}
    assert sorted(np.concatenate([a.ravel() for a in dealt.values()])) == list(range(12))
    np.testing.assert_array_equal(dealt[0, 2], [[0, 1, 2], [8, 9, 10]])


SETTINGS = OptimiserSettings(steps=15, step_size=0.05)


@pytest.mark.parametrize("name", ["cell", "set"])
def test_a_cell_goes_its_way_whatever_else_is_in_the_batch(lattice, whitening, name):
    together = random_batch(lattice, 8)
    firsts = together.first_atom
    alone = []
    for cell in range(8):
        atoms = slice(*firsts[cell : cell + 2])
        alone.append(
            Batch(
                positions=together.positions[atoms].copy(),
                cells=together.cells[[cell]].copy(),
                core=together.core[[cell]],
                first_atom=np.array([0, firsts[cell + 1] - firsts[cell]]),
                failed=np.zeros(1, dtype=bool),
            )
        )
    relax(together, SETTINGS, BOUNDS, term(whitening, name))
    for cell, single in enumerate(alone):
        relax(single, SETTINGS, BOUNDS, term(whitening, name))
        # the neighbour list orders sums over pairs the same for both, so to the last bit
        assert (single.positions == together.positions[slice(*firsts[cell : cell + 2])]).all()
        assert (single.cells[0] == together.cells[cell]).all()


def test_threads_change_nothing(lattice, whitening):
    results = []
    for threads in (1, 2, 3):
        batch = random_batch(lattice, 8)
        settings = replace(SETTINGS, threads=threads)
        relax(batch, settings, BOUNDS, term(whitening, "set", threads=threads))
        results.append(batch)
    for other in results[1:]:
        assert (other.positions == results[0].positions).all()
        assert (other.cells == results[0].cells).all()


def test_volumes_keep_their_bounds_and_cells_keep_their_shape_unless_relaxed(lattice, whitening):
    batch = random_batch(lattice)
    before = batch.cells.copy()
    tight = Bounds(FLOOR, (19.5, 20.5), 2.9, STIFFNESS)
    batch.cells *= np.cbrt(20 * batch.sizes / batch.volumes)[:, None, None]
    before = batch.cells.copy()
    relax(batch, replace(SETTINGS, relax_cell=False), tight, term(whitening, "set", weight=1))
    assert (batch.cells == before).all()
    relax(batch, SETTINGS, tight, term(whitening, "set", weight=1))
    assert (batch.cells != before).any()
    per_atom = batch.volumes / batch.sizes
    assert (per_atom > 19.5 * (1 - 1e-12)).all() and (per_atom < 20.5 * (1 + 1e-12)).all()


def test_overlapping_atoms_fail_alone(lattice, whitening):
    batch, clean = random_batch(lattice), random_batch(lattice)
    batch.positions[batch.first_atom[3] + 1] = batch.positions[batch.first_atom[3]]
    relax(batch, SETTINGS, BOUNDS, term(whitening, "set"))
    relax(clean, SETTINGS, BOUNDS, term(whitening, "set"))
    assert batch.failed.tolist() == [False, False, False, True, False, False]
    others = batch.cell_of_atom != 3
    assert (batch.positions[others] == clean.positions[others]).all()


def test_gate_counts_by_reason():
    gate, white = Gate(2.1), np.random.default_rng(0).normal(size=(4, 3))
    assert gate.verdict(white, 2.05, failed=False) == "too close"
    assert gate.verdict(white, 2.5, failed=True) == "not finite"
    assert gate.verdict(white * np.nan, 2.5, failed=False) == "not finite"
    assert gate.verdict(white, 2.5, failed=False) == "accepted"
    assert gate.verdict(white[::-1], 2.5, failed=False) == "duplicate"
    assert gate.verdict(white + 0.01, 2.5, failed=False) == "accepted"
    assert gate.verdict(white[:3], 2.5, failed=False) == "accepted"
