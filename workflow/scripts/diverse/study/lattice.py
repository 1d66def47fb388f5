"""The reference lattice that a study file names: its constants or its file, checked."""

from __future__ import annotations

from pathlib import Path

from diverse.datasets.literature.fetch import file_hash
from diverse.structures.lattices import LatticeError
from diverse.study.reading import ConfigError, demand
from diverse.study.settings import Config, reference_lattice


def check_lattice(study: Config) -> None:
    """Check the reference lattice of a study, and write its name where a group has no lattices.

    Of a structure file the SHA-256 is written beside its path: what depends on the lattice then
    depends on what the file holds.

    Raises
    ------
    ConfigError
        If the constants are not those of the structure, or the file is not a lattice of the
        element.
    """
    if "file" in study["lattice"]:
        _check_file(study)
    else:
        _check_constants(study["lattice"])
    _name_lattices(study)


def _check_constants(lattice: Config) -> None:
    for key in ("structure", "a"):
        demand(key in lattice, f"lattice: the key '{key}' is missing (or file, alone)")
    axial = lattice["structure"] in ("hcp", "bct")
    demand(
        axial == ("c" in lattice),
        f"lattice: {lattice['structure']} has {'a and c' if axial else 'a, no c'}; "
        f"{'add' if axial else 'take away'} the key 'c'",
    )
    ratio = lattice.get("c", lattice["a"]) / lattice["a"]
    demand(0.3 <= ratio <= 4, f"lattice: c/a is {ratio:.2f}; correct a or c")


def _check_file(study: Config) -> None:
    lattice = study["lattice"]
    constants = [key for key in ("structure", "a", "c") if key in lattice]
    demand(not constants, f"lattice: file stands alone; take away {', '.join(constants)}")
    try:
        found = reference_lattice(study)
        volume, near = found.volume_per_atom, found.nearest_neighbour
    except LatticeError as error:
        raise ConfigError(f"lattice.file: {' '.join(str(error).split())}") from None
    demand(
        near > 1 and volume < 200,
        f"lattice.file: atoms are {near:.2f} Å apart and have {volume:.1f} Å^3 each, which is no "
        "metal; check the units and that no atom stands twice",
    )
    lattice["sha256"] = file_hash(Path(lattice["file"]))


def _name_lattices(study: Config) -> None:
    """Write the reference lattice's name where a group has no lattices of its own."""
    name = reference_lattice(study).structure
    for dataset in study["datasets"].values():
        for options in dataset.get("groups", {}).values():
            if options.get("lattices", ()) is None:
                options["lattices"] = [name]
