"""What every recipe of the expert family is given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from diverse.neighbours import shortest_distance
from diverse.structures import ReferenceLattice

TRIES = 200  # draws of one cell before its settings count as impossible

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """The study's lattice and floor, and the random stream recipes draw from.

    Attributes
    ----------
    lattice : ReferenceLattice
    d_min : float, Å
        Floor on the shortest interatomic distance.
    rng : numpy Generator
    """

    lattice: ReferenceLattice
    d_min: float
    rng: np.random.Generator

    def drawn(self, draw: Callable[[np.random.Generator], Atoms], what: str) -> Atoms:
        """Return the first cell that `draw` makes above the floor.

        Raises
        ------
        ValueError
            If there is none among the first 200.
        """
        for tries in range(TRIES):
            atoms = draw(self.rng)
            if shortest_distance(atoms) >= self.d_min:
                if tries:
                    logger.info("%s: drawn %d times to reach the floor", what, tries + 1)
                return atoms
        raise ValueError(
            f"{what}: none of {TRIES} random cells keeps its atoms {self.d_min} Å apart; lower "
            "its displacement or strain, or give it more room"
        )

    def displaced(self, atoms: Atoms, deviation: float, what: str) -> Atoms:
        """Return a copy with normally distributed displacements (Å) of every coordinate."""

        def draw(rng: np.random.Generator) -> Atoms:
            copy = atoms.copy()
            copy.positions += rng.normal(0, deviation, (len(copy), 3))
            return copy

        return self.drawn(draw, what)


def values(choice: Sequence[float] | dict[str, Any]) -> list[float]:
    """Return a list of numbers, given as such or as ``from``, ``to`` and ``number``."""
    if isinstance(choice, dict):
        return [float(x) for x in np.linspace(choice["from"], choice["to"], choice["number"])]
    return list(choice)
