"""Errors of models on test sets, with bootstrap intervals: the rows of ``scores.csv``.

`ModelErrors.of` compares predictions with labels; `score_rows` writes the errors
down, by group of cells. Intervals resample cells, not atoms: the forces of one
cell are not independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.errors.intervals import resample
from diverse.labels.target import free_energy
from diverse.models import Model, Predictions

COLUMNS = [  # of `score_rows`
    *("study", "train", "test", "model", "family", "twojmax", "n_parameters"),
    *("train_environments", "energy_aligned", "data_hash", "energy_shift", "group", "seed"),
    *("quantity", "metric", "value", "ci_low", "ci_high", "unit", "n", "n_cells"),
]
UNITS = {"energy": "meV/atom", "forces": "meV/Å"}


@dataclass(frozen=True)
class Labels:
    """The labels of a data set as arrays; atoms are numbered through all cells.

    Attributes
    ----------
    energies : ndarray, shape (n_cells,), eV
        Free energies.
    forces : ndarray, shape (n_atoms, 3), eV/Å
    cell_of_atom : ndarray of int, shape (n_atoms,)
    keys, groups, protocols : ndarray of str, shape (n_cells,)
        Label keys, ``config_type`` and label protocols.
    """

    energies: np.ndarray
    forces: np.ndarray
    cell_of_atom: np.ndarray
    keys: np.ndarray
    groups: np.ndarray
    protocols: np.ndarray

    @property
    def n_atoms(self) -> np.ndarray:
        """Atoms in each cell, shape (n_cells,)."""
        return np.bincount(self.cell_of_atom, minlength=len(self.energies))

    @classmethod
    def of(cls, cells: Iterable[Atoms]) -> Labels:
        """Take the labels of cells; the structures are not kept."""
        energies, forces, names = [], [np.zeros((0, 3))], []
        for cell in cells:
            energies.append(free_energy(cell))
            forces.append(cell.get_forces())
            names.append([cell.info[name] for name in ("key", "config_type", "protocol")])
        cell_of_atom = np.repeat(np.arange(len(energies)), [len(part) for part in forces[1:]])
        texts = np.array(names, dtype=str).reshape(-1, 3).T
        return cls(np.array(energies), np.concatenate(forces), cell_of_atom, *texts)


@dataclass(frozen=True)
class CellErrors:
    """Errors of one quantity by cell, the squares averaged over the seeds of a model.

    Attributes
    ----------
    squared, absolute : ndarray, shape (n_seeds, n_cells)
        Sums over the cell's components; absolute errors may be NaN where they were not kept.
    count : ndarray, shape (n_cells,)
        Number of components: 1 for the energy, 3 n_atoms for the forces.
    """

    squared: np.ndarray
    absolute: np.ndarray
    count: np.ndarray

    def take(self, seeds: slice, cells: np.ndarray) -> CellErrors:
        """Return the errors of some seeds on some cells: a mask, shape (n_cells,), or numbers."""
        return CellErrors(
            self.squared[seeds][:, cells], self.absolute[seeds][:, cells], self.count[cells]
        )

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that there are: no MAE where absolute errors were not kept, and are all NaN."""
        return ("rmse",) if np.isnan(self.absolute).all() else ("rmse", "mae")

    def metric(self, name: str) -> tuple[float, float, float]:
        """Return RMSE or MAE and the ends of its 95 % interval (see `resample`)."""
        totals = (self.squared if name == "rmse" else self.absolute).mean(axis=0)
        power = 0.5 if name == "rmse" else 1.0

        def statistic(total: np.ndarray, count: np.ndarray, axis: int = -1) -> np.ndarray:
            result: np.ndarray = (total.sum(axis=axis) / count.sum(axis=axis)) ** power
            return result

        return resample(statistic, totals, self.count)


@dataclass(frozen=True)
class ModelErrors:
    """Errors of one model, trained on one set, on one test set.

    Attributes
    ----------
    test : Labels
    of_cells : dict of str to CellErrors
        By quantity, ``energy`` (meV/atom) and ``forces`` (meV/Å).
    aligned : bool
        Whether training and test labels are of more than one protocol.
    shifts : ndarray, shape (n_seeds,), eV/atom
        The constants taken off the predicted energies: 0 unless `aligned`.
    """

    test: Labels
    of_cells: dict[str, CellErrors]
    aligned: bool
    shifts: np.ndarray

    @classmethod
    def of(cls, training: Labels, test: Labels, predictions: Sequence[Predictions]) -> ModelErrors:
        """Compare predictions, one entry a seed, with the labels of a test set."""
        energies = np.stack([prediction.energies for prediction in predictions])
        forces = np.stack([prediction.forces for prediction in predictions])
        aligned = len({*training.protocols, *test.protocols}) > 1
        shifts = np.zeros(len(predictions))
        if aligned:
            energies, shifts = align_energies(test, energies)
        return cls(test, cell_errors(test, energies, forces), aligned, shifts)


