"""Training and test parts: whole trajectories, every group, equal sizes."""

import numpy as np
import pytest
from ase import Atoms

from diverse.datasets.split import MixedLabelsError, Outline, check_labels, split_cells


def make_cells(groups, trajectories=8, per_trajectory=3, atoms=2, protocol="fine"):
    return [
        Outline(group, f"{group}_{trajectory}", atoms, protocol)
        for group in groups
        for trajectory in range(trajectories)
        for _ in range(per_trajectory)
    ]


def test_outline_of_a_cell():
    tags = {"config_type": "eos", "trajectory": "3", "dataset": "d"}
    assert Outline.of(Atoms("W3", info=tags)) == ("eos", "3", 3, None)
    assert Outline.of(Atoms("W", info=tags | {"protocol": "p"})) == ("eos", "3", 1, "p")


def test_parts_share_no_trajectory_and_lose_no_cell():
    cells = make_cells(["a", "b"])
    train, test = split_cells(cells, 0.25, None, np.random.default_rng(0))
    assert not {cells[i].trajectory for i in train} & {cells[i].trajectory for i in test}
    assert sorted([*train, *test]) == list(range(len(cells)))


@pytest.mark.parametrize("seed", range(5))
def test_every_group_gives_its_share(seed):
    cells = make_cells(["a", "b", "c"])
    _, test = split_cells(cells, 0.25, None, np.random.default_rng(seed))
    for group in "abc":
        held_out = {cells[i].trajectory for i in test if cells[i].group == group}
        assert len(held_out) == 2


def test_everything_is_test():
    cells = make_cells(["a"])
    train, test = split_cells(cells, 1.0, 10, np.random.default_rng(0))
    assert train == set()
    assert len(test) == len(cells)


def test_training_part_is_cut_to_size():
    cells = make_cells(["a"]) + make_cells(["b"], atoms=3)
    train, _ = split_cells(cells, 0.25, 40, np.random.default_rng(0))
    assert 38 <= sum(cells[i].environments for i in train) <= 40


def test_same_stream_same_split():
    cells = make_cells(["a", "b"])
    parts = [split_cells(cells, 0.3, 30, np.random.default_rng(7)) for _ in range(2)]
    assert parts[0] == parts[1]


def test_labels_of_two_protocols_are_refused():
    cells = make_cells(["a"], trajectories=2, per_trajectory=2)
    cells += make_cells(["a"], trajectories=1, per_trajectory=1, protocol="coarse")
    sentence = r"data set d mixes labels of 2 protocols.*fine \(4 cells\), coarse \(1 cells\)"
    with pytest.raises(MixedLabelsError, match=sentence):
        check_labels(cells, "d")
    check_labels(cells[:4], "d")
    check_labels([], "d")
