"""Sentences that say how sure the findings are: every number of them follows from a table."""

import pandas as pd

from claim_cases import theta_of
from diverse.report.certainty import certainty

DATASETS = pd.DataFrame(
    [("entropy", 12, 90, 3600.0), ("hot", 3, 20, 5400.0)],
    columns=["dataset", "cells", "environments", "seconds"],
)
NOISE = pd.DataFrame([{"labeller": "dft", "cells": 0}])
CELLS = "15 labelled cells hold 110 environments (entropy 90, hot 20), 2.5 core hours of labelling."
UNKNOWN = "Label noise of dft: not measured."


def said(theta, left_out=()):
    return certainty(theta, DATASETS, NOISE, dict(left_out))


def test_without_effects_the_labels_remain():
    assert said(None) == said(theta_of()[:0]) == [CELLS, UNKNOWN]


def test_draws_and_both_spreads_are_told():
    theta = theta_of(
        {}, {"sigma_test": 0.3}, {"sigma_set": 0.2}, {"metric": "p95", "sigma_set": 9, "draws": 99}
    )
    drawn, spreads, *rest = said(theta)
    assert drawn.startswith("Every training set was drawn 10 times")
    assert "by a factor of 1.13, other test cells move it by 1.06 (" in spreads  # exp 0.12, 0.06
    assert spreads.endswith(
        "median over 3 effects). The training set is the larger source for 2 of them."
    )
    assert rest == [CELLS, UNKNOWN]


def test_a_single_draw_has_no_interval():
    theta = theta_of({"draws": 1, "sigma_set": float("nan"), "sigma_test": float("nan")})
    first, second, *_ = said(theta)
    assert first == "Every training set was drawn once: there are no intervals, and no verdicts."
    assert second == CELLS


def test_draws_without_halves_have_no_spread():
    first, second, *_ = said(theta_of({"sigma_set": float("nan")}))
    assert "10 times" in first
    assert second == CELLS


def test_ground_without_skill_is_named():
    theta = theta_of(
        {"test": "extremes", "relation": "no skill"},
        {"test": "extremes", "relation": "no skill", "metric": "rmse"},
        {"test": "neutral", "dropped": "extremes/cluster; strained/bct"},
        {"test": "neutral", "train": "random", "dropped": "extremes/cluster"},
        {"test": "hot", "quantity": "forces", "metric": "rmse", "relation": "no skill"},
    )
    assert said(theta)[2:-2] == [
        "For energies no model has skill (R² above zero) in groups of extremes: they stand outside "
        "every verdict.",
        "The neutral ground of energies goes without extremes/cluster and strained/bct.",
        "For forces no model has skill (R² above zero) in groups of hot: they stand outside every "
        "verdict.",
    ]


def test_quantities_without_skill_in_the_same_groups_share_a_sentence():
    useless = {"test": "extremes", "relation": "no skill"}
    theta = theta_of(useless, useless | {"quantity": "forces", "metric": "rmse"})
    assert [text for text in said(theta) if "skill" in text] == [
        "For energies and forces no model has skill (R² above zero) in groups of extremes: they "
        "stand outside every verdict."
    ]


def test_sets_that_were_left_out_are_named():
    assert said(None, {"wbe": "there is no file"}.items())[-1] == (
        "Data set wbe was left out: there is no file."
    )
