"""Fits of linear and quadratic SNAP to a training set of any size: two passes over its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ase import Atoms

from diverse.models.polynomial.accumulate import (
    accumulate,
    energy_dependent,
    equal_weights,
    raw_kernel,
    survey,
)
from diverse.models.polynomial.model import PolynomialModel, isolated_atom
from diverse.models.polynomial.solve import Fit, solve
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.zbl import ZBL


@dataclass(frozen=True)
class FitSettings:
    """How a polynomial is fitted.

    Attributes
    ----------
    twojmax : int
    quadratic : bool
    energy_weight, force_weight : float
        Row weights of an energy per atom (eV) and of a force component (eV/Å).
    ridge : float or None
        Penalty on the squares of LAMMPS' coefficients; None chooses it by leaving folds out.
    energy_scale : float or None, eV/atom
        If given, rows of a cell get the weight 1 / (1 + (E - lowest E) / energy_scale).
    folds : int
        Parts of the training set that are left out in turn.
    """

    twojmax: int
    quadratic: bool
    energy_weight: float
    force_weight: float
    ridge: float | None
    energy_scale: float | None
    folds: int


def fit_streaming(
    cells: Callable[[], Iterable[Atoms]], settings: FitSettings, *, cutoff: float, zbl: ZBL
) -> tuple[PolynomialModel, Uncertainty, Fit]:
    """Fit to free energies and forces on top of ZBL.

    Parameters
    ----------
    cells : callable
        Gives the labelled cells, the same at each of two calls.
    settings : FitSettings
    cutoff : float, Å
    zbl : ZBL

    Raises
    ------
    ValueError
        If labels are missing or not finite, descriptors do not vary, or the data do not
        determine the coefficients.
    """
    kernel = raw_kernel(settings.twojmax, cutoff)
    found = survey(cells(), kernel)
    basis = found.basis(quadratic=settings.quadratic)
    scale = settings.energy_scale
    folds = accumulate(
        cells(),
        kernel,
        basis,
        zbl,
        n_folds=settings.folds if settings.ridge is None else 1,
        weights=equal_weights if scale is None else energy_dependent(found.lowest_energy, scale),
    )
    fit = solve(
        folds,
        basis,
        energy_weight=settings.energy_weight,
        force_weight=settings.force_weight,
        ridge=settings.ridge,
    )
    model = PolynomialModel.from_coefficients(settings.twojmax, fit.coefficients, bzero=False)
    subtracted = replace(basis, mean=basis.mean - isolated_atom(settings.twojmax))
    return model, Uncertainty(subtracted, fit.covariance), fit
