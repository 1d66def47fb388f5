"""Periodic neighbour pairs against vesin and matscipy, updates, and bad input."""

import matscipy.neighbours
import numpy as np
import pytest
import vesin
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from diverse.kernel import CandidatePairs, GeometryError, NeighbourPairs, neighbour_pairs
from kernel_cases import CUTOFF, triclinic


def as_set(center: np.ndarray, neighbour: np.ndarray, shift: np.ndarray) -> set[tuple[int, ...]]:
    return set(map(tuple, np.column_stack([center, neighbour, shift]).tolist()))


def search(
    positions: np.ndarray, cell: np.ndarray, cutoff: float = CUTOFF, pbc: object = True
) -> NeighbourPairs:
    """Return the pairs of one cell, after checking what every list must fulfil."""
    n = len(positions)
    pbc = np.broadcast_to(pbc, (1, 3))
    pairs = neighbour_pairs(positions, cell[None], np.array([0, n]), cutoff=cutoff, pbc=pbc)
    vector = positions[pairs.neighbour] + pairs.shift @ cell - positions[pairs.center]
    np.testing.assert_allclose(pairs.vector, vector, atol=1e-12 * (1 + abs(vector).max(initial=0)))
    assert np.linalg.norm(pairs.vector, axis=1).max(initial=0) < cutoff
    np.testing.assert_array_equal(pairs.center, np.repeat(np.arange(n), np.diff(pairs.first)))
    found = as_set(pairs.center, pairs.neighbour, pairs.shift)
    assert len(found) == len(pairs.center)
    assert found == as_set(pairs.neighbour, pairs.center, -pairs.shift)
    return pairs


def from_vesin(
    positions: np.ndarray, cell: np.ndarray, cutoff: float, pbc: object
) -> set[tuple[int, ...]]:
    calculator = vesin.NeighborList(cutoff=cutoff, full_list=True)
    return as_set(
        *calculator.compute(positions, cell, np.broadcast_to(pbc, 3).tolist(), quantities="ijS")
    )


def from_matscipy(
    positions: np.ndarray, cell: np.ndarray, cutoff: float, pbc: object
) -> set[tuple[int, ...]]:
    i, j, shift = matscipy.neighbours.neighbour_list(
        "ijS", cutoff=cutoff, positions=positions, cell=cell, pbc=np.broadcast_to(pbc, 3)
    )
    return as_set(i, j, shift)


def random_cell(seed: int, n_atoms: int, thin: float, skew: float) -> tuple[np.ndarray, ...]:
    """Return atoms in a cell of one short lattice vector and any shape; some lie outside it."""
    rng = np.random.default_rng(seed)
    cell = rng.normal(size=(3, 3)) + 2 * np.eye(3)
    cell *= (16 * n_atoms / abs(np.linalg.det(cell))) ** (1 / 3)
    cell[rng.integers(3)] *= thin
    cell[rng.integers(3)] += skew * cell[rng.integers(3)]
    if abs(np.linalg.det(cell)) < 1:
        cell += 3 * np.eye(3)
    return rng.uniform(-1, 2, size=(n_atoms, 3)) @ cell, cell


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 40),
    st.sampled_from([0.15, 0.5, 1.0]),
    st.sampled_from([0.0, 1.7, -6.3]),
    st.tuples(*[st.booleans()] * 3),
)
def test_equals_vesin_and_matscipy(
    seed: int, n_atoms: int, thin: float, skew: float, pbc: tuple[bool, bool, bool]
) -> None:
    positions, cell = random_cell(seed, n_atoms, thin, skew)
    pairs = search(positions, cell, pbc=pbc)
    found = as_set(pairs.center, pairs.neighbour, pairs.shift)
    assert found == from_vesin(positions, cell, CUTOFF, pbc)
    assert found == from_matscipy(positions, cell, CUTOFF, pbc)


def test_ten_thousand_atoms_equal_vesin() -> None:
    atoms = bulk("W", "bcc", a=3.165, cubic=True) * (17, 17, 18)
    atoms.positions += np.random.default_rng(0).normal(scale=0.15, size=(len(atoms), 3))
    assert len(atoms) > 10_000
    pairs = search(atoms.positions, atoms.cell.array)
    found = as_set(pairs.center, pairs.neighbour, pairs.shift)
    assert found == from_vesin(atoms.positions, atoms.cell.array, CUTOFF, True)


def test_one_atom_of_bcc_has_its_shells() -> None:
    primitive = bulk("W", "bcc", a=3.165)
    pairs = search(primitive.positions, primitive.cell.array, cutoff=5.3)
    lengths = np.linalg.norm(pairs.vector, axis=1).round(6)
    shells = dict(zip(*np.unique(lengths, return_counts=True), strict=True))
    expected = {
        3.165 * factor: n
        for factor, n in ((np.sqrt(0.75), 8), (1, 6), (np.sqrt(2), 12), (np.sqrt(2.75), 24))
    }
    assert shells == {float(np.round(r, 6)): n for r, n in expected.items()}


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_is_its_cells_one_by_one(threads: int) -> None:
    members = [triclinic(n, seed) for seed, n in enumerate((3, 1, 16, 2, 7))]
    first_atom = np.append(0, np.cumsum([case.n_atoms for case in members]))
    pairs = neighbour_pairs(
        np.concatenate([case.positions for case in members]),
        np.stack([case.cell for case in members]),
        first_atom,
        cutoff=CUTOFF,
        threads=threads,
    )
    alone = [case.pairs() for case in members]
    for name, offset in (("center", 1), ("neighbour", 1), ("vector", 0), ("shift", 0)):
        parts = [getattr(p, name) + offset * n for p, n in zip(alone, first_atom[:-1], strict=True)]
        np.testing.assert_array_equal(getattr(pairs, name), np.concatenate(parts))


