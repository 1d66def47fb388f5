"""Predicted against actual errors: ensembles over seeds, and how well calibrated they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from diverse.errors.scores import UNITS, Labels, align_energies, energy_errors
from diverse.models import Predictions

N_BINS = 5
SMALLEST_BIN = 5  # errors; the root mean square of so many is known to about a third
ROUNDING = 1e-6  # meV/atom, meV/Å: forces that vanish by symmetry differ by no more
OTHERS = "other sets"
MEASURES = [
    *("bin", "n", "predicted", "actual"),
    *("actual_over_predicted", "within_one", "within_two"),
]

Samples = dict[str, tuple[np.ndarray, np.ndarray]]  # quantity: errors, predicted deviations


def ensemble(predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and spread of what the models of several seeds predict.

    Parameters
    ----------
    predictions : ndarray, shape (n_models, ...)
        Predictions of the same quantities by at least 2 models.

    Returns
    -------
    mean, spread : ndarray, shape (...)
        The spread is the standard deviation of one model, n_models - 1 in the denominator.

    Raises
    ------
    ValueError
        For fewer than 2 models.
    """
    if len(predictions) < 2:
        raise ValueError(
            f"{len(predictions)} model has no spread: train at least 2 seeds (models.*.seeds)"
        )
    return predictions.mean(axis=0), predictions.std(axis=0, ddof=1)


def error_samples(
    test: Labels,
    predictions: Sequence[Predictions],
    same_protocol: bool,
    deviations: np.ndarray | None = None,
) -> Samples:
    """Return the errors on a test set with the standard deviations predicted for them.

    Parameters
    ----------
    test : Labels
        Labels of the test set.
    predictions : sequence of Predictions
        One entry a seed.
    same_protocol : bool
        Whether training and test labels are of one protocol; if not, energies are aligned first
        (`diverse.errors.scores.align_energies`): a single cell then has no energy error left,
        and gives no sample.
    deviations : ndarray, shape (n_cells,), eV/atom, optional
        Standard deviation of each cell's energy per atom, for a model that predicts it by itself
        (one seed). Without it, the spread of the ensemble is the prediction, and the
        ensemble's mean is compared with the label.

    Returns
    -------
    dict
        ``energy``, one sample a cell (meV/atom), and for ensembles ``forces``, one sample a
        component (meV/Å); predicted for each atom, as the root mean square of its components.
    """
    energies = np.stack([prediction.energies for prediction in predictions])
    if not same_protocol:
        energies, _ = align_energies(test, energies)
    errors = energy_errors(test, energies)
    if deviations is not None:
        samples: Samples = {"energy": (errors[0], 1e3 * deviations)}
    else:
        forces = np.stack([prediction.forces for prediction in predictions])
        off, apart = ensemble(1e3 * (forces - test.forces))
        by_atom = np.sqrt((apart**2).mean(axis=1))
        samples = {"energy": ensemble(errors), "forces": (off.ravel(), np.repeat(by_atom, 3))}
    if not same_protocol and len(test.energies) < 2:
        del samples["energy"]
    return samples


def calibration_table(samples: Mapping[str, Samples], own: str) -> pd.DataFrame:
    """Calibrate on every test set by itself, and on all that are not the model's own together.

    Parameters
    ----------
    samples : mapping of str to Samples
        By test set.
    own : str
        The test set that was held out of the model's training set.

    Returns
    -------
    DataFrame
        ``quantity``, ``unit`` and the columns of `calibration`, the group as ``test`` (for all
        but the own one `OTHERS`). Samples whose predicted deviation is only rounding are left out.
    """
    tables = [pd.DataFrame(columns=["quantity", "unit", "test", *MEASURES])]
    for quantity, unit in UNITS.items():
        of_tests = [
            pd.DataFrame(dict(zip(("error", "predicted"), found[quantity], strict=True), test=test))
            for test, found in samples.items()
            if quantity in found
        ]
        if of_tests:
            rows = pd.concat(of_tests).query("not predicted <= @ROUNDING")
            rows = pd.concat([rows, rows[rows["test"] != own].assign(test=OTHERS)])
            errors, predicted, tests = (rows[name].to_numpy() for name in rows)
            table = calibration(errors, predicted, tests).rename(columns={"group": "test"})
            tables.append(table.assign(quantity=quantity, unit=unit))
    return pd.concat(tables[1:] or tables, ignore_index=True)[tables[0].columns]


def calibration(
    errors: np.ndarray, predicted: np.ndarray, groups: np.ndarray, n_bins: int = N_BINS
) -> pd.DataFrame:
    """Compare actual errors with the standard deviations predicted for them.

    Parameters
    ----------
    errors : ndarray, shape (n,)
        Prediction minus truth.
    predicted : ndarray, shape (n,)
        Standard deviations, positive, in the unit of the errors.
    groups : ndarray of str, shape (n,)
        For example the family of the test set.
    n_bins : int
        Each group is cut into so many parts of equal size, by the predicted deviation; into fewer,
        or none, where a part would hold fewer than 5 errors.

    Returns
    -------
    DataFrame
        Of each group a row for all of it (``bin`` 0) and one for each bin, from the smallest
        predicted deviation up: ``group``, ``bin``, ``n``, root mean squares ``predicted`` and
        ``actual``, their ratio ``actual_over_predicted``, and the fractions ``within_one`` and
        ``within_two`` predicted deviations. For normal errors of the predicted size the ratio is
        1 and the fractions are 0.683 and 0.954.

    Raises
    ------
    ValueError
        If a predicted deviation is not positive.
    """
    if not (predicted > 0).all():
        where = int(np.argmin(predicted > 0))
        raise ValueError(f"predicted deviation {where} is {predicted[where]}; it must be positive")
    rows = []
    for group in dict.fromkeys(groups):
        members = np.flatnonzero(groups == group)
        ordered = members[np.argsort(predicted[members], kind="stable")]
        count = min(n_bins, len(members) // SMALLEST_BIN)
        bins = np.array_split(ordered, count) if count > 1 else []
        for number, part in enumerate([ordered, *bins]):
            row = {"group": group, "bin": number, "n": len(part)}
            rows.append(row | _compare(errors[part], predicted[part]))
    return pd.DataFrame(rows, columns=["group", *MEASURES])


def _compare(errors: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    deviations = np.abs(errors) / predicted
    size, actual = (float(np.sqrt((values**2).mean())) for values in (predicted, errors))
    return {
        "predicted": size,
        "actual": actual,
        "actual_over_predicted": actual / size,
        "within_one": float((deviations <= 1).mean()),
        "within_two": float((deviations <= 2).mean()),
    }
