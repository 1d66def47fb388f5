"""Fits of linear and quadratic SNAP to a training set of any size: passes over its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ase import Atoms

from diverse.models.polynomial.left_out import FoldedSet
from diverse.models.polynomial.model import PolynomialModel, isolated_atom
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.solve import Fit, solve
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.zbl import ZBL


def fit_streaming(
    cells: Callable[[], Iterable[Atoms]], settings: FitSettings, *, cutoff: float, zbl: ZBL
) -> tuple[PolynomialModel, Uncertainty, Fit]:
    """Fit linear or quadratic SNAP to free energies and forces, on top of ZBL.

    Parameters
    ----------
    cells : callable
        Gives the labelled cells, the same at each call.
    settings : FitSettings
    cutoff : float, Å
    zbl : ZBL

    Raises
    ------
    ValueError
        If labels are missing or not finite, descriptors do not vary, or the data do not
        determine the coefficients.
    """
    data = FoldedSet(
        cells,
        twojmax=settings.twojmax,
        quadratic=settings.quadratic,
        n_folds=settings.folds if settings.ridge is None else 1,
        cutoff=cutoff,
        zbl=zbl,
    )
    fit = solve(
        data.folds(settings.energy_scale),
        data.basis,
        energy_weight=settings.energy_weight,
        force_weight=settings.force_weight,
        ridge=settings.ridge,
        judged=data.folds(None) if settings.ridge is None else None,
    )
    model = PolynomialModel.from_coefficients(settings.twojmax, fit.coefficients, bzero=False)
    subtracted = replace(data.basis, mean=data.basis.mean - isolated_atom(settings.twojmax))
    return model, Uncertainty(subtracted, fit.covariance), fit
