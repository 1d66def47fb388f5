"""Errors of linear fits on parts of their own training set: what loss weights are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ase import Atoms

from diverse.models.polynomial.accumulate import Fold, Gram, accumulate, survey
from diverse.models.polynomial.forms import Form
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.solve import left_out_path
from diverse.models.search import PartErrors
from diverse.models.weights import cell_weights
from diverse.progress import tracked
from diverse.zbl import ZBL


class FoldedSet:
    """A training set as normal equations in folds, for any energy scale.

    Parameters
    ----------
    cells : callable
        Gives the labelled cells, the same at each call: one for the descriptors, and one for each
        energy scale that is asked for.
    form : Form
    n_folds : int
    cutoff : float, Å
    zbl : ZBL
    make_gram : callable
        Makes the sums, as `accumulate` takes it.

    Raises
    ------
    ValueError
        If labels are missing or not finite, or descriptors do not vary.
    """

    def __init__(
        self,
        cells: Callable[[], Iterable[Atoms]],
        *,
        form: Form,
        n_folds: int,
        cutoff: float,
        zbl: ZBL,
        make_gram: Callable[[int], Gram] = Gram,
    ) -> None:
        self._cells, self._n_folds, self._zbl = cells, n_folds, zbl
        self._source = form.source(cutoff, zbl.element)
        self._make_gram = make_gram
        found = survey(cells(), self._source)
        self.basis = found.basis(quadratic=form.quadratic)
        self._lowest, self._size = found.lowest_energy, found.n_cells
        self._folds: dict[float | None, list[Fold]] = {}

    def folds(self, scale: float | None) -> list[Fold]:
        """Return the folds with cells weighted by energy (scale in eV/atom), or alike for None."""
        if scale not in self._folds:
            self._folds[scale] = accumulate(
                tracked(self._cells(), self._size, "cells of the fit"),
                self._source,
                self.basis,
                self._zbl,
                n_folds=self._n_folds,
                weights=cell_weights(self._lowest, scale),
                make_gram=self._make_gram,
            )
        return self._folds[scale]

    def left_out_errors(self, settings: FitSettings) -> tuple[PartErrors, dict[str, float]]:
        """Predict every fold from the others, with the ridge of the smallest criterion.

        Returns
        -------
        errors : PartErrors
        details : dict
            The chosen ``ridge``.

        Raises
        ------
        ValueError
            If there is one fold only, or the data do not determine the coefficients.
        """
        path, errors = left_out_path(
            self.folds(settings.energy_scale),
            self.basis,
            energy_weight=settings.energy_weight,
            force_weight=settings.force_weight,
            ridge=settings.ridge,
            judged=self.folds(None),
        )
        return errors, {"ridge": float(path["ridge"][path["criterion"].idxmin()])}
