"""Novelty of cells: how far their environments lie from those that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.whitening import Whitening
from diverse.diversity.measures import nearest_distances
from diverse.kernel import BispectrumSettings


class Novelty:
    """Distance of environments to the nearest one of a training set, in whitened descriptor space.

    Parameters
    ----------
    training : sequence of Atoms
    descriptor : BispectrumSettings
        The descriptor that `whitening` was fitted to.
    whitening : Whitening

    Raises
    ------
    ValueError
        If the training set has no cells.
    """

    def __init__(
        self, training: Sequence[Atoms], descriptor: BispectrumSettings, whitening: Whitening
    ) -> None:
        if not training:
            raise ValueError("the training set holds no cells: nothing can be told novel from it")
        self._descriptor, self._whitening = descriptor, whitening
        self._reference = whitening(environment_descriptors(training, descriptor))

    def of_environments(self, cells: Sequence[Atoms]) -> list[np.ndarray]:
        """Return the novelty of the environments of each cell, shape (n_atoms,), whitened units."""
        if not cells:
            return []
        white = self._whitening(environment_descriptors(cells, self._descriptor))
        ends = np.cumsum([len(cell) for cell in cells])[:-1]
        return np.split(nearest_distances(white, self._reference), ends)

    def of_cells(self, cells: Sequence[Atoms]) -> np.ndarray:
        """Return the mean novelty over the environments of each cell, shape (n_cells,)."""
        return np.array([own.mean() for own in self.of_environments(cells)])

    def threshold(self, left_out: Sequence[Atoms], quantile: float) -> float:
        """Return a quantile of the novelty of cells left out of the training set; NaN for none."""
        return float(np.quantile(self.of_cells(left_out), quantile)) if left_out else np.nan


def cell_novelty(
    training: Sequence[Atoms],
    test: Sequence[Atoms],
    descriptor: BispectrumSettings,
    whitening: Whitening,
) -> pd.DataFrame:
    """Return the novelty of every test cell with respect to a training set; see `Novelty`.

    Parameters
    ----------
    training, test : sequence of Atoms
        Test cells carry their label key.
    descriptor : BispectrumSettings
        The descriptor that `whitening` was fitted to.

    Returns
    -------
    DataFrame
        ``key``, ``group``, ``novelty`` (mean over the cell's environments) and ``largest_novelty``,
        in whitened units; a row for each test cell.

    Raises
    ------
    ValueError
        If the training set has no cells.
    """
    novelty = Novelty(training, descriptor, whitening)
    rows = [
        (cell.info["key"], cell.info["config_type"], own.mean(), own.max())
        for cell, own in zip(test, novelty.of_environments(test), strict=True)
    ]
    return pd.DataFrame(rows, columns=["key", "group", "novelty", "largest_novelty"])
