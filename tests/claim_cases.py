"""Made-up tables of effects and claims, in the columns of those that the study writes."""

import pandas as pd

NOTHING = float("nan")


def claims_of(*changes):
    """Return a table of claims with one row for each mapping of changed entries."""
    row = {"claim": "C1", "quantity": "energy", "train": "expert", "reference": "entropy"}
    row |= {"test": "expert", "statement": "Expert-trained models are best at home."}
    row |= {"definition": "The upper end of the interval lies below 1."}
    row |= {"effect": 0.71, "ci_low": 0.52, "ci_high": 0.97, "p_holm": 0.04}
    row |= {"verdict": "reproduced", "reading": "Expert-trained models err 1.4 times less."}
    row |= {"table": "tables/theta.csv", "figure": "figures/ratios.png"}
    return pd.DataFrame([row | change for change in changes or [{}]])


def all_claims():
    """Return claims of every verdict; C4 is about no pair of training sets."""
    away = {"claim": "C2", "test": "neutral", "statement": "Expert-trained models fail elsewhere."}
    far = {"effect": 2.6, "ci_low": 2.1, "ci_high": 3.2, "reading": "They err 2.6 times more."}
    near = {"effect": 1.9, "ci_low": 1.4, "ci_high": 2.6, "verdict": "undecided"}
    control = {"claim": "C2 control", "train": "random", "effect": 1.1, "verdict": "not reproduced"}
    empty = dict.fromkeys(("quantity", "train", "reference", "test", "table", "figure"))
    empty |= dict.fromkeys(("effect", "ci_low", "ci_high", "p_holm"), NOTHING)
    dynamics = {"claim": "C4", "statement": "Dynamics conserve energy.", "verdict": "no data"}
    reading = {"reading": "This study holds no dynamics."}
    return claims_of(
        {},
        away | far,
        away | near | {"quantity": "forces", "reading": "Better is shown, far better is not."},
        away | control | {"reading": "The interval holds 1 and ends below 2."},
        empty | dynamics | reading,
    )


def theta_of(*changes):
    """Return a table of effects with one row for each mapping of changed entries."""
    row = {"test": "strained", "relation": "neutral", "quantity": "energy", "metric": "mae"}
    row |= {"train": "expert", "reference": "entropy", "theta": 0.64, "effect": 1.9}
    row |= {"ci_low": 1.4, "ci_high": 2.6, "sigma_set": 0.12, "sigma_test": 0.06, "p": 0.002}
    row |= {"p_holm": 0.01, "draws": 10, "groups": 6, "n_cells": 42, "dropped": NOTHING}
    return pd.DataFrame([row | change for change in changes or [{}]])
