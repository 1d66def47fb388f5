"""Acceptance of cells into a set, and the reasons for which others are refused."""

from __future__ import annotations

import numpy as np

SAME = 1e-3  # whitened units


class Gate:
    """Judge of a set: tells new cells from cells that are too close, broken or already there.

    A cell's fingerprint is its number of atoms and the mean and spread of its whitened descriptors:
    it is the same for any choice of axes, origin and order of atoms.

    Parameters
    ----------
    d_min : float, Å
        Floor on the shortest interatomic distance.
    same : float
        Cells whose fingerprints differ by less in every number are duplicates; 0.001 by default.
    """

    def __init__(self, d_min: float, same: float = SAME) -> None:
        self.d_min = d_min
        self.same = same
        self._known: dict[int, np.ndarray] = {}

    def verdict(self, white: np.ndarray, shortest: float, *, failed: bool) -> str:
        """Return ``accepted``, ``not finite``, ``too close`` or ``duplicate``.

        Parameters
        ----------
        white : ndarray, shape (n, D)
            Whitened descriptors of the cell.
        shortest : float, Å
            Its shortest interatomic distance; infinite beyond the cutoff.
        failed : bool
            Whether the optimiser gave it up.
        """
        if failed or not np.isfinite(white).all():
            return "not finite"
        if shortest < self.d_min:
            return "too close"
        fingerprint = np.concatenate([white.mean(axis=0), white.std(axis=0)])
        known = self._known.get(len(white), np.empty((0, len(fingerprint))))
        if (np.abs(known - fingerprint).max(axis=1, initial=0) < self.same).any():
            return "duplicate"
        self._known[len(white)] = np.vstack([known, fingerprint])
        return "accepted"
