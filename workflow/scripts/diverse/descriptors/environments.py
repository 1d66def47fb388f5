"""Descriptors of the environments of ASE cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings, Kernel
from diverse.neighbours import find_pairs


def environment_descriptors(cells: Sequence[Atoms], settings: BispectrumSettings) -> np.ndarray:
    """Return the descriptors of every environment, shape (n_atoms, D)."""
    pairs = find_pairs(cells, settings.cutoff)
    return Kernel(settings).forward(pairs.vector, pairs.first)
