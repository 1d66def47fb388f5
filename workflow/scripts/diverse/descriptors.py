"""Descriptors, their gradients and labels of a data set, in the form models need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings, Kernel
from diverse.neighbours import CellPairs, find_pairs
from diverse.zbl import ZBL


@dataclass(frozen=True)
class DescriptorTable:
    """A data set as arrays; atoms are numbered through all cells.

    Attributes
    ----------
    descriptors : ndarray, shape (n_atoms, D)
    center, atom : ndarray of int, shape (n_entries,)
        Which descriptors depend on which atom's position, periodic images merged.
    gradient : ndarray, shape (n_entries, D, 3), 1/Å
        d descriptors[center] / d position[atom].
    cell_of_atom : ndarray of int, shape (n_atoms,)
    zbl_energies, energies : ndarray, shape (n_cells,), eV
        The repulsive reference, and the label (free energy).
    zbl_forces, forces : ndarray, shape (n_atoms, 3), eV/Å
    keys, groups, protocols : ndarray of str, shape (n_cells,)
        Label keys, ``config_type`` and label protocols.
    """

    descriptors: np.ndarray
    center: np.ndarray
    atom: np.ndarray
    gradient: np.ndarray
    cell_of_atom: np.ndarray
    zbl_energies: np.ndarray
    zbl_forces: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    keys: np.ndarray
    groups: np.ndarray
    protocols: np.ndarray

    @property
    def n_atoms(self) -> np.ndarray:
        """Atoms in each cell, shape (n_cells,)."""
        return np.bincount(self.cell_of_atom, minlength=len(self.energies))

    def save(self, path: str | Path) -> None:
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> DescriptorTable:
        return cls(**np.load(path))


def environment_descriptors(cells: Sequence[Atoms], settings: BispectrumSettings) -> np.ndarray:
    """Return the descriptors of every environment, shape (n_atoms, D)."""
    pairs = find_pairs(cells, settings.cutoff)
    return Kernel(settings).forward(pairs.vector, pairs.first)


def describe(cells: Sequence[Atoms], settings: BispectrumSettings, zbl: ZBL) -> DescriptorTable:
    """Compute the table of labelled cells; no cells give an empty table."""
    if not cells:
        return _empty_table(settings.n_components)
    pairs = find_pairs(cells, settings.cutoff)
    kernel = Kernel(settings)
    jacobian = kernel.jacobian(pairs.vector, pairs.first)
    center, atom, gradient = _merge_images(pairs, jacobian)
    zbl_pairs = find_pairs(cells, zbl.outer)
    zbl_energies, zbl_forces = zbl.energies_forces(zbl_pairs, len(cells))
    return DescriptorTable(
        descriptors=kernel.forward(pairs.vector, pairs.first),
        center=center,
        atom=atom,
        gradient=gradient,
        cell_of_atom=pairs.cell_of_atom,
        zbl_energies=zbl_energies,
        zbl_forces=zbl_forces,
        energies=np.array([cell.get_potential_energy(force_consistent=True) for cell in cells]),
        forces=np.concatenate([cell.get_forces() for cell in cells]),
        keys=np.array([cell.info["key"] for cell in cells]),
        groups=np.array([cell.info["config_type"] for cell in cells]),
        protocols=np.array([cell.info["protocol"] for cell in cells]),
    )


def _empty_table(n_components: int) -> DescriptorTable:
    none, text, index = np.zeros(0), np.zeros(0, dtype=str), np.zeros(0, dtype=np.int64)
    return DescriptorTable(
        descriptors=np.zeros((0, n_components)),
        center=index,
        atom=index,
        gradient=np.zeros((0, n_components, 3)),
        cell_of_atom=index,
        zbl_energies=none,
        zbl_forces=np.zeros((0, 3)),
        energies=none,
        forces=np.zeros((0, 3)),
        keys=text,
        groups=text,
        protocols=text,
    )


def _merge_images(
    pairs: CellPairs, pair_gradient: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum pair gradients over periodic images; moving the centre moves all its pair vectors."""
    center = np.concatenate([pairs.center, pairs.center])
    atom = np.concatenate([pairs.neighbour, pairs.center])
    entries, inverse = np.unique(center * pairs.n_atoms + atom, return_inverse=True)
    gradient = np.zeros((len(entries), *pair_gradient.shape[1:]))
    np.add.at(gradient, inverse[: len(pairs.center)], pair_gradient)
    np.add.at(gradient, inverse[len(pairs.center) :], -pair_gradient)
    return entries // pairs.n_atoms, entries % pairs.n_atoms, gradient
