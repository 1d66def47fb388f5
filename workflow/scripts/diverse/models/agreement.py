"""FitSNAP beside the streaming solver: both fit the same cells, and must predict the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from diverse.labels.target import free_energy_per_atom
from diverse.models import predict
from diverse.models.fitsnap import fit_with_fitsnap
from diverse.models.polynomial.model import PolynomialModel
from diverse.models.polynomial.settings import FitSettings
from diverse.models.weights import CellWeights, cell_weights
from diverse.zbl import ZBL

ENERGY_TOLERANCE = 1e-7  # eV/atom
FORCE_TOLERANCE = 1e-6  # eV/Å
NOT_COMPARED = {"energy_difference": np.nan, "force_difference": np.nan}  # of a streaming fit alone


class AgreementError(RuntimeError):
    """FitSNAP and the streaming solver fitted the same cells and predict different numbers."""


def fit_beside(
    streaming: PolynomialModel,
    ridge: float,
    cells: Sequence[Atoms],
    settings: FitSettings,
    potential: Path,
    *,
    cutoff: float,
    zbl: ZBL,
) -> tuple[PolynomialModel, dict[str, float]]:
    """Fit a model once more, with FitSNAP, and compare what both fits predict.

    Parameters
    ----------
    streaming : PolynomialModel
        The streaming solver's fit to the same cells with the same settings.
    ridge : float
        Penalty that the streaming fit took.
    cells : sequence of Atoms
        Labelled training cells of one element.
    settings : FitSettings
    potential : Path
        FitSNAP writes its files there, with the suffixes ``.snapcoeff`` and ``.snapparam``.
    cutoff : float, Å
    zbl : ZBL

    Returns
    -------
    model : PolynomialModel
        FitSNAP's.
    differences : dict
        Result of `largest_differences`.

    Raises
    ------
    AgreementError
        If the predictions on the training cells differ by more than 1e-7 eV/atom or 1e-6 eV/Å.
    """
    model = fit_with_fitsnap(
        cells,
        potential,
        twojmax=streaming.twojmax,
        quadratic=streaming.quadratic is not None,
        cutoff=cutoff,
        zbl=zbl,
        weights=row_weights(cells, settings),
        ridge=ridge,
    )
    differences = largest_differences(model, streaming, cells, cutoff=cutoff, zbl=zbl)
    energy, force = differences.values()
    if not (energy <= ENERGY_TOLERANCE and force <= FORCE_TOLERANCE):
        raise AgreementError(
            f"FitSNAP's fit of {model.family} SNAP, 2Jmax {model.twojmax}, and the streaming fit "
            f"to the same {len(cells)} cells with ridge {ridge:g} differ by {energy:.1e} eV/atom "
            f"and {force:.1e} eV/Å on these cells (allowed: {ENERGY_TOLERANCE:.0e} and "
            f"{FORCE_TOLERANCE:.0e}): FitSNAP's normal equations are too ill-conditioned; give "
            "the model a stronger ridge or a smaller twojmax, or say solver: streaming"
        )
    return model, differences


def row_weights(cells: Sequence[Atoms], settings: FitSettings) -> CellWeights:
    """Return the function that gives a cell the weights of its rows in a fit to all `cells`."""
    lowest = min(map(free_energy_per_atom, cells), default=0.0)
    relative = cell_weights(lowest, settings.energy_scale)

    def weights(cell: Atoms) -> tuple[float, float]:
        energy, force = relative(cell)
        return settings.energy_weight * energy, settings.force_weight * force

    return weights


def largest_differences(
    model: PolynomialModel,
    other: PolynomialModel,
    cells: Sequence[Atoms],
    *,
    cutoff: float,
    zbl: ZBL,
) -> dict[str, float]:
    """Return the largest differences of what two models predict on labelled cells.

    Returns
    -------
    dict
        ``energy_difference``, eV/atom, and ``force_difference`` of a component, eV/Å.
    """
    one, two = (predict(each, cells, cutoff=cutoff, zbl=zbl) for each in (model, other))
    sizes = np.array([len(cell) for cell in cells])
    return {
        "energy_difference": float(np.abs((one.energies - two.energies) / sizes).max()),
        "force_difference": float(np.abs(one.forces - two.forces).max()),
    }
