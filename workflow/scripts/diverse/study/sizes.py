"""Sizes of a study's cells and data sets, counted before any is made."""

from __future__ import annotations

from math import pi, prod
from typing import Any

from diverse.generate.expert.crystals import crystal, elastic_modes
from diverse.structures import ReferenceLattice
from diverse.study.reading import ConfigError
from diverse.study.settings import atoms_of_cells

Config = dict[str, Any]

LARGEST_CELL = 100_000  # atoms
LARGEST_SET = 1_000_000_000  # environments
BYTES_OF_ATOM = 150  # in a file of labelled cells
# Atoms below which a group has nothing left, or nothing to do it with.
FEWEST = {"vacancy": 2, "divacancy": 3, "contacts": 2}


def check_sizes(study: Config, lattice: ReferenceLattice) -> None:
    """Refuse cells and data sets too large to be meant, and groups too small to be made.

    Raises
    ------
    ConfigError
        For cells of more than 100,000 atoms, data sets of more than 10^9 environments, and
        supercells too small for their defects; the sentence says how many atoms and bytes.
    """
    _check_cell("sampler.atoms", study["sampler"]["atoms"][1])
    for name, dataset in study["datasets"].items():
        where = f"datasets.{name}"
        if "cells" in dataset:
            largest = atoms_of_cells(study, dataset)[1]
            _check_cell(f"{where}.atoms", largest)
            _check_set(f"{where}.cells", dataset["cells"] * largest)
        total = 0
        for group, options in dataset.get("groups", {}).items():
            atoms, cells = extent(group, options, lattice)
            _check_cell(f"{where}.groups.{group}", atoms)
            fewest = 2 if "vacancy" in options.get("variants", []) else FEWEST.get(group, 1)
            if atoms < fewest:
                raise ConfigError(
                    f"{where}.groups.{group}.supercell: a cell of {atoms} atoms is too small, it "
                    f"needs {fewest}; repeat it more often"
                )
            if cells < 1:
                raise ConfigError(f"{where}.groups.{group}: this makes no cell; raise shifts")
            total += atoms * cells
        _check_set(f"{where}.groups", total)


def extent(group: str, options: Config, lattice: ReferenceLattice) -> tuple[int, int]:
    """Return about how many atoms a group's largest cell has, and how many cells the group.

    Parameters
    ----------
    group : str
        Name of a recipe of `diverse.generate.expert`.
    options : dict
        Its settings in the study file.
    """
    own = len(lattice.primitive())
    lattices = options.get("lattices") or ["reference"]
    primitive = max(len(crystal(lattice, name)) for name in lattices)
    atoms = primitive * prod(options.get("supercell", [1]))
    cells = options.get("repeats", 1) * len(lattices)
    for key in ("volumes", "strains", "temperatures", "facets", "planes", "kinds", "variants"):
        cells *= _count(options[key]) if key in options else 1
    cells *= options.get("snapshots", 1) * options.get("shells", 1)
    if group == "elastic":
        atoms = len(lattice.conventional())
        cells *= len(elastic_modes(lattice))
    elif group in ("surfaces", "gamma_surface", "gamma_surface_vacancy"):
        atoms = options["layers"] * own * prod(options.get("repeat", [1]))
        cells *= prod(options["shifts"]) - 1 if "shifts" in options else 1
    elif group == "boundaries":
        atoms = 2 * options["layers"] * own
    elif group == "clusters":
        atoms, cells = options["sizes"][1], cells * (1 + options["sizes"][1] - options["sizes"][0])
    elif group == "dislocation":
        area = pi * options["radius"] ** 2
        atoms = round(area * lattice.nearest_neighbour / lattice.volume_per_atom)
    return atoms, cells


def _count(choice: list[Any] | Config) -> int:
    return int(choice["number"]) if isinstance(choice, dict) else len(choice)


def _check_cell(where: str, atoms: int) -> None:
    if atoms > LARGEST_CELL:
        raise ConfigError(
            f"{where}: a cell of {atoms:,} atoms, {_bytes(atoms)} when labelled, cannot be meant; "
            f"the largest has {LARGEST_CELL:,}"
        )


def _check_set(where: str, environments: int) -> None:
    if environments > LARGEST_SET:
        raise ConfigError(
            f"{where}: up to {environments:,} atoms, {_bytes(environments)} when labelled, cannot "
            f"be meant; the largest set has {LARGEST_SET:,}"
        )


def _bytes(atoms: int) -> str:
    """Return the size of a file of so many labelled atoms in words."""
    size = float(atoms * BYTES_OF_ATOM)
    units = ["kB", "MB", "GB", "TB"]
    while size >= 1e6 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"about {size / 1000:,.0f} {units[0]}"
