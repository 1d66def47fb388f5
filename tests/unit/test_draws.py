"""Draws: independent divisions of a pool, halves without a common trajectory, and their cells."""

import numpy as np
import pandas as pd
import pytest

from diverse.datasets.draws import (
    draw_cells,
    draws_table,
    members,
    n_draws,
    pooled,
    read_draws,
    stacks,
    subset_sets,
    whole_sets,
)
from diverse.datasets.split import Outline, split_cells
from diverse.structures import random_stream

CUT = {"seed": 7, "test_fraction": 0.25, "train_environments": 300}


def pool(n=120):
    rng = np.random.default_rng(0)
    return [
        Outline(f"group{i % 3}", f"run{i // 2}", int(rng.integers(1, 8)), "p") for i in range(n)
    ]


def test_the_first_draw_is_the_split_that_potentials_are_exported_from():
    cells = pool()
    train, test = split_cells(cells, 0.25, 300, random_stream(7, "split set", 0))
    parts = draw_cells(cells, "set", 0, **CUT)
    assert set(np.flatnonzero(np.isin(parts, ["a", "b"]))) == train
    assert set(np.flatnonzero(parts == "test")) == test
    assert set(parts) == {"a", "b", "test", "spare"}


@pytest.mark.parametrize("draw", range(5))
def test_halves_and_test_part_share_no_trajectory(draw):
    cells = pool()
    parts = draw_cells(cells, "set", draw, **CUT)
    runs = {
        part: {(cells[i].group, cells[i].trajectory) for i in np.flatnonzero(parts == part)}
        for part in ("a", "b", "test")
    }
    assert all(runs.values())
    assert not runs["a"] & runs["b"]
    assert not (runs["a"] | runs["b"]) & runs["test"]
    sizes = [sum(cells[i].environments for i in np.flatnonzero(parts == p)) for p in ("a", "b")]
    assert abs(sizes[0] - sizes[1]) < 0.25 * sum(sizes)


def test_draws_differ_and_follow_from_seed_and_name():
    cells = pool()
    found = [draw_cells(cells, "set", draw, **CUT) for draw in range(4)]
    assert len({tuple(parts) for parts in found}) == 4
    assert (draw_cells(cells, "set", 2, **CUT) == found[2]).all()
    assert (draw_cells(cells, "other", 2, **CUT) != found[2]).any()


def test_test_sets_and_pools_are_not_divided():
    cells = pool()
    assert set(draw_cells(cells, "set", 3, **{**CUT, "test_fraction": 1.0})) == {"test"}
    whole = {**CUT, "test_fraction": 0.0, "train_environments": None}
    assert set(draw_cells(cells, "set", 3, **whole)) == {"a", "b"}


def test_one_trajectory_gives_a_part_that_is_empty_and_no_error():
    parts = draw_cells([Outline("g", "run", 4, "p")] * 5, "set", 0, **CUT)
    assert len(set(parts)) == 1


def test_the_table_of_draws_is_read_back_and_gives_training_sets(tmp_path):
    cells = pool(12)
    parts = [draw_cells(cells, "set", draw, **CUT) for draw in range(2)]
    table = draws_table(cells, [f"k{i}" for i in range(12)], parts)
    table.loc[0, "group"] = "300"
    table.to_csv(tmp_path / "draws.csv", index=False)
    back = read_draws(tmp_path / "draws.csv")
    assert back.loc[0, "group"] == "300"
    assert n_draws(back) == 2
    sets = list(whole_sets("set", back))
    assert [(s.draw, s.part) for s in sets] == [
        *((0, "whole"), (0, "a"), (0, "b")),
        *((1, "whole"), (1, "a"), (1, "b")),
    ]
    for draw in range(2):
        whole, *halves = (set(s.cells) for s in sets if s.draw == draw)
        assert whole == halves[0] | halves[1]
        assert whole == set(members({"set": back}, draw, "whole"))
        assert whole == {("set", i) for i in np.flatnonzero(np.isin(parts[draw], ["a", "b"]))}


def test_subsets_are_read_by_name_and_draw(tmp_path):
    rows = [("small", 0, "x", 3), ("small", 0, "y", 1), ("small", 1, "x", 2), ("big", 0, "x", 0)]
    path = tmp_path / "subsets.csv"
    pd.DataFrame(rows, columns=["subset", "draw", "source", "cell"]).to_csv(path, index=False)
    found = subset_sets(path, ["small"])
    assert [(s.train, s.draw, s.part, s.cells) for s in found] == [
        ("small", 0, "whole", [("x", 3), ("y", 1)]),
        ("small", 1, "whole", [("x", 2)]),
    ]


def test_seeds_are_those_of_the_export_on_the_first_draw_and_others_elsewhere():
    cells = pool(12)
    parts = [draw_cells(cells, "set", draw, **CUT) for draw in range(2)]
    sets = list(whole_sets("set", draws_table(cells, [""] * 12, parts)))
    exported = int(random_stream(5, "set deep", 1).integers(2**31))
    assert sets[0].seed(5, "deep", 1) == exported
    assert len({s.seed(5, "deep", 0) for s in sets}) == len(sets)


def test_networks_of_like_size_are_trained_at_once_with_further_seeds_on_the_first_draw():
    cells = pool(12)
    parts = [draw_cells(cells, "set", draw, **CUT) for draw in range(2)]
    sets = list(whole_sets("set", draws_table(cells, [""] * 12, parts)))
    whole, halves = stacks(sets, 3)
    assert [(d.draw, d.part, seed) for d, seed in whole] == [
        *((0, "whole", 0), (1, "whole", 0), (0, "whole", 1), (0, "whole", 2)),
    ]
    assert [(d.draw, d.part) for d, _ in halves] == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
    found, members = pooled([drawn for drawn, _ in halves])
    assert len(set(found)) == len(found)
    for (drawn, _), numbers in zip(halves, members, strict=True):
        assert [found[number] for number in numbers] == drawn.cells
