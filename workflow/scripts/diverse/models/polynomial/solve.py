"""Ridge regression from normal equations: path, leave-one-fold-out choice, covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import pandas as pd
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigvalsh
from scipy.linalg.lapack import dpotri

from diverse.models.polynomial.accumulate import Fold
from diverse.models.polynomial.basis import Basis
from diverse.models.search import ONE_TRAJECTORY, PartErrors

CONSTANT = 0  # place of the constant among columns, and among coefficients
STRONGEST = 1e4  # ridge tried, where 1 equals the normal equations in some column
DECADES = 18  # of ridge strengths that are tried
SINGULAR = 1e-13  # smallest pivot of a matrix of unit diagonal, for each column


@dataclass(frozen=True)
class Fit:
    """Solution of a polynomial fit.

    Attributes
    ----------
    coefficients : ndarray, shape (n_columns,), eV
        In the order of LAMMPS, for descriptors with ``bzeroflag 0``.
    ridge : float
    covariance : ndarray, shape (n_columns, n_columns), eV^2
        Covariance of the coefficients in the whitened basis.
    path : DataFrame
        Table of `left_out_path` with a column ``chosen``; one row without errors where the
        ridge was given.
    summary : dict
        ``rows``, ``columns``, ``rank`` of the normal equations in whitened columns of unit length
        and their ``condition`` (over the directions that the rank counts), the fit's
        ``degrees_of_freedom`` and ``noise`` (rms weighted residual, per degree left).
    """

    coefficients: np.ndarray
    ridge: float
    covariance: np.ndarray
    path: pd.DataFrame
    summary: dict[str, float]


@dataclass(frozen=True)
class _Problem:
    """Weighted normal equations, LAMMPS' coefficients c and their penalty |c|^2.

    Energies are counted from `mean`, the mean energy per atom (eV) of the folds.
    """

    to_lammps: np.ndarray
    penalty: np.ndarray
    mean: float
    matrix: np.ndarray
    vector: np.ndarray
    square: float

    @classmethod
    def of(cls, folds: Sequence[Fold], basis: Basis, squares: tuple[float, float]) -> _Problem:
        """Return the problem of all folds; `squares` are the squares of the row weights."""
        to_lammps = basis.to_lammps()
        return cls(to_lammps, to_lammps.T @ to_lammps, *_normal_equations(folds, squares))

    def of_folds(self, folds: Sequence[Fold], squares: tuple[float, float]) -> _Problem:
        """Return the problem of other folds in the same basis, with the same penalty."""
        return _Problem(self.to_lammps, self.penalty, *_normal_equations(folds, squares))

    def factor(self, ridge: float) -> tuple[tuple[np.ndarray, bool], np.ndarray]:
        """Return the Cholesky factor of S (A^T A + ridge P) S, and the diagonal of S.

        Raises
        ------
        LinAlgError
            If the matrix is singular to rounding.
        """
        total = self.matrix + ridge * self.penalty
        scale = 1 / np.sqrt(np.diag(total))
        factor = cho_factor(total * np.outer(scale, scale), overwrite_a=True)
        if np.diag(factor[0]).min() ** 2 < SINGULAR * len(scale):
            raise LinAlgError("singular to rounding")
        return factor, scale

    def solution(self, ridge: float) -> np.ndarray:
        """Return the coefficients in the whitened basis, for energies as they are."""
        factor, scale = self.factor(ridge)
        coefficients: np.ndarray = scale * cho_solve(factor, scale * self.vector)
        coefficients[CONSTANT] += self.mean
        return coefficients


def solve(
    folds: Sequence[Fold],
    basis: Basis,
    *,
    energy_weight: float,
    force_weight: float,
    ridge: float | None,
    judged: Sequence[Fold] | None = None,
) -> Fit:
    """Minimise |W (A c - b)|^2 + ridge |c|^2, c the coefficients of LAMMPS, as FitSNAP does.

    Energies are counted from their mean per atom, which is added to the constant afterwards: the
    fit does not depend on the zero of energy of the labels, which is that of the code that made
    them. A penalty on the whole constant would bend a fit the more, the farther its labels are
    from zero.

    Parameters
    ----------
    folds : sequence of Fold
    basis : Basis
        Basis that the folds were accumulated in.
    energy_weight, force_weight : float
        Row weights of an energy per atom (eV) and of a force component (eV/Å).
    ridge : float or None
        None takes the strength with the smallest criterion on folds left out of the fit.
    judged : sequence of Fold, optional
        The same folds with all cells weighted alike, on which errors are measured; without
        it, `folds` serve.

    Raises
    ------
    ValueError
        If the data do not determine the coefficients.
    """
    weights = {"energy_weight": energy_weight, "force_weight": force_weight}
    path = pd.DataFrame([{"ridge": ridge}])
    if ridge is None:
        path, _ = left_out_path(folds, basis, **weights, judged=judged)
        ridge = float(path["ridge"][path["criterion"].idxmin()])
    path["chosen"] = path["ridge"] == ridge
    squares = (energy_weight**2, force_weight**2)
    whole = _Problem.of(folds, basis, squares)
    count = sum(fold.energy.count + fold.force.count for fold in folds)
    solution, covariance, summary = _solve_whole(whole, ridge, count)
    coefficients = whole.to_lammps @ solution
    coefficients[CONSTANT] += whole.mean
    return Fit(coefficients, ridge, covariance, path, summary)


def left_out_path(
    folds: Sequence[Fold],
    basis: Basis,
    *,
    energy_weight: float,
    force_weight: float,
    ridge: float | None = None,
    judged: Sequence[Fold] | None = None,
) -> tuple[pd.DataFrame, PartErrors]:
    """Predict every fold from the others, for ridge strengths from strongest to weakest.

    Parameters
    ----------
    folds : sequence of Fold
    basis : Basis
    energy_weight, force_weight : float
        Row weights of an energy per atom (eV) and of a force component (eV/Å).
    ridge : float, optional
        The only strength to try; without it, `DECADES` of them.
    judged : sequence of Fold, optional
        The same folds with all cells weighted alike, on which errors are measured; without
        it, `folds` serve.

    Returns
    -------
    path : DataFrame
        One row a ridge strength that determines the coefficients: ``ridge``, ``energy_rmse``
        (eV/atom), ``force_rmse`` (eV/Å) and ``criterion`` of `PartErrors`.
    errors : PartErrors
        Errors at the ridge strength with the smallest criterion.

    Raises
    ------
    ValueError
        If there is one fold only, or no strength determines the coefficients.
    """
    if len(folds) < 2:
        raise ValueError(ONE_TRAJECTORY)
    squares = (energy_weight**2, force_weight**2)
    whole = _Problem.of(folds, basis, squares)
    others = [[other for other in folds if other is not fold] for fold in folds]
    without = [whole.of_folds(rest, squares) for rest in others]
    strongest = STRONGEST * (np.diag(whole.matrix) / np.diag(whole.penalty)).max()
    found = []
    for strength in strongest * 10.0 ** -np.arange(DECADES) if ridge is None else [ridge]:
        try:
            left_out = [problem.solution(strength) for problem in without]
        except LinAlgError:
            break  # weaker ones are no better determined
        found.append((strength, _errors(judged or folds, left_out)))
    if not found:
        raise ValueError(
            f"without one of {len(folds)} folds the training set does not determine "
            f"{basis.n_columns} coefficients with ridge {ridge}: add cells, take a smaller 2Jmax, "
            "or ridge auto"
        )
    columns = ("energy_rmse", "force_rmse", "criterion")
    rows = [{"ridge": s, **{name: getattr(e, name) for name in columns}} for s, e in found]
    return pd.DataFrame(rows), min((e for _, e in found), key=attrgetter("criterion"))


def _errors(folds: Sequence[Fold], coefficients: Sequence[np.ndarray]) -> PartErrors:
    """Return the errors of each fold with its own coefficients."""
    pairs = list(zip(folds, coefficients, strict=True))
    return PartErrors(
        energy=np.array([fold.energy.residual(c) for fold, c in pairs]),
        force=np.array([fold.force.residual(c) for fold, c in pairs]),
        n_energies=np.array([fold.energy.count for fold in folds]),
        n_forces=np.array([fold.force.count for fold in folds]),
    )


def _normal_equations(
    folds: Sequence[Fold], squares: tuple[float, float]
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Return the mean energy of folds, and from there the weighted A^T A, A^T b and b^T b."""
    energies = [fold.energy for fold in folds]
    sums = sum(gram.vector[CONSTANT] for gram in energies)
    mean = float(sums / sum(gram.matrix[CONSTANT, CONSTANT] for gram in energies))
    n = len(energies[0].vector)
    matrix, vector, total = np.zeros((n, n), order="F"), np.zeros(n), 0.0
    for fold in folds:
        grams = (fold.energy.less(CONSTANT, mean), fold.force)
        for square, gram in zip(squares, grams, strict=True):
            matrix += square * gram.matrix
            vector += square * gram.vector
            total += square * gram.square
    return mean, _mirrored(matrix), vector, total


