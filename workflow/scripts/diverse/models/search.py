"""Loss weights chosen by what they predict: one rule for every model and every training set.

A study may leave a model's energy weight and energy scale to ``auto``. Each candidate is then
fitted with parts of the model's own training set (whole trajectories) left out in turn, and judged
by the product of the RMSE of energies and of forces on the parts left out. The product depends on
none of the weights that are being chosen, nor on units. Test cells of the first draw are never
seen. Its weights serve every draw, and most of what the others test on is in its training part:
declare weights in a study whose claims rest on draws, as the default study does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from diverse.progress import Progress

ModelBlock = dict[str, Any]  # the study's entry of one model

CANDIDATES = {"energy_weight": "energy_weights", "energy_scale": "energy_scales"}
ONE_TRAJECTORY = (
    "ridge, energy_weight or energy_scale auto need at least two trajectories in the training set, "
    "to leave one out: add cells, or give them numbers"
)


@dataclass(frozen=True)
class PartErrors:
    """Errors on the parts of a training set, each predicted from the others.

    Attributes
    ----------
    energy, force : ndarray, shape (n_parts,)
        Sums of squares over the cells (eV/atom) and over the force components (eV/Å) of a part,
        all cells weighted alike.
    n_energies, n_forces : ndarray, shape (n_parts,)
        Numbers of cells and of force components.
    """

    energy: np.ndarray
    force: np.ndarray
    n_energies: np.ndarray
    n_forces: np.ndarray

    @property
    def energy_rmse(self) -> float:
        """Root mean square error of energies over all parts, eV/atom."""
        return float(np.sqrt(self.energy.sum() / self.n_energies.sum()))

    @property
    def force_rmse(self) -> float:
        """Root mean square error of force components over all parts, eV/Å."""
        return float(np.sqrt(self.force.sum() / self.n_forces.sum()))

    @property
    def criterion(self) -> float:
        """Product RMSE(E) RMSE(F) over all parts, which every choice minimises, eV^2/Å."""
        return self.energy_rmse * self.force_rmse

    def without(self, part: int) -> PartErrors:
        """Return the errors on all parts but one."""
        return PartErrors(*(np.delete(array, part) for array in vars(self).values()))


def log_ratio(errors: PartErrors, reference: PartErrors) -> tuple[float, float]:
    """Return log(criterion / criterion of the reference) and its jackknife standard error.

    With theta_k the value without part k of K, the error is sqrt((K - 1) / K sum_k (theta_k -
    mean)^2): Efron & Stein, Ann. Stat. 9, 586 (1981). Both must rest on the same parts.
    """
    n = len(errors.energy)
    left_out = np.array(
        [np.log(errors.without(k).criterion / reference.without(k).criterion) for k in range(n)]
    )
    value = float(np.log(errors.criterion / reference.criterion))
    return value, float(np.sqrt((n - 1) * left_out.var()))


def search_weights(
    model: Mapping[str, Any],
    options: Mapping[str, Any],
    left_out_errors: Callable[[ModelBlock], tuple[PartErrors, dict[str, float]]],
) -> pd.DataFrame:
    """Try energy weights with the first energy scale, then scales with the weight chosen.

    The first candidate of each list stays unless others are better by more than one standard error
    (as in Breiman et al., Classification and Regression Trees, 1984); then the best of these is
    taken. Ties and noise change nothing.

    Parameters
    ----------
    model : mapping
        The model's entry in the study; what is not ``auto`` stays as it is.
    options : mapping
        The study's block ``search``.
    left_out_errors : callable
        Fits an entry without ``auto`` weights and returns the errors on the parts left out, and
        what else the table shall hold of it.

    Returns
    -------
    DataFrame
        One row a candidate: ``energy_weight``, ``energy_scale``, ``n_cells`` left out,
        ``energy_rmse`` (eV/atom), ``force_rmse`` (eV/Å), ``criterion``, what else
        `left_out_errors` returned, `log_ratio` to the candidate that it had to beat with its
        ``standard_error``, and ``chosen``.
    """
    searched = {key: options[many] for key, many in CANDIDATES.items() if model[key] == "auto"}

    number = 1 + sum(len(values) - 1 for values in searched.values())
    progress = Progress(number, f"{number} candidates")

    def tried(weights: ModelBlock) -> _Candidate:
        candidate = _Candidate(weights, *left_out_errors({**model, **weights}))
        progress.add()
        return candidate

    chosen = tried({key: searched.get(key, [model[key]])[0] for key in CANDIDATES})
    candidates, rows = [chosen], [chosen.row(chosen)]
    for key, values in searched.items():
        start = chosen
        for value in values[1:]:
            rival = tried({**start.weights, key: value})
            candidates.append(rival)
            rows.append(rival.row(start))
            better = rows[-1]["log_ratio"] < -rows[-1]["standard_error"]
            if better and rival.errors.criterion < chosen.errors.criterion:
                chosen = rival
    return pd.DataFrame(rows).assign(chosen=[candidate is chosen for candidate in candidates])


@dataclass(frozen=True)
class _Candidate:
    weights: ModelBlock
    errors: PartErrors
    details: dict[str, float]

    def row(self, start: _Candidate) -> ModelBlock:
        """Return the row of the table, compared with the candidate that it had to beat."""
        ratio, error = log_ratio(self.errors, start.errors)
        return {
            **self.weights,
            "n_cells": int(self.errors.n_energies.sum()),
            "energy_rmse": self.errors.energy_rmse,
            "force_rmse": self.errors.force_rmse,
            "criterion": self.errors.criterion,
            **self.details,
            "log_ratio": ratio,
            "standard_error": error,
        }


def with_searched_weights(model: Mapping[str, Any], search: str | Path | None) -> ModelBlock:
    """Return a model's entry with the weights that its search, if there was one, has chosen.

    Parameters
    ----------
    model : mapping
        The model's entry in the study.
    search : path or None
        The table of `search_weights` as CSV.
    """
    if search is None:
        return dict(model)
    table = pd.read_csv(search)
    chosen = table[table["chosen"]].iloc[0]
    return {**model, **{key: _number(chosen[key]) for key in CANDIDATES}}


def _number(value: float) -> float | None:
    """Read a number of a table; an empty field is None."""
    return None if pd.isna(value) else float(value)
