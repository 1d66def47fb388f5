"""Normal equations of parts of a training set, kept on disk: fits to any union of the parts.

A job sums one part, on whatever machine; the parts are added where a fit is made. The bispectrum
components of a small 2Jmax are among those of a larger one, and the linear polynomials among the
quadratic ones: the sums of one model hold those of every SNAP that is no wider.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings
from diverse.models import Model
from diverse.models.polynomial.accumulate import Fold, Gram, Survey, accumulate
from diverse.models.polynomial.basis import Basis
from diverse.models.polynomial.design import Source
from diverse.models.polynomial.fit import solved
from diverse.models.polynomial.forms import Form, SnapForm
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


def load_sums(path: str | Path, columns: np.ndarray) -> Fold:
    """Read some columns of the sums that `save_sums` wrote.

    Parameters
    ----------
    path : path
    columns : ndarray of int
        Their places, in ascending order.

    Raises
    ------
    ValueError
        If the file holds fewer columns.
    """
    with np.load(path) as file:
        return Fold(*(_load_gram(file, name, columns, path) for name in PARTS))


def _load_gram(
    file: Mapping[str, np.ndarray], name: str, columns: np.ndarray, path: str | Path
) -> Gram:
    vector, needed = file[f"{name}_vector"], columns[-1] + 1
    if len(vector) < needed:
        raise ValueError(
            f"{path} holds sums of {len(vector)} columns, {needed} are needed: remove it"
        )
    gram = Gram(len(vector))
    gram.matrix[np.triu_indices(len(vector))] = file[f"{name}_matrix"]
    gram.matrix = np.asfortranarray(gram.matrix[np.ix_(columns, columns)])
    gram.vector = vector[columns]
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


def load_basis(path: str | Path) -> Basis:
    """Read the basis that `save_basis` wrote."""
    with np.load(path) as file:
        return Basis(file["mean"], file["transform"], bool(file["quadratic"]))


def basis_of_sums(found: Survey, form: Form) -> Basis:
    """Return the basis in which the sums of a model hold those of all that are no wider."""
    basis = found.basis(quadratic=form.quadratic)
    if not isinstance(form, SnapForm):
        return basis
    band_limits = [j for _, _, j in BispectrumSettings(form.twojmax, 1.0).components()]
    return basis.nested(np.argsort(band_limits, kind="stable"))


def read_sums(
    basis: str | Path,
    files: Sequence[str | Path],
    form: Form,
    blocks: Iterable[int],
    *,
    summed: Form,
) -> tuple[Basis, dict[int, Fold]]:
    """Read the basis of a form and the sums of some blocks.

    Parameters
    ----------
    basis : path
        Of `save_basis`.
    files : sequence of path
        Of `save_sums`, one a block, in their order.
    form : Form
        Form of the model to fit.
    blocks : iterable of int
    summed : Form
        The form whose sums these are: `form`, or one that holds it.
    """
    whole = load_basis(basis)
    own = whole.part(_components_in(form, summed), quadratic=form.quadratic)
    columns = whole.columns_of(own)
    return own, {block: load_sums(files[block], columns) for block in blocks}


def _components_in(form: Form, summed: Form) -> np.ndarray:
    """Return the places of the components of `form` among those of `summed`."""
    if isinstance(form, SnapForm) and isinstance(summed, SnapForm):
        components = BispectrumSettings(summed.twojmax, 1.0).components()
        return np.flatnonzero([j <= form.twojmax for _, _, j in components])
    return np.arange(len(form.isolated_atom()))


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
