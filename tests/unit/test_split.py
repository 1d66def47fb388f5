"""Training and test parts: whole trajectories, every group, equal sizes."""

import numpy as np
import pytest
from ase import Atoms

from diverse.split import MixedLabelsError, check_labels, split_cells


def make_cells(groups, trajectories=8, per_trajectory=3, atoms=2):
    return [
        Atoms(f"W{atoms}", info={"config_type": g, "trajectory": f"{g}_{t}", "key": f"{g}{t}{i}"})
        for g in groups
        for t in range(trajectories)
        for i in range(per_trajectory)
    ]


def keys(cells):
    return [cell.info["key"] for cell in cells]


def test_parts_share_no_trajectory_and_lose_no_cell():
    cells = make_cells(["a", "b"])
    train, test = split_cells(cells, 0.25, None, np.random.default_rng(0))
    assert not {c.info["trajectory"] for c in train} & {c.info["trajectory"] for c in test}
    assert sorted(keys(train) + keys(test)) == sorted(keys(cells))


@pytest.mark.parametrize("seed", range(5))
def test_every_group_gives_its_share(seed):
    _, test = split_cells(make_cells(["a", "b", "c"]), 0.25, None, np.random.default_rng(seed))
    for group in "abc":
        held_out = {c.info["trajectory"] for c in test if c.info["config_type"] == group}
        assert len(held_out) == 2


def test_everything_is_test():
    cells = make_cells(["a"])
    train, test = split_cells(cells, 1.0, 10, np.random.default_rng(0))
    assert train == []
    assert len(test) == len(cells)


def test_training_part_is_cut_to_size():
    cells = make_cells(["a"]) + make_cells(["b"], atoms=3)
    train, _ = split_cells(cells, 0.25, 40, np.random.default_rng(0))
    assert 38 <= sum(map(len, train)) <= 40


def test_same_stream_same_split():
    cells = make_cells(["a", "b"])
    parts = [split_cells(cells, 0.3, 30, np.random.default_rng(7)) for _ in range(2)]
    assert [keys(p) for p in parts[0]] == [keys(p) for p in parts[1]]


def test_labels_of_two_protocols_are_refused():
    cells = make_cells(["a"], trajectories=2)
    for index, cell in enumerate(cells):
        cell.info["protocol"] = "coarse" if index == 4 else "fine"
    sentence = r"data set d mixes labels of 2 protocols.*fine \(5 cells\), coarse \(1 cells\)"
    with pytest.raises(MixedLabelsError, match=sentence):
        check_labels(cells, "d")
    check_labels(cells[:4], "d")
    check_labels([], "d")
