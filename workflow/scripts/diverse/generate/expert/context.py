"""Context of a recipe of the expert family: a lattice, a floor, and a stream for each cell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from diverse.neighbours import shortest_distance
from diverse.structures import ReferenceLattice, random_stream

TRIES = 200  # draws of one cell before its settings count as impossible

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """The study's lattice and floor, and a random stream for every cell.

    The stream follows from the cell's name, so more groups or repeats leave the other cells as they
    are, and with them their labels.

    Attributes
    ----------
    lattice : ReferenceLattice
    d_min : float, Å
        Floor on the shortest interatomic distance.
    seed : int
        Of the study.
    dataset : str
        Name of the data set.
    """

    lattice: ReferenceLattice
    d_min: float
    seed: int
    dataset: str

    def stream(self, name: str) -> np.random.Generator:
        """Return the random stream of the cell or trajectory called `name`."""
        return random_stream(self.seed, f"{self.dataset}/{name}", 0)

    def drawn(self, draw: Callable[[np.random.Generator], Atoms], name: str) -> Atoms:
        """Return the first cell that `draw` makes above the floor from the stream of its name.

        Raises
        ------
        ValueError
            If there is none among the first 200.
        """
        rng = self.stream(name)
        for tries in range(TRIES):
            atoms = draw(rng)
            if shortest_distance(atoms) >= self.d_min:
                if tries:
                    logger.info("%s: drawn %d times to reach the floor", name, tries + 1)
                return atoms
        raise ValueError(
            f"{name}: none of {TRIES} random cells keeps its atoms {self.d_min} Å apart; lower "
            "its displacement or strain, or give it more room"
        )

    def displaced(self, atoms: Atoms, deviation: float, name: str) -> Atoms:
        """Return a copy with normally distributed displacements (Å) of every coordinate."""

        def draw(rng: np.random.Generator) -> Atoms:
            copy = atoms.copy()
            copy.positions += rng.normal(0, deviation, (len(copy), 3))
            return copy

        return self.drawn(draw, name)


def values(choice: Sequence[float] | dict[str, Any]) -> list[float]:
    """Return a list of numbers, given as such or as ``from``, ``to`` and ``number``."""
    if isinstance(choice, dict):
        return [float(x) for x in np.linspace(choice["from"], choice["to"], choice["number"])]
    return list(choice)
