"""Lists of pymatgen structures with their labels, as MAML and its published sets ship them.

Two forms are in use: ``outputs`` with energy, forces and virial_stress in VASP's order (xx, yy,
zz, xy, yz, xz), and ``data`` with energy_per_atom, forces and virial_stress in the order of SNAP
(xx, yy, zz, yz, xz, xy). Both are VASP's pressure tensor, positive when the cell wants to grow, in
kB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from diverse.datasets.literature.frame import (
    Array,
    FrameError,
    array,
    cartesian,
    make_atoms,
    scalar,
    voigt,
)
from diverse.datasets.literature.record import Record
from diverse.datasets.literature.units import KBAR

VASP_ORDER = [0, 1, 2, 4, 5, 3]  # places of xx, yy, zz, yz, xz, xy
APART = 1e-2  # Å between Cartesian and fractional coordinates of one site


def pymatgen_records(docs: list[Any], name: str, group: str) -> Iterator[Record]:
    """Yield the configurations of a list of documents.

    Parameters
    ----------
    docs : list of dict
        Each with ``structure`` and ``outputs`` or ``data``; a document may name its ``group``.
    name, group : str
        Of the file; the group is for documents that name none.
    """
    for index, doc in enumerate(docs):
        where = f"{name}:{index}"
        own = doc.get("group") if isinstance(doc, dict) else None
        called = str(own) if own not in (None, "") else group
        try:
            yield _record(doc, where, called)
        except FrameError as error:
            yield Record(where, called, None, str(error))


def _record(doc: Any, name: str, group: str) -> Record:
    if not isinstance(doc, dict) or not isinstance(doc.get("structure"), dict):
        raise FrameError("it has no structure")
    species, positions, lattice, pbc = _structure(doc["structure"])
    if doc.get("num_atoms") is not None and doc["num_atoms"] != len(species):
        raise FrameError(f"num_atoms is {doc['num_atoms']}, the structure has {len(species)} sites")
    outputs = doc.get("outputs", doc.get("data", doc))
    if not isinstance(outputs, dict):
        raise FrameError("its outputs are no object")
    labels: dict[str, Any] = {}
    if "energy" in outputs:
        labels["energy"] = scalar(outputs["energy"], "energy")
    elif "energy_per_atom" in outputs:
        labels["energy"] = scalar(outputs["energy_per_atom"], "energy_per_atom") * len(species)
    if "forces" in outputs:
        labels["forces"] = array(outputs["forces"], "forces", (len(species), 3))
    notes: tuple[str, ...] = ()
    try:
        stress = _stress(outputs.get("virial_stress"), order_of_vasp="outputs" in doc)
        if stress is not None:
            labels["stress"] = stress
        elif "stress" in outputs:
            notes = ("its 'stress' has no known unit and sign: it is missing",)
    except FrameError as error:
        notes = (f"{error}: its stress is missing",)
    atoms = make_atoms(species, positions, lattice, pbc, labels)
    return Record(name, group, atoms, notes=notes, holds=tuple(map(str, outputs)))


def _stress(value: Any, *, order_of_vasp: bool) -> Array | None:
    if value is None or value == []:
        return None
    tensor = array(value, "virial_stress")
    found = voigt(tensor, "virial_stress")
    if tensor.shape == (6,) and order_of_vasp:
        found = found[VASP_ORDER]
    return -KBAR * found if found.any() else None


def _structure(structure: dict[str, Any]) -> tuple[list[str], Array, Array | None, list[bool]]:
    """Return species, positions, lattice and pbc of a Structure or Molecule as a dictionary."""
    sites, box = structure.get("sites"), structure.get("lattice")
    if not isinstance(sites, list) or not sites:
        raise FrameError("the structure has no sites")
    lattice, pbc = None, [False] * 3
    if isinstance(box, dict):
        lattice = array(box.get("matrix"), "lattice.matrix", (3, 3))
        repeats = box.get("pbc", [True] * 3)
        pbc = [bool(r) for r in repeats] if isinstance(repeats, list) else [True] * 3
    species = [_species(site) for site in sites]
    if all("xyz" in site for site in sites):
        positions = array([site["xyz"] for site in sites], "xyz", (len(sites), 3))
    elif lattice is not None and all("abc" in site for site in sites):
        return species, cartesian(_fractional(sites), lattice), lattice, pbc
    else:
        raise FrameError("a site has no coordinates (xyz, or abc with a lattice)")
    if lattice is not None and all("abc" in site for site in sites):
        with np.errstate(over="ignore", invalid="ignore"):
            apart = np.abs(cartesian(_fractional(sites), lattice) - positions)
        if not (apart < APART).all():
            raise FrameError("abc and xyz of a site are different places")
    return species, positions, lattice, pbc


def _fractional(sites: list[dict[str, Any]]) -> Array:
    return array([site["abc"] for site in sites], "abc", (len(sites), 3))


def _species(site: Any) -> str:
    kinds = site.get("species") if isinstance(site, dict) else None
    if not isinstance(kinds, list) or len(kinds) != 1 or not isinstance(kinds[0], dict):
        raise FrameError("a site is not of one species")
    if kinds[0].get("occu", 1) != 1:
        raise FrameError("a site is partly occupied")
    return str(kinds[0].get("element"))