def energy_errors(test: Labels, energies: np.ndarray) -> np.ndarray:
    """Return the errors of energies (eV) per atom, meV/atom, both of shape (n_seeds, n_cells)."""
    per_atom: np.ndarray = 1e3 * (energies - test.energies) / test.n_atoms
    return per_atom


def cell_errors(
    test: Labels,
    energies: np.ndarray,
    forces: np.ndarray,
) -> dict[str, CellErrors]:
    """Return the errors (meV/atom and meV/Å) of predictions on a test set.

    Parameters
    ----------
    test : Labels
        Labels of the test set.
    energies : ndarray, shape (n_seeds, n_cells), eV
    forces : ndarray, shape (n_seeds, n_atoms, 3), eV/Å
    """
    per_atom = energy_errors(test, energies)
    by_atom = 1e3 * (forces - test.forces)
    n_cells = len(test.energies)

    def by_cell(values: np.ndarray) -> np.ndarray:
        sums = [np.bincount(test.cell_of_atom, row.sum(axis=1), n_cells) for row in values]
        return np.array(sums)

    return {
        "energy": CellErrors(per_atom**2, np.abs(per_atom), np.ones(n_cells)),
        "forces": CellErrors(by_cell(by_atom**2), by_cell(np.abs(by_atom)), 3.0 * test.n_atoms),
    }


def align_energies(test: Labels, energies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Remove one constant per atom, which the energy zeros of two protocols differ by.

    Parameters
    ----------
    test : Labels
        Labels of the test set.
    energies : ndarray, shape (n_seeds, n_cells), eV
        Predictions of models trained on labels of another protocol.

    Returns
    -------
    aligned : ndarray, shape (n_seeds, n_cells), eV
    shifts : ndarray, shape (n_seeds,), eV/atom
        Constants that were removed: the mean error over the cells of the test set, prediction
        minus label, which is the constant of least squared errors.
    """
    shifts = ((energies - test.energies) / test.n_atoms).mean(axis=1)
    return energies - np.outer(shifts, test.n_atoms), shifts


def score_rows(
    labels: dict[str, str], model: Model, training: Labels, errors: ModelErrors
) -> pd.DataFrame:
    """Return the tidy rows of one model, trained on one set, on one test set.

    Parameters
    ----------
    labels : dict
        ``study``, ``train``, ``test`` and ``model`` names.
    model : Model
        Any of the trained seeds (for family, 2Jmax and number of parameters).
    training : Labels
        Labels of the training set.
    errors : ModelErrors
        Rows with seed ``all`` average squared or absolute errors over its seeds.

    Returns
    -------
    DataFrame
        With ``energy_shift`` (eV/atom), the constant taken off the predicted energies: 0 where
        training and test labels are of one protocol.
    """
    test, shifts = errors.test, errors.shifts
    seeds = {"all": slice(None), **{str(s): slice(s, s + 1) for s in range(len(shifts))}}
    everything = np.arange(len(test.energies))
    groups = {"all": everything, **{g: everything[test.groups == g] for g in set(test.groups)}}
    fixed = {
        **labels,
        "family": model.family,
        "twojmax": model.twojmax,
        "n_parameters": model.n_parameters,
        "train_environments": len(training.forces),
        "energy_aligned": errors.aligned,
        "data_hash": data_hash(training.keys, test.keys),
    }
    rows = []
    for group, cells in sorted(groups.items()):
        for seed, members in seeds.items():
            for quantity, all_errors in errors.of_cells.items():
                part = all_errors.take(members, cells)
                for metric in part.metrics:
                    value, low, high = part.metric(metric)
                    rows.append(
                        {
                            **fixed,
                            "energy_shift": float(shifts[members].mean()),
                            "group": group,
                            "seed": seed,
                            "quantity": quantity,
                            "metric": metric,
                            "value": value,
                            "ci_low": low,
                            "ci_high": high,
                            "unit": UNITS[quantity],
                            "n": int(part.count.sum()),
                            "n_cells": len(cells),
                        }
                    )
    return pd.DataFrame(rows).astype({"twojmax": "Int64"})  # none of POD and ACE


def data_hash(*keys: Iterable[str]) -> str:
    """Return a hash of the label keys of data sets, in order: of the labels a number rests on."""
    digest = sha256()
    for of_set in keys:
        digest.update("\n".join(of_set).encode())
    return digest.hexdigest()[:16]
