"""Cells that a data set will hold, as far as they are known before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from diverse.generate.expert import RECIPES
from diverse.generate.expert.context import Context, values
from diverse.generate.expert.crystals import crystal
from diverse.generate.random_cells import random_cell
from diverse.structures import random_stream, read_cells, tagged
from diverse.study.chunks import chunk_size
from diverse.study.rounds import chunks_made
from diverse.study.settings import reference_lattice, sampler_settings
from diverse.study.sizes import extent

Config = dict[str, Any]
Sample = tuple[list[Atoms], np.ndarray]

FILES = 10  # chunks that are read of what is there
CELLS_OF_FILE = 30
RANDOM_CELLS = 300
CELLS_OF_GROUP = 12
FEWEST: dict[str, Any] = {
    "repeats": 1,
    "shifts": [2, 2],
}  # of an expert group, for one cell of every kind
RATTLE = 0.1  # Å, of what molecular dynamics will move


def expected_cells(study: Config, name: str, made: Sequence[Path]) -> Sample:
    """Return cells that stand for a data set, and how many each stands for.

    Parameters
    ----------
    study : dict
        The study with its defaults.
    name : str
        Of the data set.
    made : sequence of Path
        Chunks of its structures that are there. Without any: random cells before they relax; of
        each group of an expert set one cell of every kind; nothing of a published set.
    """
    dataset = study["datasets"][name]
    if made:
        return _sample(made, len(chunks_made(dataset)))
    if "groups" in dataset:
        return _kinds(study, name, dataset)
    return _drawn(study, name, dataset) if "cells" in dataset else ([], np.zeros(0))


def _sample(made: Sequence[Path], chunks: int) -> Sample:
    """Return cells of chunks that are there, evenly taken from them."""
    files = [made[place] for place in _even(len(made), FILES)]
    cells, weights = [], []
    for path in files:
        own = read_cells(path)
        chosen = _even(len(own), CELLS_OF_FILE)
        cells += [own[place] for place in chosen]
        weights += [len(own) / len(chosen) * chunks / len(files)] * len(chosen)
    return cells, np.array(weights)


def _even(number: int, most: int) -> list[int]:
    """Return at most so many places of a list of a length, from its first to its last."""
    return sorted(set(np.linspace(0, number - 1, min(number, most)).round().astype(int).tolist()))


def _drawn(study: Config, name: str, dataset: Config) -> Sample:
    """Return random cells of the data set's sampler."""
    sampler, lattice = sampler_settings(study, dataset), reference_lattice(study)
    rng = random_stream(study["seed"], f"{name}/expected", 0)
    cells = [random_cell(sampler, lattice, rng)[0] for _ in range(RANDOM_CELLS)]
    made = [chunk_size(dataset["cells"], dataset["chunks"], c) for c in chunks_made(dataset)]
    tags = [tagged(cell, dataset["family"], name) for cell in cells]
    return tags, np.full(len(cells), sum(made) / len(cells))


def _kinds(study: Config, name: str, dataset: Config) -> Sample:
    """Return one cell of every kind of every group of an expert set."""
    lattice = reference_lattice(study)
    context = Context(lattice, sampler_settings(study).d_min, study["seed"], name)
    cells: list[Atoms] = []
    weights: list[float] = []
    share = len(chunks_made(dataset)) / dataset["chunks"]
    for group, options in dataset["groups"].items():
        if group in ("md", "liquid"):
            own = _crystals(context, group, options)
        else:
            shorter = {key: few for key, few in FEWEST.items() if key in options}
            kinds = RECIPES[group](context, **{**options, **shorter})
            own = [kinds[place] for place in _even(len(kinds), CELLS_OF_GROUP)]
        cells += own
        weights += [extent(group, options, lattice)[1] * share / len(own)] * len(own)
    return cells, np.array(weights)


def _crystals(context: Context, group: str, options: Config) -> list[Atoms]:
    """Return the cells that molecular dynamics starts from, rattled."""
    own = context.lattice.structure
    cells = []
    for structure in options.get("lattices", [own]):
        for volume in values(options["volumes"]):
            start = crystal(context.lattice, structure, volume).repeat(tuple(options["supercell"]))
            label = f"{group}_{structure}_{volume:g}"
            cells.append(tagged(context.displaced(start, RATTLE, label), group, label))
    return cells
