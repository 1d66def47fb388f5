"""Material of comparisons: errors of every training set, test cells, sizes, relations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diverse.errors.draws import MODERN, DrawErrors
from diverse.errors.ground import (
    HOME,
    NEUTRAL,
    Group,
    counted,
    has_skill,
    relation,
    test_groups,
)
from diverse.errors.inventory import POOL
from diverse.errors.theta import METRICS, Logs, log_errors, trajectory_weights, without_offset

SIZES = ["train", "draw", "part", "source", "environments"]


@dataclass(frozen=True)
class Material:
    """Errors of models trained on several sets, with what is known of the sets and of the cells.

    Attributes
    ----------
    cells : DataFrame
        Test cells, of `diverse.errors.draws.read_cells`.
    errors : dict of str to DrawErrors
        By training set.
    classes : dict of str to str
        Class of each model, in the order of the axis of models.
    families : mapping
        Family of each data set.
    types : dict of str to set of str
        The ``config_type`` that occur in each data set, tested or not.
    sources : dict of str to list of str
        Data sets that each training set was taken from.
    shrink : dict of str to float
        Variance of a mean over draws over the variance from one half; NaN without halves.
    """

    cells: pd.DataFrame
    errors: dict[str, DrawErrors]
    classes: dict[str, str]
    families: Mapping[str, str]
    types: dict[str, set[str]]
    sources: dict[str, list[str]]
    shrink: dict[str, float]

    @classmethod
    def of(
        cls,
        errors: pd.DataFrame,
        cells: pd.DataFrame,
        sizes: pd.DataFrame,
        *,
        classes: dict[str, str],
        families: Mapping[str, str],
    ) -> Material:
        """Arrange the tables of `diverse.errors.draws`.

        Parameters
        ----------
        errors, cells : DataFrame
            Of `read_errors` and `read_cells`.
        sizes : DataFrame
            One row for each source of a training set in a draw: ``train``, ``draw``, ``part``,
            ``source``, ``environments``; where `cells` are not all there are, also the whole data
            sets, of part ``pool``.
        classes, families : mapping
            Class of each model and family of each data set, in the order of the study.
        """
        types = {str(test): set(part["group"]) for test, part in cells.groupby("test")}
        whole = sizes[sizes["part"] == POOL]
        pools = cells.groupby("test")["n_atoms"].sum()
        pools = pools if whole.empty else whole.set_index("source")["environments"]
        cells = cells[cells["test"].isin(errors["test"].unique())].reset_index(drop=True)
        models = [name for name in classes if (errors["model"] == name).any()]
        n_draws = int(errors["draw"].max()) + 1 if len(errors) else 0
        found = {
            str(train): DrawErrors.of(rows, cells, models, n_draws)
            for train, rows in errors.groupby("train", sort=False)
        }
        sources = {str(t): list(rows["source"].unique()) for t, rows in sizes.groupby("train")}
        shrink = {str(t): _shrink(rows, pools) for t, rows in sizes.groupby("train")}
        return cls(
            cells,
            found,
            {name: classes[name] for name in models},
            families,
            types,
            {train: sources.get(train, [train]) for train in found},
            {train: shrink.get(train, np.nan) for train in found},
        )

    @property
    def deciding(self) -> list[int]:
        """Models, by number, of the classes that the paper had; all where there are none."""
        of_paper = [n for n, kind in enumerate(self.classes.values()) if kind not in MODERN]
        return of_paper or list(range(len(self.classes)))

    @property
    def has_modern(self) -> bool:
        """Truth of there being models of modern classes beside those that decide."""
        return len(self.deciding) < len(self.classes)

    def complete(self, train: str, reference: str, *, modern: bool = False) -> list[int]:
        """Return the models, by number, with errors in every draw and half that any model has.

        Those of `deciding`, or with `modern` all.
        """
        trained = self.errors[train].trained & self.errors[reference].trained
        chosen = range(len(self.classes)) if modern else self.deciding
        some = trained[..., chosen].any(axis=-1, keepdims=True)
        found = np.flatnonzero((trained >= some).all(axis=(0, 1)) & some.any())
        return [int(n) for n in found if n in chosen]


def _shrink(sizes: pd.DataFrame, pools: pd.Series) -> float:
    """Return the variance of a mean over draws over the variance from one half of a draw.

    Variances go as one over the number m of environments of a training set. The mean over B draws
    from a pool of n environments has, as an incomplete U-statistic, m/n + (1 - m/n)/B of the
    variance of a single draw: Hoeffding, Ann. Math. Stat. 19, 293 (1948); Blom, Biometrika 63, 573
    (1976). It would be 1 if the draws were one draw, 1/B if they shared no cell.

    Parameters
    ----------
    sizes : DataFrame
        Rows of one training set.
    pools : Series
        Environments of each data set.
    """
    wide = sizes.pivot_table(index="draw", columns="part", values="environments", aggfunc="sum")
    wide = wide.reindex(columns=["whole", "a", "b"])
    half = float(((wide["a"] + wide["b"]) / 2 / wide["whole"]).mean())
    pool = pools.reindex(sizes["source"].unique()).sum()
    share = min(1.0, float(wide["whole"].mean()) / pool) if pool else 1.0
    return half * (share + (1 - share) / len(wide))


@dataclass(frozen=True)
class Ground:
    """Groups of test cells as they count for one quantity.

    Attributes
    ----------
    quantity : str
    groups : list of Group
    relations : dict of str to list of str
        Relation of each group to each training set.
    skill : list of bool
        Whether some model that decides is of use for the group, for energies and for forces alike;
        always, where a training set is at home.
    neutral : list of int
        Groups, by number, that are neutral to every training set.
    sizes : ndarray, shape (n_cells,)
        Components of each cell.
    weights : ndarray, shape (REPLICATES, n_cells)
    """

    quantity: str
    groups: list[Group]
    relations: dict[str, list[str]]
    skill: list[bool]
    neutral: list[int]
    sizes: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, material: Material, quantity: str) -> Ground:
        """Find the groups of all test sets, their relations and their skill."""
        cells, groups = material.cells, _groups(material, quantity)
        useless = set().union(*(_without_skill(material, name) for name in METRICS))
        relations = {
            train: [relation(group, found, material.families, material.types) for group in groups]
            for train, found in material.sources.items()
        }
        by_group = list(zip(*relations.values(), strict=True))
        homes = {g.test for g, found in zip(groups, by_group, strict=True) if HOME in found}
        skill = [g.test in homes or not useless.issuperset(g.places) for g in groups]
        neutral = [n for n, found in enumerate(by_group) if set(found) == {NEUTRAL}]
        sizes = np.ones(len(cells)) if quantity == "energy" else 3.0 * cells["n_atoms"].to_numpy()
        weights = trajectory_weights(groups, cells)
        return cls(quantity, groups, relations, skill, neutral, sizes, weights)

    @property
    def filled(self) -> list[bool]:
        """Truth value, for each group, of its having a cell that counts."""
        return [len(group.cells) > 0 for group in self.groups]

    @property
    def able(self) -> list[int]:
        """Groups, by number, on which claims about neutral ground rest: with cells and skill."""
        return [n for n in self.neutral if self.filled[n] and self.skill[n]]

    def logs(self, material: Material, train: str, metric: str) -> Logs:
        """Return the logarithms of the errors of every model trained on a set, by group."""
        return self.logs_of(material.errors[train], material.cells, metric)

    def logs_of(self, errors: DrawErrors, cells: pd.DataFrame, metric: str) -> Logs:
        """Return the logarithms of some models' errors on the cells of the material, by group."""
        values = errors.quantity(self.quantity)
        if metric == "mae_offset":
            values = without_offset(values, self._parts_of_tests(cells))
        values = np.abs(values)
        once = np.ones((1, len(self.sizes)))
        whole, half_a, half_b = (
            log_errors(self.sizes, part, self.groups, once, metric) for part in values
        )
        resampled = log_errors(self.sizes, values[0], self.groups, self.weights, metric)
        return Logs(whole, half_a, half_b, resampled)

    def seed_logs(self, material: Material, train: str, metric: str) -> np.ndarray:
        """Return the logarithms of errors in draw 0, shape (1, n_seeds, n_models, n_groups)."""
        values = np.abs(material.errors[train].seeds[self.quantity])
        return log_errors(self.sizes, values, self.groups, np.ones((1, len(self.sizes))), metric)

    def _parts_of_tests(self, cells: pd.DataFrame) -> np.ndarray:
        """Return the name of each cell's test set, apart for groups where no model has skill."""
        names = cells["test"].to_numpy(str).astype(object)
        for group, able in zip(self.groups, self.skill, strict=True):
            if not able:
                names[group.cells] = f"{group.test}, no skill"
        return names


def _groups(material: Material, quantity: str) -> list[Group]:
    """Return the groups of all test sets, with those cells that some draw tests on."""
    return test_groups(material.cells, quantity, tested_cells(material, quantity))


def tested_cells(material: Material, quantity: str) -> np.ndarray:
    """Return which cells count for a quantity and are tested on in some draw, shape (n_cells,)."""
    tested = counted(material.cells, quantity)
    found = [errors.quantity(quantity) for errors in material.errors.values()]
    tested &= np.any([np.isfinite(values).any(axis=(0, 1, 2)) for values in found], axis=0)
    return tested


def _without_skill(material: Material, quantity: str) -> set[tuple[str, str]]:
    """Return test set and ``config_type`` of the cells that no model is of use for."""
    errors = material.errors.values()
    return {
        place
        for group in _groups(material, quantity)
        if len(group.cells)
        and not has_skill(group, errors, material.cells, quantity, material.deciding)
        for place in group.places
    }
