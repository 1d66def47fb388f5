"""How much tests/device/run measures on a card, and on a host that plays one."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes
    ----------
    kernels : list of (int, str)
        2Jmax and types of number that parity is shown of, in the order in which they are compiled.
    rated : list of int
        2Jmax whose rates are measured.
    atoms : list of int
        Atoms in the calls that are timed.
    environments, epochs, batches
        Of trainings: their set, their passes over it, and cells a step.
    training : (int, str)
        2Jmax and type of number of the trainings.
    entropy, sampler, optimiser, network : dict
        Of the full-size study: keys of its entropy set, its sampler, its optimiser and networks.
    twojmax : list of int
        Of its networks: types A and B, two seeds each.
    families : list of str
        Test families, besides held-out cells of the set.
    test_cells, gram_cells, seed_cells, seeds : int
        Random cells that are tested on; cells of a quadratic fit; cells of each set whose
        diversity is compared, and seeds of it.
    workers : int
        Processes that make chunks; none: this one does.
    """

    kernels: list[tuple[int, str]]
    rated: list[int]
    atoms: list[int]
    environments: int
    epochs: int
    batches: list[int]
    training: tuple[int, str]
    entropy: dict[str, Any]
    sampler: dict[str, Any]
    optimiser: dict[str, Any]
    network: dict[str, Any]
    twojmax: list[int]
    families: list[str]
    test_cells: int
    gram_cells: int
    seed_cells: int
    seeds: int
    workers: int


FULL = Size(
    kernels=[
        *((n, real) for n in (8, 6, 4) for real in ("float64", "float32")),
        *((n, "float64") for n in (10, 9, 7, 5, 3, 2)),
    ],
    rated=[4, 6, 8],
    atoms=[10_000, 100_000, 1_000_000],
    environments=700_000,
    epochs=5,
    batches=[2048, 256],
    training=(8, "float32"),
    entropy={"chunks": 32, "rounds": 2},
    sampler={},
    optimiser={"batch": 1000},
    network={"epochs": 20, "batch": 2048},
    twojmax=[4, 6, 8],
    families=["random", "expert", "strained", "extremes"],
    test_cells=1000,
    gram_cells=2000,
    seed_cells=500,
    seeds=5,
    workers=16,
)
SMALL = Size(
    kernels=[(4, "float64")],
    rated=[4],
    atoms=[35],
    environments=105,
    epochs=1,
    batches=[2],
    training=(4, "float64"),
    entropy={"cells": 6, "chunks": 2, "rounds": 2},
    sampler={"atoms": [2, 3]},
    optimiser={"twojmax": 4, "steps": 2},
    network={"epochs": 1, "batch": 4, "precision": "float64"},
    twojmax=[4],
    families=["random"],
    test_cells=2,
    gram_cells=4,
    seed_cells=2,
    seeds=2,
    workers=0,
)
