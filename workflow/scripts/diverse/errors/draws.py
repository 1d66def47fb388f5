"""Errors of every test cell by models that were trained on many draws of their training sets.

A draw divides the pool of a family into training and test cells; its training part falls into two
halves, ``a`` and ``b``, which share no trajectory. `read_errors` and `read_cells` read the files,
`DrawErrors` holds the errors of the models of one training set as arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PARTS = ["whole", "a", "b"]
CELL = ["test", "cell"]
PLACE = ["part", "draw", "seed", "model"]
ERRORS = ["energy_error", "forces_squared"]
TEXTS = [
    *("train", "model", "part", "test", "group", "trajectory", "key", "source"),
    *("potential", "reason", "digest", "code", "cause"),
]
MISSING = ["", "nan", "NaN"]


def read_table(path: str | Path, columns: Iterable[str]) -> pd.DataFrame:
    """Read a table whose names are text, also where they look like numbers or missing values.

    Raises
    ------
    ValueError
        If one of `columns` is not there.
    """
    header = pd.read_csv(path, nrows=0).columns
    absent = [name for name in columns if name not in header]
    if absent:
        raise ValueError(
            f"{path} has no column {', '.join(absent)}; remove the file and run the same command"
        )
    texts = [name for name in header if name in TEXTS]
    missing = {name: MISSING for name in header if name not in texts}
    dtypes = dict.fromkeys(texts, str)
    return pd.read_csv(path, dtype=dtypes, na_values=missing, keep_default_na=False)


def read_errors(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read the errors of all models, one row a test cell.

    Returns
    -------
    DataFrame
        ``train``, ``model``, ``draw``, ``part``, ``seed``, ``test``, ``group``, ``trajectory``,
        ``cell``, ``n_atoms``, ``energy_error`` (meV/atom, prediction minus label) and
        ``forces_squared`` ((meV/Å)², summed over the components; NaN without labels of forces).

    Raises
    ------
    ValueError
        If a file lacks a column.
    """
    columns = ["train", *PLACE, *CELL, "n_atoms", *ERRORS]
    tables = [read_table(path, columns) for path in paths]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled) if filled else pd.DataFrame(columns=columns)


def read_cells(path: str | Path) -> pd.DataFrame:
    """Read the test cells with their labels.

    Returns
    -------
    DataFrame
        ``test``, ``cell``, ``group``, ``trajectory``, ``n_atoms``, ``energy`` (eV/atom),
        ``forces_squared`` ((eV/Å)², summed over the components; NaN without labels of forces).
    """
    return read_table(path, [*CELL, "group", "trajectory", "n_atoms", "energy", "forces_squared"])


MODERN = frozenset({"pod", "ace"})  # classes that the paper had not: they decide none of its claims


def model_classes(models: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the class of each model: its family, and of networks their type.

    Networks whose ``widths`` are given are of the class ``network``.
    """
    return {
        name: model["family"]
        if model["family"] != "network"
        else ("network" if model.get("widths") else model["type"])
        for name, model in models.items()
    }


@dataclass(frozen=True)
class DrawErrors:
    """Errors of the models of one training set on the cells of all test sets.

    NaN where a cell is not a test cell of a draw, or a model was not trained.

    Attributes
    ----------
    energy : ndarray, shape (3, n_draws, n_models, n_cells), meV/atom
        Prediction minus label; first axis: trained on the ``whole`` training part, or on one of
        its halves ``a`` and ``b``.
    forces : ndarray, shape (3, n_draws, n_models, n_cells), meV/Å
        Root mean square over the components of the cell's forces.
    seeds : dict of str to ndarray, shape (n_seeds, n_models, n_cells)
        By quantity: errors of all seeds of the models of draw 0, trained on its whole part.
    """

    energy: np.ndarray
    forces: np.ndarray
    seeds: dict[str, np.ndarray]

    @classmethod
    def of(
        cls, rows: pd.DataFrame, cells: pd.DataFrame, models: Sequence[str], n_draws: int
    ) -> DrawErrors:
        """Arrange the rows of `read_errors` that belong to one training set.

        Parameters
        ----------
        rows : DataFrame
        cells : DataFrame
            Of `read_cells`: its rows are the last axis of the arrays.
        models : sequence of str
            The axis of models.
        n_draws : int
            Length of the axis of draws.

        Raises
        ------
        ValueError
            If a cell is unknown, or stands twice under one model, draw, part and seed.
        """
        rows = rows[rows["model"].isin(models)]
        places = _places(rows, cells, models)
        shape = (3, n_draws, int(places[2].max(initial=0)) + 1, len(models), len(cells))
        flat = np.ravel_multi_index(places, shape)
        _check_once(rows, flat)
        rms = np.sqrt(rows["forces_squared"] / (3 * rows["n_atoms"]))
        filled = {}
        for quantity, column in (("energy", rows["energy_error"]), ("forces", rms)):
            values = np.full(shape, np.nan)
            values.flat[flat] = column.to_numpy(float)
            filled[quantity] = values
        seeds = {quantity: values[0, 0].copy() for quantity, values in filled.items()}
        return cls(filled["energy"][:, :, 0], filled["forces"][:, :, 0], seeds)

    def quantity(self, name: str) -> np.ndarray:
        """Return the errors of ``energy`` or ``forces``, shape (3, n_draws, n_models, n_cells)."""
        return self.energy if name == "energy" else self.forces

    @property
    def trained(self) -> np.ndarray:
        """Truth value of there being errors, shape (3, n_draws, n_models)."""
        found: np.ndarray = np.isfinite(self.energy).any(axis=-1)
        return found


def _places(
    rows: pd.DataFrame, cells: pd.DataFrame, models: Sequence[str]
) -> tuple[np.ndarray, ...]:
    """Return part, draw, seed, model and cell of each row, as numbers."""
    place = pd.MultiIndex.from_frame(cells[CELL]).get_indexer(pd.MultiIndex.from_frame(rows[CELL]))
    if (place < 0).any():
        row = rows[place < 0].iloc[0]
        raise ValueError(
            f"cell {row['cell']} of test set {row['test']}, on which {row['model']} trained on "
            f"{row['train']} has an error, is not among the test cells (errors/cells.csv.xz); "
            "remove errors/ and run the same command again"
        )
    return (
        pd.Index(PARTS).get_indexer(rows["part"]),
        rows["draw"].to_numpy(),
        rows["seed"].to_numpy(),
        pd.Index(models).get_indexer(rows["model"]),
        place,
    )


def _check_once(rows: pd.DataFrame, flat: np.ndarray) -> None:
    """Refuse two errors of one model on one cell."""
    order = np.argsort(flat, kind="stable")
    twice = np.flatnonzero(np.diff(flat[order]) == 0)
    if len(twice):
        row = rows.iloc[order[twice[0]]]
        raise ValueError(
            f"cell {row['cell']} of test set {row['test']} has two errors of {row['model']} "
            f"trained on {row['train']} (draw {row['draw']}, part {row['part']}, seed "
            f"{row['seed']}); remove errors/ and run the same command again"
        )
