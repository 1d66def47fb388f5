"""Novelty of test cells: how far their environments lie from those that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.whitening import Whitening
from diverse.diversity.measures import nearest_distances
from diverse.kernel import BispectrumSettings


def cell_novelty(
    training: Sequence[Atoms],
    test: Sequence[Atoms],
    descriptor: BispectrumSettings,
    whitening: Whitening,
) -> pd.DataFrame:
    """Return the novelty of every test cell with respect to a training set.

    The novelty of an environment is its distance to the nearest environment of the training set in
    whitened descriptor space.

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
    if not training:
        raise ValueError("the training set holds no cells: nothing can be told novel from it")
    reference = whitening(environment_descriptors(training, descriptor))
    columns = ["key", "group", "novelty", "largest_novelty"]
    if not test:
        return pd.DataFrame(columns=columns)
    distances = nearest_distances(whitening(environment_descriptors(test, descriptor)), reference)
    of_cell = np.split(distances, np.cumsum([len(cell) for cell in test])[:-1])
    rows = [
        (cell.info["key"], cell.info["config_type"], own.mean(), own.max())
        for cell, own in zip(test, of_cell, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)
