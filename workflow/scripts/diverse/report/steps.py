"""Table of what the last step of every learning curve bought, as the data card shows it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pandas as pd

from diverse.errors.scores import UNITS
from diverse.report.numbers import digits

two_digits = partial(digits, significant=2)
three_digits = partial(digits, significant=3)


def step_table(steps: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each data set and model, and a column for each ground and quantity.

    Parameters
    ----------
    steps : DataFrame
        Table that `diverse.errors.curves.last_steps` returns; it may be empty.

    Returns
    -------
    DataFrame
        Texts: sizes, core-hours and errors (meV/atom, meV/Å) before and after the step, and the
        factor between the errors. Core-hours of labels whose time was not recorded have no number.
    """
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in steps.to_dict("records"):
        hours = f"{two_digits(row['core_hours_before'])} to {two_digits(row['core_hours'])}"
        first = {
            "training set": row["of"],
            "model": row["model"],
            "environments": f"{row['environments_before']:,.0f} to {row['environments']:,.0f}",
            "core-hours": hours if row["core_hours"] > 0 else "not recorded",
        }
        line = lines.setdefault((row["of"], row["model"]), first)
        ground = "own test cells" if row["ground"] == row["of"] else row["ground"]
        name = f"{row['quantity']}, {ground} ({UNITS[row['quantity']]})"
        errors = f"{three_digits(row['error_before'])} to {three_digits(row['error'])}"
        line[name] = f"{errors} (× {row['left']:.2f})"
    return pd.DataFrame(list(lines.values())).fillna("")


def flat_words(steps: pd.DataFrame) -> str:
    """Return sentences that say what a flat learning curve is, which are, and which are undecided.

    Parameters
    ----------
    steps : DataFrame
        Table that `diverse.errors.curves.last_steps` returns, with rows.
    """
    curves = steps.groupby(["of", "model"], sort=False)[["known", "flat"]].all()
    flat, unknown = curves.index[curves["flat"]], curves.index[~curves["known"]]
    words = (
        "A curve is flat where every error at the larger size lies within one standard deviation "
        "over draws, to either side, of the same error at the smaller: "
        f"{_curve_names(flat) or 'none'}."
    )
    if len(unknown):
        words += f" A single draw, and so not decided: {_curve_names(unknown)}."
    return words


def _curve_names(curves: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{model} on {dataset}" for dataset, model in curves)
