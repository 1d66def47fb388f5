"""Claims in plain words: one sentence a claim, written from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from diverse.errors.claims import (
    ALIKE,
    ALIKE_MODERN,
    CONTROL,
    FAR,
    NO_DATA,
    REPRODUCED,
    SIGNIFICANT,
    UNDECIDED,
    WITH_MODERN,
)
from diverse.errors.universal import CLAIM as UNIVERSAL
from diverse.errors.universal import NO, YES
from diverse.report.numbers import digits

SIGNIFICANT_DIGITS = 2
MODERN = "With modern forms"
PREFIXES = {CONTROL: "Control", WITH_MODERN: MODERN, ALIKE_MODERN: MODERN}
WORDS = {"energy": "energies", "forces": "forces"}


def with_readings(claims: pd.DataFrame) -> pd.DataFrame:
    """Replace ``reason`` of the table of claims by ``reading``, a sentence with the numbers.

    Parameters
    ----------
    claims : DataFrame
        Of `diverse.errors.claims.claims_table`.
    """
    readings = [reading(row) for row in claims.to_dict("records")]
    place = claims.columns.get_loc("reason")
    table = claims.drop(columns="reason")
    table.insert(place, "reading", readings)
    return table


def reading(row: dict[str, Any]) -> str:
    """Return one sentence, or two, that say what the numbers of a claim say."""
    if row["verdict"] == NO_DATA:
        return str(row["reason"])
    if row["claim"] == "C4":
        said = _order(row)
    elif row["claim"] in ALIKE:
        said = _spread(row)
    elif row["claim"] == "C1":
        said = _home(row)
    elif row["claim"] == UNIVERSAL:
        said = _universal(row)
    else:
        said = _neutral(row)
    return f"{said} {row['reason']}".rstrip()


def _home(row: dict[str, Any]) -> str:
    """Return what the home ground of a curated set says: which set is better, if either."""
    said = _comparison(row, f"of {WORDS[row['quantity']]} on held-out cells of {row['test']}")
    better = f"better with {row['train']}"
    if row["verdict"] != UNDECIDED:
        return f"{said}: {better} is {'shown' if row['verdict'] == REPRODUCED else 'ruled out'}."
    doubt = ""
    if row["ci_high"] < 1:
        p = digits(row["p_holm"], SIGNIFICANT_DIGITS)
        doubt = f", for p = {p} after correction for the number of tests"
    return f"{said}: {better} is not shown{doubt}."


def _neutral(row: dict[str, Any]) -> str:
    """Return what the neutral ground says: better, far better, or neither."""
    wider = [row["ci_groups_low"], row["ci_groups_high"]]
    said = _comparison(row, f"of {WORDS[row['quantity']]} on neutral ground", wider)
    said = _with_prefix(row, said)
    far, out = f"far better (more than {FAR:g} times)", row["ci_high"] < FAR
    better = f"better with {row['reference']}"
    if row["verdict"] == REPRODUCED:
        return f"{said}: far {better} (more than {FAR:g} times) is shown."
    here = " for these groups of cells alone" if wider[0] <= 1 <= wider[1] else ""
    if row["ci_high"] < 1:
        return f"{said}: {better} is ruled out{here}."
    if row["ci_low"] > 1 and row["p_holm"] < SIGNIFICANT:
        return f"{said}: {better} is shown{here}, {far} is {'ruled out' if out else 'not'}."
    return f"{said}: {better} is not shown, {far} is {'ruled out' if out else 'not either'}."


def _universal(row: dict[str, Any]) -> str:
    """Return whether a universal potential makes the training set unnecessary on neutral ground."""
    ends = np.array([row["effect"], row["ci_low"], row["ci_high"]])
    smaller = row["effect"] < 1
    value, low, high = map(_ratio, 1 / ends[[0, 2, 1]] if smaller else ends)
    known = f"95 % interval {low} to {high}" if np.isfinite(ends[1]) else "no interval"
    verdict = {
        YES: "it makes the training set unnecessary there",
        NO: "it does not make the training set unnecessary there",
    }.get(row["verdict"], "which is better is not shown")
    return (
        f"{row['train']} has {value} times {'smaller' if smaller else 'larger'} errors of "
        f"{WORDS[row['quantity']]} on neutral ground than models trained on {row['reference']} "
        f"({known}): {verdict}."
    )


def _comparison(row: dict[str, Any], where: str, wider: Sequence[float] = (np.nan, np.nan)) -> str:
    """Return which training set is better, how much, and the interval, the better one first.

    `wider` are the ends of the interval if groups of cells were drawn, too, if that is to be told.
    """
    better, worse = row["reference"], row["train"]
    ends = np.array([row["effect"], row["ci_low"], row["ci_high"], *wider])
    if row["effect"] < 1:
        better, worse, ends = worse, better, 1 / ends[[0, 2, 1, 4, 3]]
    known = f"95 % interval {_span(*ends[1:3])}" if np.isfinite(ends[1]) else "no interval"
    if np.isfinite(ends[3]):
        known += f"; were groups of cells drawn, too, {_span(*ends[3:])}"
    if digits(ends[0], SIGNIFICANT_DIGITS) == "1" and not ends[1] > 1:
        known = f"ratio {digits(ends[0])}, {known}"
        return f"Errors {where} of models trained on {better} and on {worse} are alike ({known})"
    return (
        f"Models trained on {better} have {_ratio(ends[0])} times smaller errors {where} than "
        f"models trained on {worse} ({known})"
    )


def _span(low: float, high: float) -> str:
    return f"{_ratio(low)} to {_ratio(high)}"


def _ratio(number: float) -> str:
    """Write a ratio with so many digits that it is seen on which side of 1 it lies."""
    for significant in range(SIGNIFICANT_DIGITS, 2 * SIGNIFICANT_DIGITS):
        text = digits(number, significant)
        if text != "1":
            break
    return text


def _spread(row: dict[str, Any]) -> str:
    """Return how alike the forms of model behave with two training sets."""
    value, low, high = (_ratio(row[name]) for name in ("effect", "ci_low", "ci_high"))
    known = f"95 % interval {low} to {high}" if np.isfinite(row["ci_low"]) else "no interval"
    verdict = {
        REPRODUCED: f"forms behave more alike with {row['train']}",
        UNDECIDED: "neither more nor less alike is shown",
    }.get(row["verdict"], f"forms behave less alike with {row['train']}")
    number = digits(row["forms"])
    forms = f"{number} nonlinear forms"
    if row["claim"] != "C3":
        forms = f"the {number} forms that are not linear SNAP"
    said = (
        f"The errors of {WORDS[row['quantity']]} spread over {forms} {value} times as much "
        f"with {row['train']} as with {row['reference']} ({known}): {verdict}."
    )
    return _with_prefix(row, said)


def _with_prefix(row: dict[str, Any], said: str) -> str:
    """Return a sentence after the words that tell its claim from another one, if there are any."""
    prefix = PREFIXES.get(row["claim"])
    return f"{prefix}: {said[0].lower()}{said[1:]}" if prefix else said


def _order(row: dict[str, Any]) -> str:
    """Return how the deviation of the energy in dynamics rises with the time step."""
    value, low, high = (f"{row[name]:.2f}" for name in ("effect", "ci_low", "ci_high"))
    known = f"95 % interval {low} to {high}" if np.isfinite(row["ci_low"]) else "no interval"
    verdict = {
        REPRODUCED: "second order in the time step is shown",
        UNDECIDED: "second order in the time step is not shown",
    }.get(row["verdict"], "second order in the time step is ruled out")
    return (
        f"In dynamics with models trained on {row['train']} the deviation of the energy rises with "
        f"the power {value} of the time step ({known}): {verdict}."
    )