def sorted_rows(pairs: NeighbourPairs) -> tuple[np.ndarray, np.ndarray]:
    keys = np.column_stack([pairs.center, pairs.neighbour, pairs.shift])
    order = np.lexsort(keys.T[::-1])
    return keys[order], pairs.vector[order]


def batch_of(n_cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    members = [triclinic(6, seed) for seed in range(n_cells)]
    positions = np.concatenate([case.positions for case in members])
    return positions, np.stack([case.cell for case in members]), np.arange(n_cells + 1) * 6


@pytest.mark.parametrize("strain", [0.0, 0.01])
def test_update_is_exact_while_atoms_and_cells_move(strain: float) -> None:
    positions, cells, first_atom = batch_of(8)
    candidates = CandidatePairs(positions, cells, first_atom, cutoff=CUTOFF, skin=0.8)
    rng = np.random.default_rng(3)
    for _ in range(30):
        change = np.eye(3) + rng.normal(scale=strain, size=(8, 3, 3))
        cells = cells @ change
        positions = np.einsum("ix,ixy->iy", positions, np.repeat(change, 6, axis=0))
        positions = positions + rng.normal(scale=0.04, size=positions.shape)
        updated = sorted_rows(candidates.update(positions, cells))
        fresh = sorted_rows(neighbour_pairs(positions, cells, first_atom, cutoff=CUTOFF))
        for a, b in zip(updated, fresh, strict=True):
            np.testing.assert_array_equal(a, b)
    assert 8 < candidates.n_cell_searches < 30 * 8  # some searches, but not at every step


def test_update_searches_only_cells_that_moved_far() -> None:
    positions, cells, first_atom = batch_of(4)
    candidates = CandidatePairs(positions, cells, first_atom, cutoff=CUTOFF, skin=0.8)
    moved = positions.copy()
    moved[7] += 3.0  # in cell 1
    moved[20] += 0.1  # in cell 3
    pairs = candidates.update(moved, cells)
    assert candidates.n_cell_searches == 5
    fresh = neighbour_pairs(moved, cells, first_atom, cutoff=CUTOFF)
    np.testing.assert_array_equal(sorted_rows(pairs)[1], sorted_rows(fresh)[1])


POSITIONS, CELL = np.array([[0.1, 0.2, 0.3], [2.0, 2.0, 2.0]]), np.eye(3) * 4.0


def bad_second_cell(positions: np.ndarray, cell: np.ndarray, cutoff: float = CUTOFF) -> None:
    """Search a batch of a good cell and a bad one."""
    neighbour_pairs(
        np.concatenate([POSITIONS, positions]),
        np.stack([CELL, cell]),
        np.array([0, 2, 2 + len(positions)]),
        cutoff=cutoff,
    )


FLAT = np.array([[1.0, 0, 0], [0, 1.0, 0], [1.0, 1.0, 0]])
BAD_CELLS = {
    "Cell 1 has no volume.*three independent": (POSITIONS, FLAT),
    "Cell 1 has no volume, or a lattice vector that is not finite": (POSITIONS, CELL * np.nan),
    "Atom 1 of cell 1 is at .*nan.* not finite": (POSITIONS * [[1], [np.nan]], CELL),
    "Atom 0 of cell 1 is at .* over 1e.06 Å from the origin": (POSITIONS + 1e7, CELL),
    "Atom 0 of cell 1 overlaps atom 1, or one of its images": (POSITIONS[[0, 0]] + 4, CELL),
    "Atom 0 of cell 1 overlaps atom 0": (POSITIONS[:1], np.diag([5e-4, 4, 4])),
    "Atom 0 of cell 1 would have more than 20000 neighbours within 4.734": (
        *(POSITIONS[:1], np.eye(3) * 0.2),
    ),
    "Atom 0 of cell 1 would have more than 20000 .*too thin or too dense": (
        *(POSITIONS[:1], np.diag([1e-2, 1e-2, 1e-2])),
    ),
}


@pytest.mark.parametrize("message", BAD_CELLS)
def test_bad_cells_give_a_sentence(message: str) -> None:
    with pytest.raises(GeometryError, match=message) as caught:
        bad_second_cell(*BAD_CELLS[message])
    assert caught.value.cell == 1


def test_update_names_the_bad_cell() -> None:
    positions, cells, first_atom = batch_of(3)
    candidates = CandidatePairs(positions, cells, first_atom, cutoff=CUTOFF, skin=0.5)
    moved = positions.copy()
    moved[14] = moved[12] + 1e-5
    with pytest.raises(GeometryError, match="Atom 0 of cell 2 overlaps atom 2") as caught:
        candidates.update(moved, cells)
    assert caught.value.cell == 2
    with pytest.raises(ValueError, match="keep the shapes|first_atom must be"):
        candidates.update(moved[:-1], cells)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((POSITIONS[:, :2], CELL[None], [0, 2]), "positions has the shape"),
        ((POSITIONS, CELL, [0, 2]), "cells has the shape"),
        ((POSITIONS, CELL[None], [0, 1]), "from 0 to the number of atoms, 2"),
        ((POSITIONS, CELL[None], [0, 1, 2]), "first_atom must be 2 numbers"),
    ],
)
def test_arrays_that_do_not_fit_give_a_sentence(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        neighbour_pairs(*arguments, cutoff=CUTOFF)


def test_bad_cutoff_and_skin_give_a_sentence() -> None:
    with pytest.raises(ValueError, match="cutoff is 0"):
        neighbour_pairs(POSITIONS, CELL[None], [0, 2], cutoff=0)
    with pytest.raises(ValueError, match="skin is -1"):
        CandidatePairs(POSITIONS, CELL[None], [0, 2], cutoff=4, skin=-1)
