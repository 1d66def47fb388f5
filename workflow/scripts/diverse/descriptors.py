"""Descriptors, their gradients and labels of a data set, in the form models need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from ase import Atoms

from diverse.bispectrum import BispectrumSettings, bispectrum
from diverse.neighbours import NeighbourPairs, neighbour_pairs
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


def describe(cells: Sequence[Atoms], settings: BispectrumSettings, zbl: ZBL) -> DescriptorTable:
    """Compute the table of labelled cells.

    Raises
    ------
    ValueError
        If there are no cells: every label failed, or the split left nothing.
    """
    if not cells:
        raise ValueError("there are no labelled cells to describe; see tables/failures.csv")
    pairs = neighbour_pairs(cells, settings.cutoff)
    descriptors, pair_gradient = _pair_gradients(pairs, settings)
    center, atom, gradient = _merge_images(pairs, pair_gradient)
    zbl_pairs = neighbour_pairs(cells, zbl.outer)
    zbl_energies, zbl_forces = zbl.energies_forces(zbl_pairs, len(cells))
    return DescriptorTable(
        descriptors=descriptors,
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


def _pair_gradients(
    pairs: NeighbourPairs, settings: BispectrumSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Return descriptors (n_atoms, D) and their gradients by pair vector (n_pairs, D, 3)."""
    vectors = torch.tensor(pairs.vector, requires_grad=True)
    components = bispectrum(vectors, torch.tensor(pairs.center), pairs.n_atoms, settings)
    columns = [
        torch.autograd.grad(components[:, k].sum(), vectors, retain_graph=True)[0]
        for k in range(components.shape[1])
    ]
    return components.detach().numpy(), torch.stack(columns, dim=1).numpy()


def _merge_images(
    pairs: NeighbourPairs, pair_gradient: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum pair gradients over periodic images; moving the centre moves all its pair vectors."""
    center = np.concatenate([pairs.center, pairs.center])
    atom = np.concatenate([pairs.neighbour, pairs.center])
    entries, inverse = np.unique(center * pairs.n_atoms + atom, return_inverse=True)
    gradient = np.zeros((len(entries), *pair_gradient.shape[1:]))
    np.add.at(gradient, inverse[: len(pairs.center)], pair_gradient)
    np.add.at(gradient, inverse[len(pairs.center) :], -pair_gradient)
    return entries // pairs.n_atoms, entries % pairs.n_atoms, gradient
