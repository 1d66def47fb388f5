"""Errors of ACE on every draw, fitted here or as they were released.

The package that fits ACE lies in an extra environment. Where that is not made, released errors
stand for the same models on the same draws of the same labels: `fit_digest` tells whether they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from diverse.datasets.draws import WHOLE, DrawnSet
from diverse.errors.by_cell import ROWS, LabelledSets
from diverse.errors.draws import read_errors, read_table
from diverse.errors.scores import COLUMNS, CellErrors, Labels, ModelErrors, score_rows
from diverse.models.ace.form import AceForm
from diverse.models.ace.model import AceModel
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.settings import FitSettings
from diverse.zbl import ZBL

PLACE = ["train", "model", "draw", "part"]
FITS = [*PLACE, "n_parameters", "ridge", "rank", "digest", "code", "cause"]

Model = Mapping[str, Any]


def fit_digest(
    model: Model, draws: Iterable[str | Path], *, cutoff: float, zbl: ZBL, solver: int
) -> str:
    """Return a hash of what the errors of a model on all draws follow from.

    Parameters
    ----------
    model : mapping
        The study's entry of the model.
    draws : iterable of path
        Tables of draws of all test sets, which hold the keys of their labels.
    cutoff : float, Å
    zbl : ZBL
    solver : int
        Version of the solver of polynomials.
    """
    digest = sha256(json.dumps([dict(model), solver, cutoff, asdict(zbl)], sort_keys=True).encode())
    for path in draws:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:16]


def fit_draws(
    sets: LabelledSets,
    drawn_sets: Sequence[DrawnSet],
    models: Mapping[str, Model],
    digests: Mapping[str, str],
    *,
    cutoff: float,
    zbl: ZBL,
    code: str,
    log: TextIO,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit ACE models to many training sets, and measure their errors cell by cell.

    A fit that fails, or predicts what is not finite, costs its rows of errors and no other.

    Parameters
    ----------
    sets : LabelledSets
    drawn_sets : sequence of DrawnSet
    models, digests : mapping
        The study's entries of the models, and `fit_digest` of each.
    cutoff : float, Å
    zbl : ZBL
    code : str
        Package that makes the functions, with its version.
    log : file
        Gets a line a fit.

    Returns
    -------
    errors : DataFrame
        Rows of `LabelledSets.errors`.
    fits : DataFrame
        Columns `FITS`, a row a fit; ``cause`` says why one failed.
    """
    errors, fits = [], []
    for name, model in models.items():
        for drawn in drawn_sets:
            place = dict(zip(PLACE, (drawn.train, name, drawn.draw, drawn.part), strict=True))
            about = {"digest": digests[name], "code": code, "cause": ""}
            try:
                rows, found = _fit(sets, drawn, name, model, cutoff=cutoff, zbl=zbl)
                errors.append(rows)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                found = {"cause": " ".join(str(error).split())}
            fits.append({**place, **about, **found})
            print(name, *drawn[:3], found, file=log, flush=True)
    every = pd.concat(errors) if errors else pd.DataFrame(columns=ROWS)
    return every, pd.DataFrame(fits, columns=FITS)


