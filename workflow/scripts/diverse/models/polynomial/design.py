"""Design rows of polynomial fits: what each column contributes to energies and forces.

Rows are made for a batch of cells at a time; for a whole set they would take hundreds of gigabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ase import Atoms

from diverse.descriptors.statistics import SetStatistics
from diverse.kernel import Kernel
from diverse.kernel.jacobian_sums import merged_jacobian, quadratic_rows
from diverse.labels.target import fit_target
from diverse.models.polynomial.basis import Basis
from diverse.neighbours import CellPairs, find_pairs
from diverse.zbl import ZBL

Array = np.ndarray


@dataclass(frozen=True)
class Rows:
    """Rows A and targets b of one quantity; the fit seeks A c = b.

    Targets may outnumber the rows: those at the end belong to rows of zeros, which are not stored.
    """

    matrix: Array
    target: Array


class Source(Protocol):
    """Descriptors of cells and their derivatives: what the columns of a linear fit are made of."""

    @property
    def n_components(self) -> int:
        """Number of descriptors, D."""
        ...

    def statistics(self, cells: Sequence[Atoms]) -> SetStatistics:
        """Return the statistics by which the descriptors are whitened."""
        ...

    def energy_rows(self, cells: Sequence[Atoms], basis: Basis) -> Array:
        """Return the means of the columns over the atoms of each cell, (n_cells, n_columns)."""
        ...

    def rows(self, cells: Sequence[Atoms], basis: Basis) -> tuple[Array, Array]:
        """Return the energy rows, and minus the derivatives of the sums of the columns.

        Shapes (n_cells, n_columns) and (n_atoms, 3, n_columns).
        """
        ...


@dataclass(frozen=True)
class BispectrumSource:
    """Bispectrum components of every environment, by the kernel of this repository."""

    kernel: Kernel

    @property
    def n_components(self) -> int:
        """Number of bispectrum components, D."""
        return self.kernel.settings.n_components

    def statistics(self, cells: Sequence[Atoms]) -> SetStatistics:
        """Return the statistics of the descriptors of all environments."""
        pairs = find_pairs(cells, self.kernel.settings.cutoff)
        return SetStatistics.of(self.kernel.forward(pairs.vector, pairs.first))

    def energy_rows(self, cells: Sequence[Atoms], basis: Basis) -> Array:
        """Return the means of the columns over the atoms of each cell, (n_cells, n_columns)."""
        pairs = find_pairs(cells, self.kernel.settings.cutoff)
        return _means(cells, basis, basis.white(self.kernel.forward(pairs.vector, pairs.first)))

    def rows(self, cells: Sequence[Atoms], basis: Basis) -> tuple[Array, Array]:
        """Return the energy rows, and minus the derivatives of the sums of the columns.

        Shapes (n_cells, n_columns) and (n_atoms, 3, n_columns).
        """
        pairs = find_pairs(cells, self.kernel.settings.cutoff)
        white = basis.white(self.kernel.forward(pairs.vector, pairs.first))
        jacobian = self.kernel.jacobian(pairs.vector, pairs.first)
        if basis.quadratic:
            return _means(cells, basis, white), _quadratic_forces(pairs, jacobian, white, basis)
        return _means(cells, basis, white), _linear_forces(pairs, jacobian, basis)


def design_rows(
    cells: Sequence[Atoms], source: Source, basis: Basis, zbl: ZBL
) -> tuple[Rows, Rows]:
    """Return the rows of labelled cells: energies per atom (eV), and force components (eV/Å).

    Parameters
    ----------
    cells : sequence of Atoms
        With free energies and forces.
    source : Source
        Bispectrum components come without the isolated atom's subtracted (``bzero`` off), as in
        FitSNAP.
    basis : Basis
    zbl : ZBL
        Repulsion that is subtracted from the targets.

    Returns
    -------
    energies : Rows
        One row a cell: means of the columns over its atoms.
    forces : Rows
        Three rows an atom: minus the derivatives of the sums of the columns.
    """
    energy_rows, force_rows = source.rows(cells, basis)
    energies, forces = targets(cells, zbl)
    sizes = np.array([len(cell) for cell in cells])
    return (
        Rows(energy_rows, energies / sizes),
        Rows(force_rows.reshape(-1, basis.n_columns), forces.ravel()),
    )


def without_translations(forces: Rows, sizes: Array) -> Rows:
    """Mix the force rows of each cell so that three of them vanish, and drop those.

    The derivatives of any column by all positions of a cell sum to zero along each axis. A
    reflection that takes (1, ..., 1) / sqrt(n), over the n atoms, to the unit vector of the last
    atom therefore makes the last atom's rows vanish; to the rows of the others it adds
    1 / (sqrt(n) - 1) of the last atom's (Householder, J. ACM 5, 339 (1958)). The reflection is
    orthogonal, so A^T A, A^T b and b^T b stay what they are, with three rows less for each cell.

    Parameters
    ----------
    forces : Rows
        Rows of forces that `design_rows` returns; their matrix is overwritten.
    sizes : ndarray of int, shape (n_cells,)
        Atoms of each cell.

    Returns
    -------
    Rows
        Three rows an atom but the last of each cell; targets of the missing rows, sqrt(n) times
        the mean force, at the end.
    """
    n_columns = forces.matrix.shape[1]
    matrix = forces.matrix.reshape(-1, 3, n_columns)
    target = forces.target.reshape(-1, 3)
    mixed, means, begin, end = [], [], 0, 0
    for n in sizes:
        last, share = begin + n - 1, 1 / (np.sqrt(n) - 1) if n > 1 else 0.0
        mean = target[begin : last + 1].mean(axis=0)
        means.append(np.sqrt(n) * mean)
        mixed.append(target[begin:last] - mean + share * (target[last] - mean))
        np.multiply(share, matrix[last], out=matrix[last])
        np.add(matrix[begin:last], matrix[last], out=matrix[end : end + n - 1])
        begin, end = begin + n, end + n - 1
    return Rows(matrix[:end].reshape(-1, n_columns), np.concatenate([*mixed, *means], axis=None))


def _means(cells: Sequence[Atoms], basis: Basis, white: Array) -> Array:
    """Return the means of the columns over the atoms of each cell, shape (n_cells, n_columns)."""
    sizes = np.array([len(cell) for cell in cells])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means: Array = np.add.reduceat(basis.columns(white), starts) / sizes[:, None]
    return means


def targets(cells: Sequence[Atoms], zbl: ZBL) -> tuple[Array, Array]:
    """Return what a polynomial is fitted to: the labels of cells without the repulsion of ZBL.

    Returns
    -------
    energies : ndarray, shape (n_cells,), eV
    forces : ndarray, shape (n_atoms, 3), eV/Å
        Atoms of all cells, one after the other.

    Raises
    ------
    ValueError
        If an energy or a force is missing or not finite.
    """
    reference, reference_forces = zbl.energies_forces(find_pairs(cells, zbl.outer), len(cells))
    energies, forces = zip(*map(fit_target, cells), strict=True)
    return np.array(energies) - reference, np.concatenate(forces) - reference_forces


def _linear_forces(pairs: CellPairs, jacobian: Array, basis: Basis) -> Array:
    """Return the force rows, shape (n_atoms, 3, n_columns), of linear columns."""
    rows = np.zeros((pairs.n_atoms, 3, basis.n_columns))
    by_atom = merged_jacobian(jacobian, pairs.neighbour, pairs.center, pairs.n_atoms)
    rows[:, :, 1:] = _forces(by_atom, basis)
    return rows


def _quadratic_forces(pairs: CellPairs, jacobian: Array, white: Array, basis: Basis) -> Array:
    """Return the force rows, shape (n_atoms, 3, n_columns), of linear and quadratic columns.

    An entry is an atom and a center that sees it, itself included: their pairs, through all
    periodic images, are merged before anything is multiplied.
    """
    n_atoms = pairs.n_atoms
    sees = np.concatenate([pairs.neighbour, pairs.center]) * n_atoms + np.tile(pairs.center, 2)
    entries, entry = np.unique(sees, return_inverse=True)  # by atom, then center
    moved, own = np.split(entry, 2)
    gradient = merged_jacobian(jacobian, moved, own, len(entries))
    first = np.searchsorted(entries, np.arange(n_atoms + 1) * n_atoms)
    return quadratic_rows(first, entries % n_atoms, _forces(gradient, basis), white)


def _forces(gradient: Array, basis: Basis) -> Array:
    """Turn derivatives of B, shape (n, 3, D), into minus the derivatives of x."""
    n = len(basis.mean)
    return (gradient.reshape(-1, n) @ -basis.transform).reshape(-1, 3, n)
