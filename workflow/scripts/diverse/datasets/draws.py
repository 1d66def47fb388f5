"""Draws: independent ways of dividing a pool of labelled cells, each with two disjoint halves.

Which cells a training set happened to get changes its errors more than which cells they are
measured on. Every comparison is therefore made over many draws: of each, a training and a test
part, and two halves of the training part that share no trajectory. The spread between halves says
how much a training set of another draw would differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from diverse.datasets.split import Outline, split_cells
from diverse.structures import random_stream

WHOLE = "whole"
PARTS = {WHOLE: ("a", "b"), "a": ("a",), "b": ("b",)}  # values in the table of draws
TEST, SPARE = "test", "spare"


def draw_cells(
    cells: Sequence[Outline],
    dataset: str,
    draw: int,
    *,
    seed: int,
    test_fraction: float,
    train_environments: int | None,
    clusters: Sequence[int] | None = None,
) -> np.ndarray:
    """Divide the labelled cells of a data set; another number of the draw divides them anew.

    Parameters
    ----------
    cells : sequence of Outline
    dataset : str
        Name, from which, with `seed`, the random stream of the draw follows.
    draw : int
    seed : int
    test_fraction, train_environments, clusters
        Parameters of `split_cells`.

    Returns
    -------
    ndarray of str, shape (n_cells,)
        ``a`` and ``b``, the halves of the training part; ``test``; ``spare``, cells beyond
        `train_environments`. Halves share no trajectory, and divide each group evenly.
    """
    rng = random_stream(seed, f"split {dataset}", draw)
    train, test = split_cells(cells, test_fraction, train_environments, rng, clusters)
    places = np.array(sorted(train), dtype=int)
    first, _ = split_cells([cells[place] for place in places], 0.5, None, rng)
    parts = np.full(len(cells), SPARE, dtype=object)
    parts[sorted(test)] = TEST
    parts[places] = "b"
    parts[places[sorted(first)]] = "a"
    return parts


def draws_table(
    cells: Sequence[Outline],
    keys: Sequence[str],
    parts: Sequence[np.ndarray],
    blocks: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the table of draws: a row for each labelled cell, a column for each draw.

    Columns ``cell`` (its place among the labelled cells), ``key``, ``group``, ``trajectory``,
    ``environments``, of a set that is divided in blocks ``block``, and from ``draw0`` on the parts
    that `draw_cells` returns.
    """
    table = pd.DataFrame(
        {
            "cell": np.arange(len(cells)),
            "key": list(keys),
            "group": [cell.group for cell in cells],
            "trajectory": [cell.trajectory for cell in cells],
            "environments": [cell.environments for cell in cells],
        }
    )
    if blocks is not None:
        table["block"] = blocks
    return table.assign(**{f"draw{number}": part for number, part in enumerate(parts)})


def read_draws(path: str | Path) -> pd.DataFrame:
    """Read a table of draws; names of groups stay text, also ``300`` and ``nan``."""
    return pd.read_csv(path, converters={"key": str, "group": str, "trajectory": str})


def n_draws(table: pd.DataFrame) -> int:
    """Return the number of draws in a table of draws."""
    return sum(column.startswith("draw") for column in table.columns)


class DrawnSet(NamedTuple):
    """A training set of one draw: its name, draw and part, and data set and place of its cells."""

    train: str
    draw: int
    part: str
    cells: list[tuple[str, int]]

    def seed(self, study_seed: int, model: str, number: int) -> int:
        """Return the seed of one training of a model: of the first draw, as it is exported."""
        first = (self.draw, self.part) == (0, WHOLE)
        name = f"{self.train} {model}" if first else f"{self.train} {model} {self.draw}{self.part}"
        return int(random_stream(study_seed, name, number).integers(2**31))


def members(tables: Mapping[str, pd.DataFrame], draw: int, part: str) -> list[tuple[str, int]]:
    """Return data set and place of each training cell of one part of one draw.

    Parameters
    ----------
    tables : mapping
        Table of draws of every data set that the training set takes cells from.
    draw : int
    part : {"whole", "a", "b"}
    """
    return [
        (dataset, int(cell))
        for dataset, table in tables.items()
        for cell in table["cell"][table[f"draw{draw}"].isin(PARTS[part])]
    ]


def whole_sets(train: str, table: pd.DataFrame) -> Iterator[DrawnSet]:
    """Yield the training part of a data set and its halves, of every draw."""
    for draw in range(n_draws(table)):
        for part in PARTS:
            yield DrawnSet(train, draw, part, members({train: table}, draw, part))


def subset_sets(path: str | Path, names: Collection[str]) -> list[DrawnSet]:
    """Read the subsets of these names in every draw: ``subset``, ``draw``, ``source``, ``cell``."""
    table = pd.read_csv(path, converters={"subset": str, "source": str})
    return [
        DrawnSet(str(name), int(draw), WHOLE, list(zip(part["source"], part["cell"], strict=True)))
        for (name, draw), part in table.groupby(["subset", "draw"], sort=False)
        if name in names
    ]


def stacks(drawn_sets: Sequence[DrawnSet], n_seeds: int) -> list[list[tuple[DrawnSet, int]]]:
    """Return which trainings of a network are made at once: of one data set, and of like size.

    Parameters
    ----------
    drawn_sets : sequence of DrawnSet
    n_seeds : int
        Number of trainings on the whole training part of the first draw; one on every other set.

    Returns
    -------
    list of list of (DrawnSet, int)
        Training set and number of the seed of every training; halves are apart from whole sets.
    """
    found: dict[tuple[str, bool], list[tuple[DrawnSet, int]]] = {}
    for drawn in drawn_sets:
        found.setdefault((drawn.train, drawn.part != WHOLE), []).append((drawn, 0))
    for drawn in drawn_sets:
        if (drawn.draw, drawn.part) == (0, WHOLE):
            found[drawn.train, False] += [(drawn, seed) for seed in range(1, n_seeds)]
    return [found[key] for key in sorted(found)]


def pooled(
    drawn_sets: Sequence[DrawnSet],
) -> tuple[list[tuple[str, int]], list[np.ndarray]]:
    """Return the cells of training sets, each once, and the numbers of each set's among them.

    Returns
    -------
    cells : list of (str, int)
        Data set and place of every cell.
    members : list of ndarray of int, shape (n_cells_of_set,)
    """
    cells = sorted({cell for drawn in drawn_sets for cell in drawn.cells})
    number = {cell: place for place, cell in enumerate(cells)}
    return cells, [np.array([number[cell] for cell in drawn.cells]) for drawn in drawn_sets]
