"""Errors cell by cell, of every draw of the training sets: the source of every comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.datasets.draws import TEST, DrawnSet, read_draws, whole_sets
from diverse.errors.scores import Labels, align_energies, cell_errors, energy_errors
from diverse.models import Model, Predictions, predict
from diverse.structures import labelled_by_dataset
from diverse.structures.frames import read_places
from diverse.zbl import ZBL

DIGITS = "%.4g"  # of what is written: far below any spread
ROWS = [
    *("train", "model", "draw", "part", "seed", "test", "group", "trajectory", "cell", "n_atoms"),
    *("energy_error", "forces_squared"),
]


class LabelledSets:
    """The labelled cells of every data set of a study, with the parts they have in each draw.

    Parameters
    ----------
    cells : mapping of str to sequence of Atoms, or to dict of int to Atoms
        Labelled cells of each data set, in the order of its table of draws, or some of them by
        their place in it.
    tables : mapping of str to DataFrame
        Table of draws of each data set.
    cutoff : float, Å
        Radius of the models' environments.
    zbl : ZBL

    Raises
    ------
    ValueError
        If a table of draws is of other labels.
    """

    def __init__(
        self,
        cells: Mapping[str, Sequence[Atoms] | Mapping[int, Atoms]],
        tables: Mapping[str, pd.DataFrame],
        *,
        cutoff: float,
        zbl: ZBL,
    ) -> None:
        for name, members in cells.items():
            some = isinstance(members, Mapping)
            found = list(members.values() if some else members)  # type: ignore[union-attr]
            keys = tables[name]["key"]
            if [cell.info["key"] for cell in found] != list(keys[list(members)] if some else keys):
                raise ValueError(
                    f"the draws of {name} are of other labels than those at hand: make "
                    f"datasets/{name}/draws.csv anew"
                )
        self._cells, self._tables, self._cutoff, self._zbl = cells, tables, cutoff, zbl

    @classmethod
    def read(
        cls,
        labels: Iterable[str | Path],
        tables: Mapping[str, str | Path],
        *,
        cutoff: float,
        zbl: ZBL,
        drawn: Iterable[DrawnSet] | None = None,
    ) -> LabelledSets:
        """Read the labelled cells of data sets, and the table of draws of each by its path.

        With training sets in `drawn`, only their cells are read, and the test cells of their draws.
        """
        if drawn is None:
            cells = labelled_by_dataset(labels, tables)
            of_cells = {name: read_draws(tables[name]) for name in cells}
            return cls(cells, of_cells, cutoff=cutoff, zbl=zbl)
        known = {name: read_draws(path) for name, path in tables.items()}
        wanted = needed_places(known, drawn)
        some = {name: found for name, found in read_places(labels, wanted).items() if found}
        return cls(some, known, cutoff=cutoff, zbl=zbl)

    def drawn(self, train: str) -> list[DrawnSet]:
        """Return the training part of a data set and its halves, of every draw."""
        return list(whole_sets(train, self._tables[train])) if train in self._tables else []

    def cells(self, places: Iterable[tuple[str, int]]) -> list[Atoms]:
        """Return the cells of these data sets and places."""
        return [self._cells[dataset][place] for dataset, place in places]

    def errors(self, model: Model, drawn: DrawnSet, *, name: str, seed: int) -> pd.DataFrame:
        """Return the errors of a model on all cells that its draw holds out, of every data set.

        Parameters
        ----------
        model : Model
        drawn : DrawnSet
            Training set of the model.
        name : str
            Name of the model in the study.
        seed : int

        Returns
        -------
        DataFrame
            Columns ``train``, ``model``, ``draw``, ``part``, ``seed``, ``test``, and those that
            `error_rows` returns.
        """
        protocols = {cell.info["protocol"] for cell in self.cells(drawn.cells)}
        rows = []
        for test, cells in self._cells.items():
            numbers = np.flatnonzero(self._tables[test][f"draw{drawn.draw}"] == TEST)
            if not len(numbers):
                continue
            names = {
                **{"train": drawn.train, "model": name, "draw": drawn.draw},
                **{"part": drawn.part, "seed": seed, "test": test},
            }
            chosen = [cells[number] for number in numbers.tolist()]
            found = predict(model, chosen, cutoff=self._cutoff, zbl=self._zbl, stresses=False)
            rows.append(error_rows(names, numbers, chosen, found, protocols))
        return pd.concat(rows)


def needed_places(
    tables: Mapping[str, pd.DataFrame], drawn: Iterable[DrawnSet]
) -> dict[str, set[int]]:
    """Return the places of the cells of training sets, and of the test cells of their draws.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Table of draws of each data set.
    drawn : iterable of DrawnSet
    """
    wanted: dict[str, set[int]] = {name: set() for name in tables}
    draws = set()
    for training in drawn:
        draws.add(training.draw)
        for dataset, place in training.cells:
            wanted[dataset].add(int(place))
    for name, table in tables.items():
        for draw in draws:
            wanted[name].update(np.flatnonzero(table[f"draw{draw}"] == TEST).tolist())
    return wanted


def error_rows(
    names: Mapping[str, object],
    numbers: np.ndarray,
    cells: Sequence[Atoms],
    predictions: Predictions,
    protocols: Iterable[str],
) -> pd.DataFrame:
    """Return the errors of one model on some labelled cells of one data set, a row a cell.

    Where model and labels are of more than one protocol, the mean error of the energies is taken
    off: their zeros differ.

    Parameters
    ----------
    names : mapping
        Columns in front: ``train``, ``model``, ``draw``, ``part``, ``seed``, ``test``.
    numbers : ndarray of int, shape (n_cells,)
        Places of the cells among the labelled cells of their data set.
    cells : sequence of Atoms
    predictions : Predictions
    protocols : iterable of str
        Protocols of the labels that the model was trained on.

    Returns
    -------
    DataFrame
        Then ``group``, ``trajectory``, ``cell``, ``n_atoms``, ``energy_error`` (meV/atom,
        prediction minus label) and ``forces_squared`` ((meV/Å)^2, the sum over the 3 ``n_atoms``
        components of squared errors).
    """
    truth = Labels.of(cells)
    energies = predictions.energies[None]
    if len({*protocols, *truth.protocols}) > 1:
        energies, _ = align_energies(truth, energies)
    forces = cell_errors(truth, energies, predictions.forces[None])["forces"]
    return pd.DataFrame(
        {
            **names,
            "group": truth.groups,
            "trajectory": [cell.info["trajectory"] for cell in cells],
            "cell": numbers,
            "n_atoms": truth.n_atoms,
            "energy_error": energy_errors(truth, energies)[0],
            "forces_squared": forces.squared[0],
        }
    )


def write_rows(path: str | Path, parts: Sequence[pd.DataFrame]) -> None:
    """Write rows of cells, compressed; the bytes depend on nothing but the rows.

    Without any part, a table of errors without rows is written.
    """
    rows = pd.concat(parts) if parts else pd.DataFrame(columns=ROWS)
    rows.to_csv(path, index=False, float_format=DIGITS, lineterminator="\n", compression="xz")