def _mirrored(upper: np.ndarray) -> np.ndarray:
    return np.triu(upper) + np.triu(upper, 1).T


def _solve_whole(
    problem: _Problem, ridge: float, count: int
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Return the solution from the mean energy, its covariance, and the summary of `Fit`.

    Solution and covariance are in the whitened basis.
    """
    n = len(problem.vector)
    unit = 1 / np.sqrt(np.maximum(np.diag(problem.matrix), np.finfo(float).tiny))
    spectrum = eigvalsh(problem.matrix * np.outer(unit, unit))
    rank = int((spectrum > n * np.finfo(float).eps * spectrum[-1]).sum())
    try:
        factor, scale = problem.factor(ridge)
    except LinAlgError:
        raise ValueError(
            f"{count} rows (energies and force components) of rank {rank} with ridge {ridge:g} do "
            f"not determine {n} coefficients: add cells, take a smaller 2Jmax, or a stronger ridge"
        ) from None
    solution = scale * cho_solve(factor, scale * problem.vector)
    inverse = _mirrored(dpotri(factor[0])[0]) * np.outer(scale, scale)
    freedom = float(np.vdot(inverse, problem.matrix))
    residual = solution @ problem.matrix @ solution - 2 * problem.vector @ solution
    residual += problem.square
    noise = max(0.0, float(residual)) / max(count - freedom, 1.0)
    summary = {
        "rows": count,
        "columns": n,
        "condition": float(spectrum[-1] / spectrum[n - rank]),
        "rank": rank,
        "degrees_of_freedom": freedom,
        "noise": float(np.sqrt(noise)),
    }
    return solution, noise * inverse, summary
