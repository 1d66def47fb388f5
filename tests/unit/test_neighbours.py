"""Neighbour pairs of ASE cells against ASE's own search, and clear words for bad cells."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

from diverse.neighbours import find_pairs, shortest_distance


@pytest.mark.parametrize("name", ["bulk", "slab", *[f"triclinic{n}" for n in (1, 2, 5, 16)]])
def test_equals_ase(cells, name):
    pairs = find_pairs([cells[name]], 5.0)
    center, neighbour, vector = neighbor_list("ijD", cells[name], 5.0)

    def ordered(i, j, d):
        rows = np.column_stack([i, j, d.round(8)])
        return rows[np.lexsort(rows.T)]

    np.testing.assert_allclose(
        ordered(pairs.center, pairs.neighbour, pairs.vector), ordered(center, neighbour, vector)
    )
    assert (np.diff(pairs.center) >= 0).all()


def test_batch_is_the_cells_in_line(cells):
    batch = find_pairs([cells["triclinic2"], cells["triclinic5"]], 5.0)
    second = find_pairs([cells["triclinic5"]], 5.0)
    np.testing.assert_array_equal(batch.center[batch.center >= 2] - 2, second.center)
    np.testing.assert_array_equal(batch.vector[batch.center >= 2], second.vector)
    assert batch.cell_of_atom.tolist() == [0] * 2 + [1] * 5


def test_shortest_distance_sees_images():
    atoms = Atoms("W", cell=[2.5, 6, 6], pbc=True)
    assert shortest_distance(atoms) == pytest.approx(2.5)
    assert shortest_distance(Atoms("W", cell=[30, 30, 2.2], pbc=True)) == pytest.approx(2.2)


def test_bad_cells_are_named():
    good = Atoms("W", cell=[3, 3, 3], pbc=True)
    broken = Atoms("W", positions=[[np.nan, 0, 0]], cell=[3, 3, 3], pbc=True)
    with pytest.raises(ValueError, match="cell 1"):
        find_pairs([good, broken], 4.0)
    with pytest.raises(ValueError, match=r"[Cc]ell 0 .*volume"):
        find_pairs([Atoms("W", cell=[3, 3, 0], pbc=True)], 4.0)
