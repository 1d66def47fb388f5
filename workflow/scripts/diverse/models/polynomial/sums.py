"""Normal equations of parts of a training set, kept on disk: fits to any union of the parts.

A job sums one part, on whatever machine; the parts are added where a fit is made. The leading
columns of a quadratic basis are those of the linear one, so that the sums of a quadratic model hold
those of the linear model with the same descriptors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from diverse.models import Model
from diverse.models.polynomial.accumulate import Fold, Gram, accumulate
from diverse.models.polynomial.basis import Basis
from diverse.models.polynomial.design import Source
from diverse.models.polynomial.fit import solved
from diverse.models.polynomial.forms import Form
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.solve import Fit
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.models.weights import equal_weights
from diverse.zbl import ZBL

PARTS = ("energy", "force")


def sum_part(cells: Iterable[Atoms], source: Source, basis: Basis, zbl: ZBL) -> Fold:
    """Return the normal equations of one part, all cells weighted alike; zeros of no cell."""
    found = accumulate(cells, source, basis, zbl, n_folds=1, weights=equal_weights)
    return found[0] if found else Fold(Gram(basis.n_columns), Gram(basis.n_columns))


def save_sums(path: str | Path, part: Fold) -> None:
    """Write the sums of one part as an .npz, the upper triangles of its matrices alone."""
    arrays: dict[str, Any] = {}
    for name in PARTS:
        gram: Gram = getattr(part, name)
        arrays[f"{name}_matrix"] = gram.matrix[np.triu_indices(len(gram.vector))]
        arrays[f"{name}_vector"] = gram.vector
        arrays[f"{name}_square"] = np.array(gram.square)
        arrays[f"{name}_count"] = np.array(gram.count)
    np.savez(path, **arrays)


def load_sums(path: str | Path, n_columns: int) -> Fold:
    """Read the first columns of the sums that `save_sums` wrote.

    Raises
    ------
    ValueError
        If the file holds fewer columns.
    """
    with np.load(path) as file:
        return Fold(*(_load_gram(file, name, n_columns, path) for name in PARTS))


def _load_gram(file: Mapping[str, np.ndarray], name: str, n: int, path: str | Path) -> Gram:
    vector = file[f"{name}_vector"]
    if len(vector) < n:
        raise ValueError(f"{path} holds sums of {len(vector)} columns, {n} are needed: remove it")
    gram = Gram(len(vector))
    gram.matrix[np.triu_indices(len(vector))] = file[f"{name}_matrix"]
    gram.matrix = np.asfortranarray(gram.matrix[:n, :n])
    gram.vector = vector[:n]
    gram.square, gram.count = float(file[f"{name}_square"]), int(file[f"{name}_count"])
    return gram


def added(parts: Sequence[Fold]) -> Fold:
    """Return the normal equations of several parts together."""
    return Fold(*(_added([getattr(part, name) for part in parts]) for name in PARTS))


def _added(grams: Sequence[Gram]) -> Gram:
    total = Gram(len(grams[0].vector))
    for gram in grams:
        total.matrix += gram.matrix
        total.vector += gram.vector
        total.square += gram.square
        total.count += gram.count
    return total


def save_basis(path: str | Path, basis: Basis) -> None:
    """Write the basis that parts are summed in as an .npz."""
    np.savez(path, **vars(basis))


def load_basis(path: str | Path, *, quadratic: bool) -> Basis:
    """Read the basis that `save_basis` wrote, with or without its quadratic columns."""
    with np.load(path) as file:
        return Basis(file["mean"], file["transform"], quadratic)


def read_sums(
    basis: str | Path, files: Sequence[str | Path], form: Form, blocks: Iterable[int]
) -> tuple[Basis, dict[int, Fold]]:
    """Read the basis of a form and the sums of some blocks.

    Parameters
    ----------
    basis : path
        Of `save_basis`.
    files : sequence of path
        Of `save_sums`, one a block, in their order.
    form : Form
        Form of the model to fit: the one whose sums these are, or one that it holds.
    blocks : iterable of int
    """
    found = load_basis(basis, quadratic=form.quadratic)
    return found, {block: load_sums(files[block], found.n_columns) for block in blocks}


def fit_sums(
    parts: Sequence[Fold], basis: Basis, settings: FitSettings
) -> tuple[Model, Uncertainty, Fit]:
    """Fit a model to all cells of several parts, by the solver of `fit_streaming`.

    Where the ridge is chosen, parts are left out instead of trajectories, in as many folds as the
    settings say, or as there are parts. All cells weigh alike.

    Parameters
    ----------
    parts : sequence of Fold
        Of `load_sums`, with the columns of `basis`.
    basis : Basis
        Basis that the parts were summed in.
    settings : FitSettings

    Raises
    ------
    ValueError
        If cells are to be weighted by energy, or the data do not determine the coefficients.
    """
    if settings.energy_scale is not None:
        raise ValueError("sums of blocks weigh all cells alike: leave energy_scale at null")
    filled = [part for part in parts if part.energy.count]
    if not filled:
        raise ValueError("there are no labelled cells to fit to: see tables/failures.csv")
    n_folds = min(settings.folds, len(filled)) if settings.ridge is None else 1
    folds = [added(filled[number::n_folds]) for number in range(n_folds)]
    return solved(folds, basis, settings)
