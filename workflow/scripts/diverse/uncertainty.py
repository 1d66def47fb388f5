"""Predicted against actual errors: ensembles over seeds, and how well calibrated they are."""

from __future__ import annotations

import numpy as np
import pandas as pd


def ensemble(predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what the models of several seeds say together, and how far they disagree.

    Parameters
    ----------
    predictions : ndarray, shape (n_models, ...)
        Of the same quantities, at least 2 models.

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


def calibration(
    errors: np.ndarray, predicted: np.ndarray, groups: np.ndarray, n_bins: int = 5
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
        Each group is cut into so many parts of equal size, by the predicted deviation.

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
        If a predicted deviation is not positive, or a group is smaller than the number of bins.
    """
    if not (predicted > 0).all():
        where = int(np.argmin(predicted > 0))
        raise ValueError(f"predicted deviation {where} is {predicted[where]}; it must be positive")
    rows = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if len(members) < n_bins:
            raise ValueError(f"{group} has {len(members)} errors, too few for {n_bins} bins")
        ordered = members[np.argsort(predicted[members], kind="stable")]
        for number, part in enumerate([ordered, *np.array_split(ordered, n_bins)]):
            row = {"group": group, "bin": number, "n": len(part)}
            rows.append(row | _compare(errors[part], predicted[part]))
    return pd.DataFrame(rows)


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
