"""Errors of networks on parts of their own training set: what loss weights are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from ase import Atoms

from diverse.datasets.split import dealt
from diverse.kernel import BispectrumSettings
from diverse.kernel.device import Device
from diverse.labels.target import fit_target
from diverse.models import Model, predict
from diverse.models.network.data import training_cells
from diverse.models.network.loop import train_networks
from diverse.models.network.settings import TrainingSettings
from diverse.models.search import ONE_TRAJECTORY, PartErrors
from diverse.structures import batches
from diverse.zbl import ZBL

BATCH = 4096  # environments predicted together


class FoldedSet:
    """A training set of which one part after the other is not trained on.

    Parameters
    ----------
    cells : callable
        Gives the labelled cells, the same at each call.
    descriptor : BispectrumSettings
    zbl : ZBL
    n_folds : int
    device : Device, optional
        Card to train on; by default the CPU.

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
        device: Device | None = None,
    ) -> None:
        self._device = device
        self._cells, self._descriptor, self._zbl, self._n_folds = cells, descriptor, zbl, n_folds
        part_of_cell = np.array([part for part, _ in dealt(cells(), n_folds)])
        parts = np.unique(part_of_cell)
        if len(parts) < 2:
            raise ValueError(ONE_TRAJECTORY)
        self._pool = training_cells(cells(), descriptor, zbl)
        self._kept = [np.flatnonzero(part_of_cell != part) for part in parts]

    def left_out_errors(self, settings: TrainingSettings, seed: int) -> PartErrors:
        """Return the errors on each part, predicted by a network trained without it.

        Each of the trainings has a seed of its own that follows from `seed`.
        """
        seeds = [seed + part for part in range(len(self._kept))]
        trained = train_networks(self._pool, self._kept, settings, seeds, device=self._device)
        sums = [self._squares(model, part) for part, (model, _) in enumerate(trained)]
        return PartErrors(*np.array(sums).T)

    def _squares(self, model: Model, part: int) -> np.ndarray:
        """Return sums of squared errors of energies and forces on a part, and their numbers."""
        total = np.zeros(4)
        left_out = (cell for p, cell in dealt(self._cells(), self._n_folds) if p == part)
        for batch in batches(left_out, BATCH):
            found = predict(model, batch, cutoff=self._descriptor.cutoff, zbl=self._zbl)
            energies, forces = zip(*map(fit_target, batch), strict=True)
            energy = (found.energies - np.array(energies)) / [len(cell) for cell in batch]
            force = found.forces - np.concatenate(forces)
            total += [(energy**2).sum(), (force**2).sum(), energy.size, force.size]
        return total
