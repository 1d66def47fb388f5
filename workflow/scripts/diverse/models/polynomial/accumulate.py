"""Normal equations of polynomial fits, summed over a stream of cells with constant memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from scipy.linalg.blas import dsymv, dsyrk

from diverse.datasets.split import dealt
from diverse.descriptors.statistics import SetStatistics
from diverse.labels.target import fit_target
from diverse.models.polynomial.basis import Basis
from diverse.models.polynomial.design import Rows, Source, design_rows, without_translations
from diverse.models.weights import CellWeights
from diverse.structures import batches
from diverse.zbl import ZBL

SURVEY_BATCH = 4096  # environments


class Gram:
    """A^T A, A^T b, b^T b and the number of rows, for rows that come in parts.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
        Upper triangle; the lower one stays zero.
    vector : ndarray, shape (n,)
    square : float
    count : int
    environments : int
        Environments whose rows should come at a time.
    """

    environments = 256  # 10 MB of rows for quadratic SNAP at 2Jmax 8

    def __init__(self, n_columns: int) -> None:
        self.matrix = np.zeros((n_columns, n_columns), order="F")
        self.vector = np.zeros(n_columns)
        self.square = 0.0
        self.count = 0

    def add(self, rows: Rows, weights: np.ndarray) -> None:
        """Add rows, scaled in place by the weights of their targets, shape (n_targets,)."""
        matrix, target = rows.matrix, rows.target * weights
        matrix *= weights[: len(matrix), None]
        self.matrix = dsyrk(1.0, matrix.T, beta=1.0, c=self.matrix, overwrite_c=1)
        self.vector += matrix.T @ target[: len(matrix)]
        self.square += float(target @ target)
        self.count += len(target)

    def on_host(self) -> Gram:
        """Return the sums as arrays on the host: this object, unless it lies on a card."""
        return self

    def less(self, column: int, coefficient: float) -> Gram:
        """Return the sums for targets b from which a column of A times a coefficient is taken.

        Parameters
        ----------
        column : int
        coefficient : float
        """
        gram = copy(self)
        row = np.concatenate([self.matrix[:column, column], self.matrix[column, column:]])
        gram.vector = self.vector - coefficient * row
        gram.square = self.square - coefficient * float(self.vector[column] + gram.vector[column])
        return gram

    def residual(self, coefficients: np.ndarray) -> float:
        """Return the sum of squares of A c - b, no smaller than the rounding of its terms."""
        curved = dsymv(1.0, self.matrix, coefficients)
        value = float(coefficients @ curved - 2 * self.vector @ coefficients + self.square)
        return max(value, np.finfo(float).eps * self.square)


@dataclass(frozen=True)
class Fold:
    """Normal equations of one part of a training set, energies and forces apart."""

    energy: Gram
    force: Gram


@dataclass(frozen=True)
class Survey:
    """Findings of a first pass over a training set.

    Attributes
    ----------
    statistics : SetStatistics
        Count, mean and scatter of the raw descriptors, as their source gives them.
    n_cells : int
    lowest_energy : float, eV/atom
    """

    statistics: SetStatistics
    n_cells: int
    lowest_energy: float

    def basis(self, *, quadratic: bool) -> Basis:
        """Return the basis of polynomials in whitened descriptors."""
        covariance = self.statistics.scatter / self.statistics.count
        return Basis.whitening(self.statistics.mean, covariance, quadratic=quadratic)


def survey(cells: Iterable[Atoms], source: Source) -> Survey:
    """Check the labels of a training set and gather the statistics of its descriptors.

    Raises
    ------
    ValueError
        If there are no cells, or a label is missing or not finite.
    """
    statistics = SetStatistics.empty(source.n_components)
    n_cells, lowest = 0, np.inf
    for batch in batches(cells, SURVEY_BATCH):
        for cell in batch:
            lowest = min(lowest, fit_target(cell)[0] / len(cell))
        statistics = statistics.merged(source.statistics(batch))
        n_cells += len(batch)
    if not n_cells:
        raise ValueError("there are no labelled cells to fit to: see tables/failures.csv")
    return Survey(statistics, n_cells, float(lowest))


def accumulate(
    cells: Iterable[Atoms],
    source: Source,
    basis: Basis,
    zbl: ZBL,
    *,
    n_folds: int,
    weights: CellWeights,
    make_gram: Callable[[int], Gram] = Gram,
) -> list[Fold]:
    """Sum the normal equations of a training set, in parts that share no trajectory.

    Parameters
    ----------
    cells : iterable of Atoms
        Read once, in any order; trajectories are dealt to the folds as they appear.
    source : Source
    basis : Basis
    zbl : ZBL
    n_folds : int
    weights : callable
        Weights of a cell's energy row and of its force rows.
    make_gram : callable
        Makes the sums, given the number of columns: `Gram`, or one that lies on a card.

    Returns
    -------
    list of Fold
        Folds that got cells.
    """
    columns = basis.n_columns
    folds = [Fold(make_gram(columns), make_gram(columns)) for _ in range(n_folds)]
    waiting: dict[int, list[Atoms]] = defaultdict(list)
    environments: dict[int, int] = defaultdict(int)

    def flush(number: int) -> None:
        batch, environments[number] = waiting.pop(number), 0
        energies, forces = design_rows(batch, source, basis, zbl)
        sizes = np.array([len(cell) for cell in batch])
        by_energy, by_force = np.array([weights(cell) for cell in batch]).T
        by_row = np.concatenate([np.repeat(by_force, 3 * (sizes - 1)), np.repeat(by_force, 3)])
        folds[number].energy.add(energies, by_energy)
        folds[number].force.add(without_translations(forces, sizes), by_row)

    for number, cell in dealt(cells, n_folds):
        waiting[number].append(cell)
        environments[number] += len(cell)
        if environments[number] >= folds[number].force.environments:
            flush(number)
    for number in sorted(waiting):
        flush(number)
    return [Fold(f.energy.on_host(), f.force.on_host()) for f in folds if f.energy.count]
