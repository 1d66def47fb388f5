"""Errors of networks on a part of their own training set: what their loss weights are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings
from diverse.models import predict
from diverse.models.labels import label_of
from diverse.models.search import NOTHING_TO_LEAVE_OUT
from diverse.models.training.data import training_cells
from diverse.models.training.loop import train_network
from diverse.models.training.settings import TrainingSettings
from diverse.split import dealt
from diverse.zbl import ZBL


class HeldOutPart:
    """A training set of which the first of `n_folds` parts is not trained on.

    Parameters
    ----------
    cells : callable
        Gives the labelled cells, the same at each of two calls.
    descriptor : BispectrumSettings
    zbl : ZBL
    n_folds : int

    Raises
    ------
    ValueError
        If there is only one trajectory, or labels are missing or not finite.
    """

    def __init__(
        self,
        cells: Callable[[], Iterable[Atoms]],
        descriptor: BispectrumSettings,
        zbl: ZBL,
        *,
        n_folds: int,
    ) -> None:
        kept = (cell for number, cell in dealt(cells(), n_folds) if number)
        self._held_out = [cell for number, cell in dealt(cells(), n_folds) if not number]
        if len(self._held_out) == sum(1 for _ in cells()):
            raise ValueError(NOTHING_TO_LEAVE_OUT)
        self._kept = training_cells(kept, descriptor, zbl)
        self._descriptor, self._zbl = descriptor, zbl

    def errors(self, settings: TrainingSettings, seed: int) -> dict[str, float]:
        """Train on the other parts; return the errors of the part held out, all cells alike.

        Returns
        -------
        dict
            ``n_cells`` held out, ``energy_rmse`` (eV/atom) and ``force_rmse`` (eV/Å) of them,
            ``epochs`` of the training.
        """
        model, history = train_network(self._kept, settings, seed)
        found = predict(model, self._held_out, cutoff=self._descriptor.cutoff, zbl=self._zbl)
        energies, forces = zip(*map(label_of, self._held_out), strict=True)
        sizes = np.array([len(cell) for cell in self._held_out])
        return {
            "n_cells": len(sizes),
            "energy_rmse": _rms((found.energies - np.array(energies)) / sizes),
            "force_rmse": _rms(found.forces - np.concatenate(forces)),
            "epochs": len(history),
        }


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt((errors**2).mean()))
