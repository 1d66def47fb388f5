"""Fits of SNAP and POD to a training set of any size: passes over its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from ase import Atoms

from diverse.kernel.device import Device
from diverse.models import Model
from diverse.models.polynomial.accumulate import Fold, Gram
from diverse.models.polynomial.basis import Basis
from diverse.models.polynomial.left_out import FoldedSet
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.solve import Fit, solve
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.zbl import ZBL


def fit_streaming(
    cells: Callable[[], Iterable[Atoms]],
    settings: FitSettings,
    *,
    cutoff: float,
    zbl: ZBL,
    device: Device | None = None,
) -> tuple[Model, Uncertainty, Fit]:
    """Fit a model that is linear in its coefficients to free energies and forces, on top of ZBL.

    Parameters
    ----------
    cells : callable
        Gives the labelled cells, the same at each call.
    settings : FitSettings
    cutoff : float, Å
    zbl : ZBL
    device : Device, optional
        Card on which the normal equations of a quadratic model are summed; by default, and for
        other models, whose few columns it would not gain from, the CPU.

    Raises
    ------
    ValueError
        If labels are missing or not finite, descriptors do not vary, or the data do not
        determine the coefficients.
    """
    data = FoldedSet(
        cells,
        form=settings.form,
        n_folds=settings.folds if settings.ridge is None else 1,
        cutoff=cutoff,
        zbl=zbl,
        make_gram=_maker(device if settings.form.quadratic else None),
    )
    judged = data.folds(None) if settings.ridge is None else None
    return solved(data.folds(settings.energy_scale), data.basis, settings, judged)


def solved(
    folds: Sequence[Fold],
    basis: Basis,
    settings: FitSettings,
    judged: Sequence[Fold] | None = None,
) -> tuple[Model, Uncertainty, Fit]:
    """Return the model that solves normal equations in folds, with its uncertainty.

    Parameters
    ----------
    folds : sequence of Fold
    basis : Basis
        Basis that the folds were accumulated in.
    settings : FitSettings
    judged : sequence of Fold, optional
        As `solve` takes it.
    """
    fit = solve(
        folds,
        basis,
        energy_weight=settings.energy_weight,
        force_weight=settings.force_weight,
        ridge=settings.ridge,
        judged=judged,
    )
    subtracted = replace(basis, mean=basis.mean - settings.form.isolated_atom())
    model = settings.form.model(fit.coefficients)
    return model, Uncertainty(subtracted, fit.covariance), fit


def _maker(device: Device | None) -> Callable[[int], Gram]:
    if device is None:
        return Gram
    from diverse.models.polynomial.cuda_gram import CudaGram  # imports torch

    return partial(CudaGram, device=device)
