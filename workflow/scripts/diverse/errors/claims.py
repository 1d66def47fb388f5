"""The claims of the paper, decided by rows of effects.

C1: models trained on a curated set (expert, literature) have the lowest error on cells like it. C2:
models trained on the entropy-maximised set transfer far better to cells that are unlike either
training set; the set of random cells is its control. C3: models trained on the entropy-maximised
set behave alike whatever their form. C4: they conserve energy in dynamics to second order in the
time step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from diverse.errors.conservation import conservation_effect
from diverse.errors.effects import (
    COUNTS,
    EFFECT,
    GROUPS_DRAWN,
    PAIR,
    POOLED,
    POOLED_MODERN,
    reference_set,
)
from diverse.errors.ground import HOME
from diverse.errors.spread import METRIC
from diverse.errors.theta import DECISIVE, holm

ORDER = (1.8, 2.2)  # powers of the time step that count as second order
FAR = 2.0  # ratio of errors from which on "far better" is said
SIGNIFICANT = 0.05  # largest corrected probability by which a difference counts as shown
CURATED = ("expert", "literature")
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
UNDECIDED, NO_DATA = "undecided", "no data"
CONTROL = "C2 control"
WITH_MODERN = "C2 with modern forms"
ALIKE_MODERN = "C3 with modern forms"
ALIKE = ("C3", ALIKE_MODERN)
ON_MODERN = (WITH_MODERN, ALIKE_MODERN)  # decided by forms that came after the paper, too
FAR_BETTER = ("C2", CONTROL, WITH_MODERN)
NUMBERS = ("effect", "ci_low", "ci_high", *GROUPS_DRAWN, "p_holm", "forms")
COLUMNS = [
    *("claim", "quantity", "train", "reference", "test", "statement", "definition"),
    *(*NUMBERS, "verdict", "reason"),
    *("table", "figure"),
]
STATEMENTS = {
    "C1": "Models trained on {train} have the lowest error on cells like {train}.",
    "C2": "Models trained on {reference} transfer far better than models trained on {train}.",
    CONTROL: "Models trained on {reference} transfer far better than models trained on {train}, "
    "the same sampler without the entropy term.",
    WITH_MODERN: "Models trained on {reference} transfer far better than models trained on "
    "{train}, forms that came after the paper in the mean, too.",
    "C3": "Models trained on {train} behave more alike, whatever their form, than models trained "
    "on {reference}.",
    ALIKE_MODERN: "Models trained on {train} behave more alike, whatever their form, than models "
    "trained on {reference}, forms that came after the paper among them, too.",
    "C4": "Dynamics with models trained on an entropy-maximised set conserve energy to second "
    "order in the time step.",
}
_RATIO = "{metric} of {quantity} by models trained on {train} over the same by {reference}, "
_MEAN = "mean of its logarithm over groups, forms, classes and draws; "
DEFINITIONS = {
    "C1": _RATIO + "on held-out cells of {test}, " + _MEAN + f"{REPRODUCED} if the 95 % interval "
    f"ends below 1 and p after Holm is below {SIGNIFICANT:g}, {NOT_REPRODUCED} if it begins above "
    f"1, else {UNDECIDED}.",
    "C2": _RATIO
    + "on groups neutral to every training set, "
    + _MEAN
    + f"{REPRODUCED} if the 95 % "
    f"interval begins above {FAR:g}, {NOT_REPRODUCED} if it ends below {FAR:g}, else {UNDECIDED}.",
    "C3": "standard deviation of log {metric} of {quantity} over nonlinear forms, variance over "
    "seeds taken off, on groups neutral to every training set and of skill, {train} over "
    "{reference}; "
    f"{REPRODUCED} if the 95 % interval ends below 1, {NOT_REPRODUCED} if it begins above 1, else "
    f"{UNDECIDED}.",
    "C4": "slope of the logarithm of the root mean square deviation of the total energy against "
    "the logarithm of the time step, in runs at constant energy, mean over models trained on "
    "{train}; "
    f"{REPRODUCED} if the 95 % interval (over models, each the mean of its velocity seeds) lies "
    f"within {ORDER[0]:g} to {ORDER[1]:g}, {NOT_REPRODUCED} if wholly outside, else {UNDECIDED}.",
}
DEFINITIONS[CONTROL] = DEFINITIONS[WITH_MODERN] = DEFINITIONS["C2"]
DEFINITIONS[ALIKE_MODERN] = DEFINITIONS["C3"].replace(
    "over nonlinear forms", "over all forms but linear SNAP"
)
METRIC_NAMES = {"energy": "mean absolute error", "forces": "root mean square error"}


@dataclass(frozen=True)
class Question:
    """One row of claims: which row of effects decides it, or why there is none."""

    claim: str
    quantity: str
    train: str
    reference: str
    test: str
    missing: str = ""

    def row_of(self, effects: pd.DataFrame) -> pd.DataFrame:
        """Return the row of effects that decides the claim; none where there is no data."""
        metric = METRIC if self.claim in ALIKE else DECISIVE.get(self.quantity)
        chosen = pd.Series(True, effects.index)
        for column in ("quantity", "train", "reference", "test"):
            chosen &= effects[column] == getattr(self, column)
        if self.claim == "C1":
            chosen &= effects["relation"] == HOME
        return effects[chosen & (effects["metric"] == metric)]


def questions(
    trains: Sequence[str], families: Mapping[str, str], *, modern: bool = False
) -> list[Question]:
    """Return the questions that the training sets of a study can answer, in the order of claims.

    Parameters
    ----------
    trains : sequence of str
    families : mapping
        Family of each training set.
    modern : bool
        Whether the study has forms of model that came after the paper.
    """
    reference = reference_set(trains, families)
    entropy = reference if families[reference] == "entropy" else ""
    curated = [name for name in trains if families[name] in CURATED]
    random = [name for name in trains if families[name] == "random"]
    found = []
    for claim, others, kind in (
        *(("C1", curated, "expert or literature"), ("C2", curated, "expert or literature")),
        *([(WITH_MODERN, curated, "expert or literature")] if modern else []),
        *((CONTROL, random, "random"), ("C3", curated, "expert or literature")),
        *([(ALIKE_MODERN, curated, "expert or literature")] if modern else []),
    ):
        absent = "" if entropy else "no training set of family entropy"
        absent = absent or ("" if others else f"no training set of family {kind}")
        missing = absent and f"The study has {absent}."
        for quantity in DECISIVE:
            for other in others or [""]:
                pair = (entropy, other) if claim in ALIKE else (other, entropy)
                test = POOLED_MODERN if claim in ON_MODERN else other if claim == "C1" else POOLED
                found.append(Question(claim, quantity, *pair, test, missing))
    missing = "" if entropy else "The study has no training set of family entropy."
    return [*found, Question("C4", "", entropy, "", "", missing)]


def with_holm(
    effects: pd.DataFrame, trains: Sequence[str], families: Mapping[str, str]
) -> pd.DataFrame:
    """Add ``p_holm``: probabilities corrected for all tests of C1, C2 and its control together.

    Those of C2 with modern forms are corrected for one another: no other verdict rests on them.

    Parameters
    ----------
    effects : DataFrame
        Of `diverse.errors.effects.measure_effects`, and of `measure_spreads`.
    trains : sequence of str
    families : mapping

    Returns
    -------
    DataFrame
        NaN in rows that no verdict of C1 and C2 rests on.
    """
    effects = effects.reset_index(drop=True)
    asked, corrected = questions(trains, families, modern=True), pd.Series(np.nan, effects.index)
    for together in (("C1", "C2", CONTROL), (WITH_MODERN,)):
        tests = [question for question in asked if question.claim in together]
        rows = [place for question in tests for place in question.row_of(effects).index]
        corrected = corrected.fillna(holm(effects.loc[rows, "p"]).reindex(effects.index))
    return effects.assign(p_holm=corrected)[[*PAIR, *EFFECT, *GROUPS_DRAWN, "p_holm", *COUNTS]]


def claims_table(
    effects: pd.DataFrame,
    trains: Sequence[str],
    families: Mapping[str, str],
    dynamics: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the claims with their verdicts, one row a claim, quantity and pair of training sets.

    Parameters
    ----------
    effects : DataFrame
        Of `with_holm`.
    trains : sequence of str
    families : mapping
        Family of each training set.
    dynamics : DataFrame, optional
        ``tables/dynamics.csv``, which decides C4.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; ``reason`` is a sentence where there is no data, or no interval.
    """
    rows, modern = [], bool((effects["test"] == POOLED_MODERN).any())
    for question in questions(trains, families, modern=modern):
        numbers, reason = _answer(question, effects, dynamics)
        names = {column: getattr(question, column) for column in COLUMNS[:5]}
        words = {**names, "metric": METRIC_NAMES.get(question.quantity, "")}
        texts = {
            column: _sentence(templates[question.claim].format(**_named(words)))
            for column, templates in (("statement", STATEMENTS), ("definition", DEFINITIONS))
        }
        verdict = _verdict(question.claim, numbers) if numbers else NO_DATA
        rows.append(
            names
            | texts
            | (numbers or dict.fromkeys(NUMBERS, np.nan))
            | {"verdict": verdict, "reason": reason}
            | _links(question.claim, numbers is not None)
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _answer(
    question: Question, effects: pd.DataFrame, dynamics: pd.DataFrame | None
) -> tuple[dict[str, float] | None, str]:
    """Return the numbers that decide a claim, if there are any, and what to say beside them."""
    if question.missing:
        return None, question.missing
    if question.claim == "C4":
        numbers, reason = conservation_effect(dynamics, question.train)
        return numbers and {**dict.fromkeys(NUMBERS, np.nan), **numbers}, reason
    row = question.row_of(effects)
    if row.empty:
        return None, _absence(question)
    found = row.iloc[0]
    return {column: float(found[column]) for column in NUMBERS}, _doubt(found)


def _links(claim: str, known: bool) -> dict[str, str]:
    """Return the table and the figure of a claim."""
    if claim != "C4":
        return {"table": "tables/theta.csv", "figure": "figures/ratios.png"}
    table, figure = ("tables/dynamics.csv", "figures/dynamics.png") if known else ("", "")
    return {"table": table, "figure": figure}


def _named(words: Mapping[str, str]) -> dict[str, str]:
    """Return names, with words for sets that a study does not have."""
    empty = {"train": "a training set", "reference": "another training set", "test": "a test set"}
    return {name: text or empty.get(name, "") for name, text in words.items()}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _verdict(claim: str, numbers: Mapping[str, float]) -> str:
    """Return the verdict that the ends of an interval give; undecided without them."""
    low, high = numbers["ci_low"], numbers["ci_high"]
    if claim in FAR_BETTER:
        yes, no = low > FAR, high < FAR
    elif claim == "C4":
        yes, no = ORDER[0] <= low and high <= ORDER[1], high < ORDER[0] or low > ORDER[1]
    else:
        yes, no = high < 1, low > 1
    if claim == "C1":
        yes = yes and numbers["p_holm"] < SIGNIFICANT
    return REPRODUCED if yes else NOT_REPRODUCED if no else UNDECIDED


def _doubt(found: pd.Series) -> str:
    """Return why a row of effects has no interval; nothing where it has one."""
    if np.isfinite(found["ci_low"]):
        return ""
    if found["draws"] < 2:
        return "There is no interval: the study has a single draw (split.draws)."
    if not np.isfinite(found["sigma_set"]):
        return "There is no interval: no model was trained on halves of the training sets."
    return "There is no interval: no group of test cells has two trajectories."


def _absence(question: Question) -> str:
    """Return why there is no row of effects."""
    what = "energies" if question.quantity == "energy" else "forces"
    if question.claim == "C1":
        return (
            f"No model trained on both {question.train} and {question.reference} has an error on a "
            f"test cell of {question.test} that counts for {what}."
        )
    if question.claim in ALIKE:
        return f"There are no two nonlinear models, or no neutral test cells, for {what}."
    return f"No group of test cells that is neutral to every training set counts for {what}."
