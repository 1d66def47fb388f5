"""Loss weights chosen by what they predict: one rule for every model and every training set.

A study may leave a model's energy weight and energy scale to ``auto``. Each candidate is then
fitted to a part of the model's own training set and judged by the product of the RMSE of energies
and of forces on the part left out (whole trajectories). The product depends on none of the weights
that are being chosen, nor on units; test sets are never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

ModelBlock = dict[str, Any]  # the study's entry of one model

CANDIDATES = {"energy_weight": "energy_weights", "energy_scale": "energy_scales"}
NOTHING_TO_LEAVE_OUT = (
    "ridge, energy_weight or energy_scale auto need at least two trajectories in the training set, "
    "to leave one out: add cells, or give them numbers"
)


def criterion(energy_rmse: float, force_rmse: float) -> float:
    """Return what every choice minimises: log RMSE(E) + log RMSE(F), as the product (eV^2/Å)."""
    return energy_rmse * force_rmse


def search_weights(
    model: Mapping[str, Any],
    options: Mapping[str, Any],
    left_out_errors: Callable[[ModelBlock], dict[str, float]],
) -> pd.DataFrame:
    """Try energy weights with the first energy scale, then scales with the weight chosen.

    The first candidate of each list is kept unless the best of the others has a criterion that is
    lower by more than ``margin``, as a part of its own: ties and noise change nothing.

    Parameters
    ----------
    model : mapping
        The model's entry in the study; what is not ``auto`` stays as it is.
    options : mapping
        The study's block ``search``.
    left_out_errors : callable
        Fits the model of an entry without ``auto`` weights to a part of the training set; returns
        at least the ``energy_rmse`` (eV/atom) and ``force_rmse`` (eV/Å) of the part left out.

    Returns
    -------
    DataFrame
        One row a candidate: ``energy_weight``, ``energy_scale``, what `left_out_errors` returned,
        ``criterion`` and ``chosen``.
    """

    def tried(weights: ModelBlock) -> ModelBlock:
        errors = left_out_errors({**model, **weights})
        product = criterion(errors["energy_rmse"], errors["force_rmse"])
        return {**weights, **errors, "criterion": product}

    searched = {key: options[many] for key, many in CANDIDATES.items() if model[key] == "auto"}
    chosen = tried({key: searched.get(key, [model[key]])[0] for key in CANDIDATES})
    rows = [chosen]
    for key, values in searched.items():
        weights = {name: chosen[name] for name in CANDIDATES}
        others = [tried({**weights, key: value}) for value in values[1:]]
        rows += others
        best = min([chosen, *others], key=_criterion)
        if best["criterion"] < (1 - options["margin"]) * chosen["criterion"]:
            chosen = best
    return pd.DataFrame(rows).assign(chosen=[row is chosen for row in rows])


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


def _criterion(row: ModelBlock) -> float:
    return float(row["criterion"])


def _number(value: float) -> float | None:
    """Read a number of a table; an empty field is None."""
    return None if pd.isna(value) else float(value)
