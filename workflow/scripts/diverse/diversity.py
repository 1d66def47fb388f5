"""Measures of how diverse data sets are, in one whitened descriptor space."""

from __future__ import annotations

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.descriptors import environment_descriptors
from diverse.generate.entropy import Whitening, nearest_neighbour_entropy
from diverse.generate.statistics import SetStatistics
from diverse.kernel import BispectrumSettings


def effective_rank(white: np.ndarray) -> float:
    """Exponential of the entropy of the normalised covariance spectrum (Roy, Vetterli 2007)."""
    variance = np.linalg.eigvalsh(np.cov(white, rowvar=False)).clip(min=0)
    share = variance[variance > 0] / variance.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def summarise(
    cells: dict[str, list[Atoms]], whitening: Whitening, settings: BispectrumSettings
) -> pd.DataFrame:
    """Return one row per data set: sizes, ranges of its labels, and its diversity.

    ``log_det`` is log det of the (regularised) covariance, ``nn_entropy`` the Kozachenko-Leonenko
    entropy in nats, both of whitened descriptors; energies are free energies in eV/atom, forces in
    eV/Å, distances in Å.
    """
    rows = []
    for name, members in cells.items():
        white = whitening(environment_descriptors(members, settings))
        energies = [c.get_potential_energy(force_consistent=True) / len(c) for c in members]
        forces = np.concatenate([c.get_forces() for c in members])
        rows.append(
            {
                "dataset": name,
                "cells": len(members),
                "environments": len(white),
                "log_det": SetStatistics.of(white).log_det(),
                "nn_entropy": nearest_neighbour_entropy(white),
                "effective_rank": effective_rank(white),
                "d_min": min(c.info["d_min"] for c in members),
                "energy_low": min(energies),
                "energy_high": max(energies),
                "force_rms": float(np.sqrt((forces**2).mean())),
                "seconds": sum(c.info["seconds"] for c in members),
            }
        )
    return pd.DataFrame(rows)
