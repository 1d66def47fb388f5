"""Inventory of labelled cells: those that errors are measured on, and what training sets hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from sys import intern

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.datasets.draws import TEST, DrawnSet
from diverse.labels.target import fit_target
from diverse.structures.frames import labelled_frames

POOL = "pool"  # stands as the part of a training set in rows that hold whole data sets


def describe_cells(tests: Mapping[str, Mapping[int, Atoms]]) -> pd.DataFrame:
    """Return a row for each of some labelled cells: what its errors are compared with.

    Parameters
    ----------
    tests : mapping
        By data set, cells by their place among its labelled cells.

    Returns
    -------
    DataFrame
        ``test``, ``cell`` (place among the labelled cells of the data set), ``key``, ``group``,
        ``trajectory``, ``n_atoms``; of the label ``energy`` (eV/atom), ``forces_squared``
        ((eV/Å)^2, summed over all components), ``d_min`` (Å) and ``seconds`` (core time; NaN for
        published labels, which came without).
    """
    rows = []
    for test, cells in tests.items():
        for number, cell in cells.items():
            energy, forces = fit_target(cell)
            rows.append(
                {
                    "test": test,
                    "cell": number,
                    "key": cell.info["key"],
                    "group": cell.info["config_type"],
                    "trajectory": cell.info["trajectory"],
                    "n_atoms": len(cell),
                    "energy": energy / len(cell),
                    "forces_squared": float((forces**2).sum()),
                    "d_min": cell.info.get("d_min", np.nan),
                    "seconds": cell.info.get("seconds", np.nan),
                }
            )
    return pd.DataFrame(rows)


def label_costs(labels: Iterable[str | Path]) -> pd.DataFrame:
    """Return ``test``, ``cell``, ``n_atoms`` and ``seconds`` of every labelled cell.

    They are read from the comment lines, no cell is parsed; see `describe_cells`.
    """
    seen: Counter[str] = Counter()
    rows = []
    for frame in labelled_frames(labels):
        name = intern(frame.dataset)
        rows.append((name, seen[name], frame.n_atoms, frame.info().get("seconds", np.nan)))
        seen[name] += 1
    return pd.DataFrame(rows, columns=["test", "cell", "n_atoms", "seconds"])


def listed_places(tables: Mapping[str, pd.DataFrame]) -> dict[str, set[int]]:
    """Return the places of all cells that some draw tests on, and of one cell of every group.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Table of draws of each data set.
    """
    found = {}
    for name, table in tables.items():
        tested = table.filter(regex=r"^draw\d").eq(TEST).any(axis=1)
        found[name] = {*np.flatnonzero(tested | ~table["group"].duplicated()).tolist()}
    return found


def compositions(drawn: Iterable[DrawnSet], cells: pd.DataFrame) -> pd.DataFrame:
    """Return size and cost of training sets, a row for each data set that one takes cells from.

    Parameters
    ----------
    drawn : iterable of DrawnSet
    cells : DataFrame
        Table of `label_costs`.

    Returns
    -------
    DataFrame
        ``train``, ``draw``, ``part``, ``source``, ``cells``, ``environments`` and ``core_hours`` of
        the labels (NaN where a label came without its time).
    """
    known = cells.set_index(["test", "cell"])[["n_atoms", "seconds"]]
    rows = []
    for part in drawn:
        found = known.loc[part.cells].groupby(level="test", sort=False)
        sums = found.agg(cells=("n_atoms", "size"), environments=("n_atoms", "sum"))
        sums["core_hours"] = found["seconds"].sum(min_count=1) / 3600
        names = {"train": part.train, "draw": part.draw, "part": part.part}
        rows.append(sums.rename_axis("source").reset_index().assign(**names))
    order = ["train", "draw", "part", "source", "cells", "environments", "core_hours"]
    return pd.concat(rows)[order]


def pools(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the size and the cost of every whole data set, as rows of `compositions`.

    Where only some cells are listed, the size of a pool stands nowhere else.

    Parameters
    ----------
    cells : DataFrame
        Table of `label_costs`.
    """
    names = [DrawnSet(name, 0, POOL, []) for name in cells["test"].unique()]
    places = cells.groupby("test", sort=False)["cell"]
    whole = [
        part._replace(cells=[(part.train, place) for place in places.get_group(part.train)])
        for part in names
    ]
    return compositions(whole, cells)
