"""Design rows of polynomial fits: what each column contributes to energies and forces.

A batch of cells at a time; for the whole set they would take hundreds of gigabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ase import Atoms
from scipy.sparse import csr_array

from diverse.kernel import Kernel
from diverse.models.labels import label_of
from diverse.models.polynomial.basis import Basis
from diverse.neighbours import CellPairs, find_pairs
from diverse.zbl import ZBL

Array = np.ndarray


@dataclass(frozen=True)
class Rows:
    """Rows A and targets b of one quantity; the fit seeks A c = b."""

    matrix: Array
    target: Array


def design_rows(
    cells: Sequence[Atoms], kernel: Kernel, basis: Basis, zbl: ZBL
) -> tuple[Rows, Rows]:
    """Return the rows of labelled cells: energies per atom (eV), and force components (eV/Å).

    Parameters
    ----------
    cells : sequence of Atoms
        With free energies and forces.
    kernel : Kernel
        Of descriptors without the isolated atom's subtracted (``bzero`` off), as in FitSNAP.
    basis : Basis
    zbl : ZBL
        The repulsion that targets are taken relative to.

    Returns
    -------
    energies : Rows
        One row a cell: means of the columns over its atoms.
    forces : Rows
        Three rows an atom: minus the derivatives of the sums of the columns.
    """
    pairs = find_pairs(cells, kernel.settings.cutoff)
    white = basis.white(kernel.forward(pairs.vector, pairs.first))
    jacobian = kernel.jacobian(pairs.vector, pairs.first).reshape(len(pairs.center), -1)
    sizes = np.array([len(cell) for cell in cells])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    energy_rows = np.add.reduceat(basis.columns(white), starts) / sizes[:, None]
    force_rows = np.zeros((pairs.n_atoms, 3, basis.n_columns))
    if basis.quadratic:
        _fill_quadratic(force_rows, pairs, jacobian, white, basis)
    else:
        by_atom = -(_ends(pairs, pairs.neighbour, pairs.center, pairs.n_atoms) @ jacobian)
        force_rows[:, :, 1:] = _whiten(by_atom, basis)
    energies, forces = _targets(cells, zbl)
    return (
        Rows(energy_rows, energies / sizes),
        Rows(force_rows.reshape(-1, basis.n_columns), forces.ravel()),
    )


def _targets(cells: Sequence[Atoms], zbl: ZBL) -> tuple[Array, Array]:
    """Return energies (eV) and forces (eV/Å) less those of the repulsion."""
    reference, reference_forces = zbl.energies_forces(find_pairs(cells, zbl.outer), len(cells))
    energies, forces = zip(*map(label_of, cells), strict=True)
    return np.array(energies) - reference, np.concatenate(forces) - reference_forces


def _ends(pairs: CellPairs, to: Array, start: Array, n_rows: int) -> csr_array:
    """Return the sparse sum over pairs that adds each to row `to` and takes it from `start`."""
    n_pairs = len(pairs.center)
    sign = np.repeat([1.0, -1.0], n_pairs)
    pair = np.tile(np.arange(n_pairs), 2)
    return csr_array((sign, (np.concatenate([to, start]), pair)), shape=(n_rows, n_pairs))


def _whiten(gradient: Array, basis: Basis) -> Array:
    """Turn gradients of B, shape (n, D * 3), into those of x, shape (n, 3, D)."""
    n = len(basis.mean)
    by_axis = np.ascontiguousarray(gradient.reshape(-1, n, 3).transpose(0, 2, 1))
    return (by_axis.reshape(-1, n) @ basis.transform).reshape(-1, 3, n)


def _fill_quadratic(
    rows: Array, pairs: CellPairs, jacobian: Array, white: Array, basis: Basis
) -> None:
    """Fill the force rows, shape (n_atoms, 3, n_columns), of linear and quadratic columns.

    d(sum_c x_k x_m)/dr_a is the symmetric part, twice, of T = sum_c (dx_k/dr_a) x_m over the
    centres c that see atom a: one matrix product for each atom.
    """
    n_atoms, n = white.shape
    atom_sees = np.concatenate([pairs.neighbour * n_atoms, pairs.center * n_atoms])
    seen_by = np.tile(pairs.center, 2)
    entries, entry = np.unique(atom_sees + seen_by, return_inverse=True)  # by atom, then centre
    to, start = np.split(entry, 2)
    gradient = _whiten(-(_ends(pairs, to, start, len(entries)) @ jacobian), basis)
    first = np.searchsorted(entries, np.arange(n_atoms + 1) * n_atoms)
    value = white[entries % n_atoms]
    upper = np.ravel_multi_index(np.triu_indices(n), (n, n))
    for atom, (begin, end) in enumerate(pairwise(first)):
        by_center = gradient[begin:end]
        rows[atom, :, 1 : 1 + n] = by_center.sum(axis=0)
        product = (by_center.reshape(-1, 3 * n).T @ value[begin:end]).reshape(3, n, n)
        twice = (product + product.transpose(0, 2, 1)).reshape(3, n * n)
        rows[atom, :, 1 + n :] = twice.take(upper, axis=1)
