"""Answers of reference models, which were not trained here, compared with the labels cell by cell.

Energies of two codes differ by a constant per atom. `fit_constants` takes it from training cells of
the study alone, so that no test cell decides anything; forces are compared as they are.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms

from diverse.labels.target import fit_target
from diverse.structures import PRECISION

DIGITS = "%.7g"
COLUMNS = ["model", "options", "code", "key", "energy_error", "forces_squared", "cause"]
NOT_RELEASED = "not among the released answers"


@dataclass(frozen=True)
class Constants:
    """Constants taken off the energies of one reference model.

    Attributes
    ----------
    by_protocol : dict of str to float, meV/atom
        By label protocol: model minus label; NaN where no cell tells it.
    n_cells : dict of str to int
        Cells that each was fitted on.
    """

    by_protocol: dict[str, float]
    n_cells: dict[str, int]


def gather_answers(
    cells: Sequence[Atoms],
    options: Mapping[str, Mapping[str, Any]],
    computed: Mapping[str, Sequence[Atoms]],
    released: str | Path | None,
) -> dict[str, pd.DataFrame]:
    """Return the answers of every reference model that there are, by its name.

    Parameters
    ----------
    cells : sequence of Atoms
        Labelled cells.
    options : mapping
        Options of every reference model of the study.
    computed : mapping
        The same cells as each model that was asked answered them.
    released : path or None
        Released answers, for the other models.

    Returns
    -------
    dict of str to DataFrame
        Columns `COLUMNS`, a row a label.
    """
    keys = [cell.info["key"] for cell in cells]
    found = {}
    for name, of_model in options.items():
        if name in computed:
            first = computed[name][0].info
            code = str(first.get("packages", first["code"]))
            table = compare(cells, computed[name])
            table = table.assign(model=name, options=options_text(of_model), code=code)
            found[name] = table[COLUMNS]
        elif (known := released_answers(released, name, of_model, keys)) is not None:
            found[name] = known
    return found


def compare(cells: Sequence[Atoms], answered: Sequence[Atoms]) -> pd.DataFrame:
    """Compare what a reference model says of cells with their labels.

    Parameters
    ----------
    cells : sequence of Atoms
        Labelled cells.
    answered : sequence of Atoms
        The same cells in the same order, with the model's energies and forces, or the cause why
        there are none.

    Returns
    -------
    DataFrame
        Columns `COLUMNS` from ``key`` on: that of the label, once each; ``energy_error`` (meV/atom,
        model minus label, no constant taken off), ``forces_squared`` ((meV/Å)², the sum over the
        components of squared errors), both NaN where there is no answer; ``cause``.

    Raises
    ------
    ValueError
        If the cells are not the same.
    """
    rows = []
    for cell, answer in zip(cells, answered, strict=True):
        if len(cell) != len(answer) or not _same_places(cell, answer):
            raise ValueError(
                f"cell {cell.info['key']} is not the cell that a reference model was asked for; "
                "remove references/ and run the same command again"
            )
        errors: tuple[float, float] = (np.nan, np.nan)
        if answer.calc is not None:
            (energy, forces), (said, pushed) = fit_target(cell), fit_target(answer)
            squares = (1e3 * (pushed - forces)) ** 2
            errors = 1e3 * (said - energy) / len(cell), float(squares.sum())
        cause = "" if answer.calc is not None else str(answer.info.get("cause", "no cause"))
        rows.append((cell.info["key"], *errors, cause))
    return pd.DataFrame(rows, columns=COLUMNS[3:]).drop_duplicates("key")


def _same_places(cell: Atoms, answer: Atoms) -> bool:
    limit = 2 * 10.0**-PRECISION
    arrays = ((cell.positions, answer.positions), (cell.cell.array, answer.cell.array))
    return all(np.allclose(mine, its, rtol=0, atol=limit) for mine, its in arrays)


def options_text(options: Mapping[str, Any]) -> str:
    """Return options of a reference model as text: answers of other options are others."""
    return json.dumps(options, sort_keys=True)


def released_answers(
    path: str | Path | None, model: str, options: Mapping[str, Any], keys: Iterable[str]
) -> pd.DataFrame | None:
    """Return the released answers of a reference model for the labels of these keys.

    Parameters
    ----------
    path : path or None
        File of `write_answers`.
    model : str
    options : mapping
        Options of the model; answers to other options are not returned.
    keys : iterable of str

    Returns
    -------
    DataFrame or None
        Columns `COLUMNS`, a row a key; without an answer, and with the cause, where none was
        released. None if there is none at all.
    """
    if path is None:
        return None
    table = read_answers(path)
    found = table[(table["model"] == model) & (table["options"] == options_text(options))]
    wanted = pd.Index(pd.unique(pd.Series(list(keys), dtype=str)), name="key")
    if not found["key"].isin(wanted).any():
        return None
    chosen = found.set_index("key").reindex(wanted).reset_index()
    first = found.iloc[0]
    chosen = chosen.assign(model=model, options=first["options"], code=first["code"])
    return chosen.assign(cause=chosen["cause"].fillna(NOT_RELEASED))[COLUMNS]


def read_answers(path: str | Path) -> pd.DataFrame:
    """Read the answers of reference models, of `write_answers`."""
    texts = ["model", "options", "code", "key", "cause"]
    errors = {name: ["", "nan"] for name in ("energy_error", "forces_squared")}
    return pd.read_csv(
        path, dtype=dict.fromkeys(texts, str), na_values=errors, keep_default_na=False
    )


def write_answers(path: str | Path, tables: Sequence[pd.DataFrame]) -> None:
    """Write the answers of all reference models, compressed; nothing else decides the bytes."""
    text = StringIO()
    rows = pd.concat(tables) if tables else pd.DataFrame(columns=COLUMNS)
    rows.to_csv(text, index=False, float_format=DIGITS, lineterminator="\n")
    Path(path).write_bytes(lzma.compress(text.getvalue().encode()))


def fit_constants(
    answers: pd.DataFrame, protocols: Mapping[str, str], training: Iterable[str]
) -> Constants:
    """Fit the constant per atom that the energies of a reference model and of labels differ by.

    It is the median of the differences over the training cells of a label protocol (the constant of
    least absolute errors, which a few wild cells do not move). Labels of a protocol that no
    training set has are aligned on all their cells, as those of trained models are.

    Parameters
    ----------
    answers : DataFrame
        Of `compare`, of one model.
    protocols : mapping
        Label protocol by key of the label.
    training : iterable of str
        Keys of the labels that constants are fitted on.
    """
    differences = answers.set_index("key")["energy_error"].dropna()
    of_key = pd.Series(protocols, dtype=str)
    chosen = set(training)
    values, counts = {}, {}
    for protocol, keys in of_key.groupby(of_key).groups.items():
        own = [key for key in keys if key in chosen] or list(keys)
        found = differences[differences.index.isin(own)]
        values[str(protocol)] = float(found.median()) if len(found) else np.nan
        counts[str(protocol)] = len(found)
    return Constants(values, counts)
