"""Reference models, which were not trained here, beside the models of every training set.

The same machinery as for two training sets (`diverse.errors.effects`), on the same grounds and the
same cells of the same draws: Delta = log e(reference model) - log e(models of a set), averaged over
groups, forms, classes and draws. A reference model has the same errors in every draw, so that the
deviation from drawing other training sets is that of the set alone; test cells are drawn anew for
both together. Grounds and skill are decided by the trained models and do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.answers import Constants
from diverse.errors.draws import DrawErrors
from diverse.errors.effects import POOLED, summary
from diverse.errors.material import Ground, Material
from diverse.errors.scores import UNITS, CellErrors
from diverse.errors.theta import Estimate, Logs, mean_of_finite

METRICS = {"energy": ["mae", "mae_offset"], "forces": ["rmse"]}
COLUMNS = ["model", "source", "test", "quantity", "metric", "unit", "error"]
COUNTS = ["n_cells", "failures", "constant", "draws"]


@dataclass(frozen=True)
class Reference:
    """Errors of one reference model on the test cells of a study.

    Attributes
    ----------
    name, source : str
        Source of its answers: ``computed`` or ``released``.
    energy : ndarray, shape (n_cells,), meV/atom
        Model minus label, the constant taken off; NaN where there is no answer.
    forces : ndarray, shape (n_cells,), meV/Å
        Root mean square over the components of the cell's forces.
    constants : ndarray, shape (n_cells,), meV/atom
    """

    name: str
    source: str
    energy: np.ndarray
    forces: np.ndarray
    constants: np.ndarray

    @classmethod
    def of(
        cls,
        name: str,
        source: str,
        *,
        answers: pd.DataFrame,
        constants: Constants,
        protocols: Mapping[str, str],
        cells: pd.DataFrame,
    ) -> Reference:
        """Arrange answers (`diverse.errors.answers.compare`) as the rows of the table of cells."""
        found = answers.set_index("key").reindex(cells["key"])
        taken = np.array([constants.by_protocol[protocols[key]] for key in cells["key"]])
        squared = found["forces_squared"].to_numpy(float) / (3 * cells["n_atoms"].to_numpy())
        energy = found["energy_error"].to_numpy(float) - taken
        return cls(name, source, energy, np.sqrt(squared), taken)

    def of_cells(self, cells: np.ndarray, n_atoms: np.ndarray) -> dict[str, CellErrors]:
        """Return the errors of some cells, by number, as those of models of one seed.

        Absolute errors of force components are not known: they are NaN.
        """
        count = 3.0 * n_atoms[cells]
        energy, squares = self.energy[None, cells], self.forces[None, cells] ** 2 * count
        return {
            "energy": CellErrors(energy**2, np.abs(energy), np.ones(len(cells))),
            "forces": CellErrors(squares, np.full_like(squares, np.nan), count),
        }

    @property
    def answered(self) -> np.ndarray:
        """Truth value of there being an answer, shape (n_cells,)."""
        found: np.ndarray = np.isfinite(self.energy)
        return found


@dataclass
class Comparison:
    """Comparison of reference models with the models of training sets, for one quantity and metric.

    Attributes
    ----------
    material : Material
    ground : Ground
        Of the quantity.
    metric : str
    """

    material: Material
    ground: Ground
    metric: str
    _known: dict[tuple[str | bytes, str], Logs] = field(default_factory=dict)

    def own(self, reference: Reference, train: str) -> Logs:
        """Return logarithms of a reference model's errors, with one entry on the axis of models."""

        def values(errors: np.ndarray, mine: np.ndarray) -> np.ndarray:
            tested = np.isfinite(errors).any(axis=2, keepdims=True)
            return np.where(tested, mine, np.nan)

        return self._logs((reference.name, train), reference, values)

    def of_train(self, reference: Reference, train: str) -> Logs:
        """Return logarithms of the errors of a set's models, where the reference model answered."""

        def values(errors: np.ndarray, mine: np.ndarray) -> np.ndarray:
            return np.where(np.isfinite(mine), errors, np.nan)

        return self._logs((reference.answered.tobytes(), train), reference, values)

    def ratio(self, reference: Reference, train: str, groups: Sequence[int]) -> Estimate:
        """Return log(error of the reference model / error of the models of a training set)."""
        forms = self.material.complete(train, train)
        classes = list(self.material.classes.values())
        own = self.own(reference, train).take([0], groups)
        delta = own - self.of_train(reference, train).take(forms, groups)
        return summary(delta, [classes[n] for n in forms], self.material.shrink[train])

    def _logs(
        self,
        place: tuple[str | bytes, str],
        reference: Reference,
        values: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> Logs:
        """Return logarithms of errors, computed once for each place."""
        if place not in self._known:
            errors = self.material.errors[place[1]]
            energy = values(errors.energy, reference.energy)
            forces = values(errors.forces, reference.forces)
            found = DrawErrors(energy, forces, {})
            self._known[place] = self.ground.logs_of(found, self.material.cells, self.metric)
        return self._known[place]


def measure_references(
    material: Material, trains: Sequence[str], references: Sequence[Reference]
) -> pd.DataFrame:
    """Compare reference models with the models of every training set on every ground.

    Parameters
    ----------
    material : Material
    trains : sequence of str
        Training sets; those without errors are passed over.
    references : sequence of Reference

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, `COUNTS` and, of every training set, ``over_<train>``: the error of the
        reference model over that of the models of the set, with the ends ``_low`` and ``_high`` of
        its 95 % interval; below 1 the reference model is better. ``error`` is the mean over groups
        and draws, of the logarithm, as in the ratio; ``failures`` counts cells without an answer,
        which stand in no number; ``constant`` (eV/atom) was taken off the energies. Grounds are the
        test sets, without groups that no trained model is of use for, and the neutral ground.
    """
    rows = []
    present = [train for train in trains if train in material.errors]
    for quantity, metrics in METRICS.items() if present else ():
        ground = Ground.of(material, quantity)
        for metric in metrics:
            comparison = Comparison(material, ground, metric)
            for reference in references:
                for test, groups in grounds_of(ground):
                    names = (reference.name, reference.source, test, quantity, metric)
                    row = dict(zip(COLUMNS, (*names, UNITS[quantity]), strict=False))
                    rows.append(row | _numbers(comparison, reference, present, groups))
    ratios = [f"over_{train}{end}" for train in present for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=[*COLUMNS, *COUNTS, *ratios])


def grounds_of(ground: Ground) -> Iterator[tuple[str, list[int]]]:
    """Yield every test set with its groups of skill, by number, and the neutral ground last."""
    numbers = [n for n, group in enumerate(ground.groups) if ground.filled[n] and ground.skill[n]]
    for test in dict.fromkeys(ground.groups[n].test for n in numbers):
        yield test, [n for n in numbers if ground.groups[n].test == test]
    if ground.able:
        yield POOLED, ground.able


def _numbers(
    comparison: Comparison, reference: Reference, trains: Sequence[str], groups: list[int]
) -> dict[str, Any]:
    """Return what a row of the table holds beside its names."""
    cells = np.concatenate([comparison.ground.groups[n].cells for n in groups])
    answered = reference.answered[cells]
    logs = comparison.own(reference, trains[0]).take([0], groups).whole[0, :, 0]
    level = mean_of_finite(mean_of_finite(logs))
    constants = np.unique(reference.constants[cells])
    energies = comparison.ground.quantity == "energy"
    found = {
        "error": np.exp(level) if np.isfinite(level) else _zero(reference, comparison, cells),
        "n_cells": int(answered.sum()),
        "failures": int((~answered).sum()),
        "constant": constants[0] / 1e3 if energies and len(constants) == 1 else np.nan,
    }
    draws = []
    for train in trains:
        estimate = comparison.ratio(reference, train, groups)
        low, high = np.exp(estimate.interval)
        ends = {f"over_{train}_low": low, f"over_{train}_high": high}
        found |= {f"over_{train}": np.exp(estimate.value), **ends}
        draws.append(estimate.draws)
    return {**found, "draws": max(draws)}


def _zero(reference: Reference, comparison: Comparison, cells: np.ndarray) -> float:
    """Return 0 where a reference model is without error on all cells it answered, else NaN."""
    values = getattr(reference, comparison.ground.quantity)[cells]
    values = values[np.isfinite(values)]
    return 0.0 if len(values) and not values.any() else np.nan
