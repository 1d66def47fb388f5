"""Fits of linear and quadratic SNAP to a training set of any size: passes over its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ase import Atoms

from diverse.models.polynomial.accumulate import (
    Fold,
    accumulate,
    energy_dependent,
    equal_weights,
    raw_kernel,
    survey,
)
from diverse.models.polynomial.model import PolynomialModel, isolated_atom
from diverse.models.polynomial.solve import Fit, left_out_path, solve
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.models.search import PartErrors
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

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> FitSettings:
        """Read the study's entry of a model; none of its weights may be ``auto``."""
        values = {**model, "quadratic": model["family"] == "quadratic"}
        values["ridge"] = None if model["ridge"] == "auto" else model["ridge"]
        return cls(**{field.name: values[field.name] for field in fields(cls)})


class FoldedSet:
    """A training set as normal equations in folds, for any energy scale.

    Parameters
    ----------
    cells : callable
        Gives the labelled cells, the same at each call: one for the descriptors, and one for each
        energy scale that is asked for.
    twojmax : int
    quadratic : bool
    n_folds : int
    cutoff : float, Å
    zbl : ZBL

    Raises
    ------
    ValueError
        If labels are missing or not finite, or descriptors do not vary.
    """

    def __init__(
        self,
        cells: Callable[[], Iterable[Atoms]],
        *,
        twojmax: int,
        quadratic: bool,
        n_folds: int,
        cutoff: float,
        zbl: ZBL,
    ) -> None:
        self._cells, self._n_folds, self._zbl = cells, n_folds, zbl
        self._kernel = raw_kernel(twojmax, cutoff)
        found = survey(cells(), self._kernel)
        self.basis = found.basis(quadratic=quadratic)
        self._lowest = found.lowest_energy
        self._folds: dict[float | None, list[Fold]] = {}

    def folds(self, scale: float | None) -> list[Fold]:
        """Return the folds with cells weighted by their energies (scale in eV/atom), or alike."""
        if scale not in self._folds:
            weights = equal_weights if scale is None else energy_dependent(self._lowest, scale)
            self._folds[scale] = accumulate(
                self._cells(),
                self._kernel,
                self.basis,
                self._zbl,
                n_folds=self._n_folds,
                weights=weights,
            )
        return self._folds[scale]

    def left_out_errors(self, settings: FitSettings) -> tuple[PartErrors, dict[str, float]]:
        """Predict every fold from the others, with the ridge that does it best.

        Returns
        -------
        errors : PartErrors
        details : dict
            That ``ridge``.

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


def fit_streaming(
    cells: Callable[[], Iterable[Atoms]], settings: FitSettings, *, cutoff: float, zbl: ZBL
) -> tuple[PolynomialModel, Uncertainty, Fit]:
    """Fit to free energies and forces on top of ZBL.

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
