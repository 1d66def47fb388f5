"""Blocks of a data set: parts that are dealt once, and that every draw is made of.

Normal equations add up. Summed once for each block, they give the fit to any training set that is
made of blocks, without another pass over its cells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.datasets.draws import PARTS, SPARE, TEST
from diverse.datasets.split import Outline
from diverse.structures import random_stream
from diverse.structures.frames import labelled_frames

OTHER = "the draws are of other labels: make datasets/*/draws.csv of the set anew"


def deal_blocks(cells: Sequence[Outline], n_blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Deal the trajectories of every group to blocks in turn, at random inside the group.

    Parameters
    ----------
    cells : sequence of Outline
    n_blocks : int
    rng : numpy Generator

    Returns
    -------
    ndarray of int, shape (n_cells,)
        Block of each cell; blocks share no trajectory.
    """
    units: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position, cell in enumerate(cells):
        units[cell.group, cell.trajectory].append(position)
    keys = sorted(units)
    shuffled = [keys[number] for number in rng.permutation(len(keys))]
    blocks = np.zeros(len(cells), dtype=int)
    for number, key in enumerate(sorted(shuffled, key=lambda key: key[0])):
        blocks[units[key]] = number % n_blocks
    return blocks


def n_test_blocks(n_blocks: int, test_fraction: float) -> int:
    """Return how many blocks are held out for testing: at least one."""
    return max(1, round(n_blocks * test_fraction))


def draw_blocks(
    blocks: np.ndarray, dataset: str, draw: int, *, n_blocks: int, seed: int, test_fraction: float
) -> np.ndarray:
    """Divide a data set in whole blocks; another number of the draw divides it anew.

    Draws hold out one block after the other, so that no two test parts share a cell as long as
    there are blocks; the other blocks fall into halves at random.

    Parameters
    ----------
    blocks : ndarray of int, shape (n_cells,)
        Of `deal_blocks`.
    dataset : str
        Name, from which, with `seed`, the random stream of the draw follows.
    draw, n_blocks, seed : int
    test_fraction : float

    Returns
    -------
    ndarray of str, shape (n_cells,)
        ``a`` and ``b``, the halves of the training part, and ``test``.
    """
    n_test = n_test_blocks(n_blocks, test_fraction)
    rng = random_stream(seed, f"split {dataset}", draw)
    order = np.roll(np.arange(n_blocks), -draw * n_test)
    training = rng.permutation(order[n_test:])
    part_of = np.full(n_blocks, TEST, dtype=object)
    part_of[training] = "b"
    part_of[training[: len(training) // 2]] = "a"
    return part_of[blocks]


def thin_tests(
    parts: np.ndarray, cells: Sequence[Outline], n_cells: int, rng: np.random.Generator
) -> np.ndarray:
    """Keep so many test cells, of every group alike as far as it has them; others are spare.

    Parameters
    ----------
    parts : ndarray of str, shape (n_cells,)
        Of one draw.
    cells : sequence of Outline
    n_cells : int
        Largest number of test cells.
    rng : numpy Generator
    """
    shuffled = rng.permutation(np.flatnonzero(parts == TEST))
    groups = pd.Series([cells[place].group for place in shuffled], dtype=str)
    turns = groups.groupby(groups).cumcount().to_numpy()  # a cell of each group in turn
    thinned = parts.copy()
    thinned[shuffled[np.argsort(turns, kind="stable")[n_cells:]]] = SPARE
    return thinned


def blocks_of(table: pd.DataFrame, draw: int, part: str) -> list[int]:
    """Return the blocks of one part of one draw.

    Parameters
    ----------
    table : DataFrame
        Table of draws of a data set that is divided in blocks.
    draw : int
    part : {"whole", "a", "b"}
    """
    return sorted(set(table["block"][table[f"draw{draw}"].isin(PARTS[part])].tolist()))


def surveyed_blocks(table: pd.DataFrame, environments: int) -> list[int]:
    """Return the first blocks that hold at least so many environments together, or all."""
    sizes = table.groupby("block")["environments"].sum()
    enough = int(np.searchsorted(sizes.cumsum(), environments)) + 1
    return [int(block) for block in sizes.index[:enough]]


def block_cells(
    paths: Iterable[str | Path], table: pd.DataFrame, blocks: Iterable[int]
) -> Iterator[Atoms]:
    """Read the labelled cells of some blocks of a data set; no other cell is parsed.

    Parameters
    ----------
    paths : iterable of path
        Chunks of labels of the data set.
    table : DataFrame
        Its table of draws.
    blocks : iterable of int

    Raises
    ------
    ValueError
        If the table is of other labels.
    """
    wanted = table["block"].isin(list(blocks)).to_numpy()
    keys = table["key"].to_numpy()
    count = 0
    for place, frame in enumerate(labelled_frames(paths)):
        count += 1
        if place < len(keys) and wanted[place]:
            cell = frame.cell()
            if cell.info["key"] != keys[place]:
                raise ValueError(OTHER)
            yield cell
    if count != len(keys):
        raise ValueError(OTHER)