def _fit(
    sets: LabelledSets, drawn: DrawnSet, name: str, model: Model, *, cutoff: float, zbl: ZBL
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the errors of one fit, and what the table of fits holds of it."""
    cells = sets.cells(drawn.cells)
    settings = FitSettings.of(model)
    potential, _, fit = fit_streaming(cells.copy, settings, cutoff=cutoff, zbl=zbl)
    rows = sets.errors(potential, drawn, name=name, seed=0)
    if not np.isfinite(rows[["energy_error", "forces_squared"]]).all(axis=None):
        raise ValueError("the fit predicts energies or forces that are not finite numbers")
    about = {"n_parameters": potential.n_parameters, "ridge": fit.ridge}
    return rows, {**about, "rank": int(fit.summary["rank"])}


def released_fits(
    paths: Sequence[str | Path], digests: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the released errors and fits of the models that they are of, as `fit_draws` does.

    Parameters
    ----------
    paths : sequence of path
        Released tables of errors and of fits; none where nothing is released.
    digests : mapping
        `fit_digest` of every model of the study: released rows of other digests are left out.
    """
    if not paths:
        return pd.DataFrame(columns=ROWS), pd.DataFrame(columns=FITS)
    errors, fits = read_errors(paths[:1]), read_fits(paths[1:])
    fits = fits[fits["digest"] == fits["model"].map(digests)]
    return errors[errors["model"].isin(fits["model"])], fits


def read_fits(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read tables of fits, of `fit_draws`."""
    tables = [read_table(path, FITS) for path in paths]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled) if filled else pd.DataFrame(columns=FITS)


def score_first_draw(
    errors: pd.DataFrame,
    fits: pd.DataFrame,
    models: Mapping[str, Model],
    training: Labels,
    tests: Mapping[str, tuple[Labels, np.ndarray]],
    names: Mapping[str, str],
) -> pd.DataFrame:
    """Return the scores of the models of the first draw, as rows of ``scores.csv``.

    Absolute errors of force components are not kept: there is no MAE of forces. Where labels are of
    several protocols, the constant taken off the energies is not kept either.

    Parameters
    ----------
    errors, fits : DataFrame
        Of `fit_draws`.
    models : mapping
        The study's entries of the models.
    training : Labels
        Of the training set.
    tests : mapping
        Labels of the test cells of each test set, and their places among its labelled cells.
    names : mapping
        Columns ``study`` and ``train``.
    """
    first = (errors["draw"] == 0) & (errors["part"] == WHOLE)
    sizes = fits[fits["cause"] == ""].drop_duplicates("model").set_index("model")["n_parameters"]
    rows = []
    for name, model in models.items():
        own = errors[first & (errors["model"] == name)]
        for test, (truth, places) in tests.items() if len(own) else ():
            form = AceForm(model["order"], model["degree"])
            stand_in = AceModel(form, np.zeros(int(sizes[name])))
            found = _model_errors(own[own["test"] == test], training, truth, places)
            rows.append(
                score_rows({**names, "test": test, "model": name}, stand_in, training, found)
            )
    return pd.concat(rows) if rows else pd.DataFrame(columns=COLUMNS)


def _model_errors(
    rows: pd.DataFrame, training: Labels, truth: Labels, places: np.ndarray
) -> ModelErrors:
    """Arrange the errors of one model on one test set in the order of its labels."""
    own = rows.set_index("cell").loc[places]
    energy, squares = own["energy_error"].to_numpy()[None], own["forces_squared"].to_numpy()[None]
    of_cells = {
        "energy": CellErrors(energy**2, np.abs(energy), np.ones(len(own))),
        "forces": CellErrors(squares, np.full_like(squares, np.nan), 3.0 * truth.n_atoms),
    }
    aligned = len({*training.protocols, *truth.protocols}) > 1
    return ModelErrors(truth, of_cells, aligned, np.array([np.nan if aligned else 0.0]))


def fits_table(
    fits: pd.DataFrame, models: Sequence[str], trains: Sequence[str], *, here: bool
) -> pd.DataFrame:
    """Return a row for each ACE model and training set: where it was fitted, and what failed.

    Returns
    -------
    DataFrame
        ``model``, ``train``, ``source`` (``computed``, ``released`` or ``none``), ``code``,
        ``n_parameters``, ``fits``, ``failures`` and the first ``cause`` of one.
    """
    rows = []
    for model in models:
        for train in trains:
            own = fits[(fits["model"] == model) & (fits["train"] == train)]
            failed = own[own["cause"] != ""]
            source = "none" if own.empty else "computed" if here else "released"
            rows.append(
                {
                    **{"model": model, "train": train, "source": source},
                    "code": own["code"].iloc[0] if len(own) else "",
                    "n_parameters": own["n_parameters"].max(),
                    **{"fits": len(own), "failures": len(failed)},
                    "cause": failed["cause"].iloc[0] if len(failed) else "",
                }
            )
    return pd.DataFrame(rows)
