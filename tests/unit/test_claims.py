"""Verdicts on the claims, and the sentences that read them, from effects that are given."""

import numpy as np
import pandas as pd
import pytest

from diverse.errors.claims import ALIKE_MODERN, WITH_MODERN, claims_table, questions, with_holm
from diverse.errors.draws import model_classes
from diverse.errors.effects import (
    COUNTS,
    EFFECT,
    GROUPS_DRAWN,
    PAIR,
    POOLED_MODERN,
    measure_effects,
)
from diverse.errors.material import Material
from diverse.errors.spread import measure_spreads
from diverse.report.pages.effects import claims_page
from diverse.report.readings import with_readings
from draw_cases import FAMILIES, GROUPS, MODELS, TRAINS, make_study

METRICS = {"energy": "mae", "forces": "rmse"}


def effect(test, effect, low, high, *, train="expert", quantity="energy", p=0.001, **others):
    """A row of effects."""
    pair = {"train": train, "reference": "entropy", "quantity": quantity}
    numbers = {"theta": np.log(effect), "effect": effect, "ci_low": low, "ci_high": high, "p": p}
    counts = {"sigma_set": 0.1, "sigma_test": 0.1, "draws": 10, "groups": 7, "forms": 12}
    row = {"test": test, "relation": "home" if test == "expert" else "neutral", **pair, **numbers}
    return row | counts | {"metric": METRICS[quantity], "n_cells": 50, "dropped": ""} | others


def claims_of(*rows, trains=TRAINS, families=FAMILIES, dynamics=None):
    effects = pd.DataFrame(list(rows), columns=[*PAIR, *EFFECT, *GROUPS_DRAWN, *COUNTS])
    effects = with_holm(effects, trains, families)
    return with_readings(claims_table(effects, trains, families, dynamics))


def only(table, claim, quantity="energy"):
    (row,) = table[(table["claim"] == claim) & (table["quantity"] == quantity)].to_dict("records")
    return row


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict", "said"),
    [
        (
            2.1,
            2.6,
            3.2,
            "reproduced",
            "have 2.6 times smaller errors of energies on neutral ground",
        ),
        (2.1, 2.6, 3.2, "reproduced", "(95 % interval 2.1 to 3.2): far better with entropy (more"),
        (
            1.4,
            1.9,
            2.6,
            "undecided",
            "better with entropy is shown, far better (more than 2 times) is not.",
        ),
        (
            1.2,
            1.5,
            1.8,
            "not reproduced",
            "better with entropy is shown, far better (more than 2 times) is ruled",
        ),
        (
            0.8,
            1.2,
            1.7,
            "not reproduced",
            "better with entropy is not shown, far better (more than 2 times) is r",
        ),
        (
            0.5,
            1.4,
            4.0,
            "undecided",
            "better with entropy is not shown, far better (more than 2 times) is not e",
        ),
        (
            0.4,
            0.5,
            0.7,
            "not reproduced",
            "Models trained on expert have 2 times smaller errors of",
        ),
        (
            0.4,
            0.5,
            0.7,
            "not reproduced",
            "on entropy (95 % interval 1.4 to 2.5): better with entropy is ruled out.",
        ),
        (
            0.9,
            1.01,
            1.1,
            "not reproduced",
            "Errors of energies on neutral ground of models trained on entropy and on expert are "
            "alike (ratio 1.01, 95 % interval 0.9 to 1.1)",
        ),
    ],
)
def test_neutral_ground_decides_how_much_better(low, value, high, verdict, said):
    row = only(claims_of(effect("neutral", value, low, high)), "C2")
    assert row["verdict"] == verdict
    assert said in row["reading"]
    assert (row["effect"], row["ci_low"], row["ci_high"]) == (value, low, high)


def test_better_needs_its_corrected_probability():
    others = [effect("expert", 0.5, 0.4, 0.6, p=0.001)]
    row = only(claims_of(effect("neutral", 1.5, 1.01, 2.5, p=0.045), *others), "C2")
    assert row["p_holm"] == pytest.approx(0.045)
    assert "better with entropy is shown" in row["reading"]
    row = only(
        claims_of(
            effect("neutral", 1.5, 1.01, 2.5, p=0.045), effect("expert", 1.1, 0.9, 1.3, p=0.3)
        ),
        "C2",
    )
    assert row["p_holm"] == pytest.approx(0.09)
    assert "better with entropy is not shown" in row["reading"]


@pytest.mark.parametrize(
    ("low", "value", "high", "p", "verdict", "said"),
    [
        (0.4, 0.5, 0.8, 0.01, "reproduced", "have 2 times smaller errors of energies on held-out"),
        (0.4, 0.5, 0.8, 0.01, "reproduced", "to 2.5): better with expert is shown."),
        (0.4, 0.5, 0.99, 0.049, "undecided", "is not shown, for p = 0.098 after correction"),
        (0.4, 0.9, 1.8, 0.6, "undecided", "0.56 to 2.5): better with expert is not shown."),
        (1.1, 1.5, 1.8, 0.01, "not reproduced", "trained on entropy have 1.5 times smaller"),
        (1.1, 1.5, 1.8, 0.01, "not reproduced", "to 1.8): better with expert is ruled out."),
    ],
)
def test_home_ground_decides_which_is_better(low, value, high, p, verdict, said):
    other = effect("neutral", 1.1, 0.8, 1.4, p=0.4)
    row = only(claims_of(effect("expert", value, low, high, p=p), other), "C1")
    assert row["verdict"] == verdict
    assert said in row["reading"]


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict", "said"),
    [
        (
            0.3,
            0.5,
            0.8,
            "reproduced",
            "0.5 times as much with entropy as with expert (95 % interval 0.3 to",
        ),
        (0.3, 0.7, 1.8, "undecided", "neither more nor less alike is shown"),
        (1.3, 1.7, 1.9, "not reproduced", "forms behave less alike with entropy"),
    ],
)
def test_spreads_decide_how_alike_forms_are(low, value, high, verdict, said):
    pair = {"train": "entropy", "reference": "expert", "metric": "spread"}
    row = only(claims_of(effect("neutral", value, low, high) | pair), "C3")
    assert row["verdict"] == verdict
    assert said in row["reading"]


def test_a_ratio_near_one_that_is_shown_is_not_called_alike():
    row = only(claims_of(effect("neutral", 1.03, 1.02, 1.04)), "C2")
    assert "have 1.03 times smaller errors" in row["reading"]
    assert "better with entropy is shown, far better" in row["reading"]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1.1, 1.7, "1.1 to 1.7): better with entropy is shown, far"),
        (
            0.9,
            2.2,
            "0.9 to 2.2): better with entropy is shown for these groups of cells alone, ",
        ),
    ],
)
def test_what_groups_drawn_anew_would_change_is_said(low, high, said):
    wider = {"ci_groups_low": low, "ci_groups_high": high}
    row = only(claims_of(effect("neutral", 1.4, 1.2, 1.6, **wider)), "C2")
    assert f"(95 % interval 1.2 to 1.6; were groups of cells drawn, too, {said}" in row["reading"]
    worse = only(claims_of(effect("neutral", 0.6, 0.4, 0.8, **wider)), "C2")["reading"]
    assert ("ruled out for these groups of cells alone." in worse) == (low < 1 < high)


def test_probabilities_are_corrected_over_claims_and_control_and_nothing_else():
    rows = [
        effect("expert", 0.5, 0.4, 0.6, p=0.01),
        effect("neutral", 1.5, 1.2, 1.9, p=0.02),
        effect("neutral", 1.1, 0.9, 1.3, p=0.03, train="random"),
        effect("strained", 1.5, 1.2, 1.9, p=0.001),
        effect("neutral", 1.5, 1.2, 1.9, p=0.001, metric="median"),
        effect(
            "neutral", 0.5, 0.2, 0.9, p=0.001, train="entropy", reference="expert", metric="spread"
        ),
    ]
    effects = pd.DataFrame(rows, columns=[*PAIR, *EFFECT, *GROUPS_DRAWN, *COUNTS])
    effects = with_holm(effects, TRAINS, FAMILIES)
    np.testing.assert_allclose(effects["p_holm"], [0.03, 0.04, 0.04, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"draws": 1}, "There is no interval: the study has a single draw (split.draws)."),
        ({"sigma_set": np.nan}, "no model was trained on halves of the training sets."),
        ({"sigma_test": np.nan}, "no group of test cells has two trajectories."),
    ],
)
def test_without_an_interval_nothing_is_decided(change, said):
    nothing = dict.fromkeys(("low", "high", "p"), np.nan)
    for test, claim in (("neutral", "C2"), ("expert", "C1")):
        row = only(claims_of(effect(test, 2.5, **nothing, **change)), claim)
        assert row["verdict"] == "undecided"
        assert "(no interval)" in row["reading"]
        assert row["reading"].endswith(said)


def test_what_a_study_lacks_is_said():
    """Every claim has its row and its sentence, whatever the study holds."""
    table = claims_of()
    assert list(table["claim"]) == [
        "C1",
        "C1",
        "C2",
        "C2",
        "C2 control",
        "C2 control",
        "C3",
        "C3",
        "C4",
    ]
    assert set(table["verdict"]) == {"no data"}
    said = dict(zip(table["claim"], table["reading"], strict=True))
    assert said["C1"] == (
        "No model trained on both expert and entropy has an error on a test cell of "
        "expert that counts for forces."
    )
    assert "neutral to every training set counts for forces" in said["C2"]
    assert said["C3"].startswith("There are no two nonlinear models")
    assert said["C4"] == "No data: run `snakemake dynamics`."
    assert claims_page(table).count("<b>no data</b>") == len(table)
    for trains, absent in (
        (["random", "expert"], "no training set of family entropy"),
        (["entropy", "random"], "no training set of family expert or literature"),
    ):
        alone = claims_of(trains=trains)
        assert only(alone, "C2")["reading"] == f"The study has {absent}."
    alone = claims_of(trains=["entropy", "expert"])
    assert only(alone, "C2 control")["reading"].endswith("no training set of family random.")


def test_every_curated_set_has_its_claims():
    families = FAMILIES | {"published": "literature"}
    found = questions([*TRAINS, "published"], families)
    assert [q.train for q in found if q.claim == "C1"] == ["expert", "published"] * 2
    assert [q.reference for q in found if q.claim == "C3"] == ["expert", "published"] * 2


def test_claims_of_a_whole_study():
    """From errors of cells to sentences, with effects that were put in."""
    errors, cells, sizes = make_study(3, draws=4, spread=0.02)
    material = Material.of(errors, cells, sizes, classes=model_classes(MODELS), families=FAMILIES)
    effects, _ = measure_effects(material, TRAINS, "entropy")
    spreads = measure_spreads(material, "entropy", ["random", "expert"])
    effects = with_holm(pd.concat([effects, spreads]), TRAINS, FAMILIES)
    table = with_readings(claims_table(effects, TRAINS, FAMILIES))
    verdicts = {(row.claim, row.quantity): row.verdict for row in table.itertuples()}
    assert verdicts == {
        **{("C1", "energy"): "reproduced", ("C1", "forces"): "reproduced"},
        **{("C2", "energy"): "reproduced", ("C2", "forces"): "reproduced"},
        **{("C2 control", "energy"): "not reproduced", ("C2 control", "forces"): "not reproduced"},
        **{("C3", "energy"): "reproduced", ("C3", "forces"): "reproduced", ("C4", ""): "no data"},
    }
    assert not table["definition"].str.contains("{", regex=False).any()
    assert effects["p_holm"].notna().sum() == 6


def test_modern_forms_decide_nothing_but_the_claim_that_names_them():
    errors, cells, sizes = make_study(2, draws=3)
    (other, *_) = [name for name, kind in model_classes(MODELS).items() if kind == "linear"]
    pod = errors[errors["model"] == other].assign(model="pod")
    pod.loc[pod["train"] == "entropy", ["energy_error", "forces_squared"]] *= 1e-4
    models = {**MODELS, "pod": {"family": "pod"}}

    def found(errors, models):
        classes = model_classes(models)
        material = Material.of(errors, cells, sizes, classes=classes, families=FAMILIES)
        effects, ratios = measure_effects(material, TRAINS, "entropy")
        spreads = measure_spreads(material, "entropy", ["random", "expert"])
        effects = with_holm(pd.concat([effects, spreads]), TRAINS, FAMILIES)
        return effects, ratios, with_readings(claims_table(effects, TRAINS, FAMILIES))

    _, ratios, claims = found(errors, MODELS)
    effects, with_pod, all_claims = found(pd.concat([errors, pod]), models)
    own = all_claims["claim"].isin([WITH_MODERN, ALIKE_MODERN])
    pd.testing.assert_frame_equal(all_claims[~own].reset_index(drop=True), claims)
    pd.testing.assert_frame_equal(
        with_pod[with_pod["model"] != "pod"].reset_index(drop=True), ratios
    )
    assert list(all_claims.loc[own, "train"]) == ["expert"] * 2 + ["entropy"] * 2
    assert only(all_claims, WITH_MODERN)["effect"] > only(all_claims, "C2")["effect"]
    assert only(all_claims, WITH_MODERN)["reading"].startswith("With modern forms: models trained")
    chosen = effects[(effects["test"] == POOLED_MODERN) & (effects["metric"] == "mae")]
    of_paper = effects[(effects["test"] == "neutral") & (effects["metric"] == "mae")]
    expert = with_pod[(with_pod["test"] == "neutral") & (with_pod["train"] == "expert")]
    mean = {row.train: row for row in of_paper.itertuples()}
    for row in chosen.itertuples():
        assert row.forms == mean[row.train].forms + 1
        assert np.isfinite(row.p_holm) == (row.train == "expert")
    (ratio,) = expert[(expert["model"] == "pod") & (expert["quantity"] == "energy")]["ratio"]
    n = len(set(model_classes(MODELS).values()))
    (theta,) = chosen[chosen["train"] == "expert"]["theta"]
    expected = (n * mean["expert"].theta + np.log(ratio)) / (n + 1)  # a mean over classes
    assert theta == pytest.approx(expected, rel=1e-9)
    spread = effects[(effects["metric"] == "spread") & (effects["quantity"] == "energy")]
    alone, both = (spread[spread["test"] == test] for test in ("neutral", POOLED_MODERN))
    assert (both["forms"].to_numpy() == alone["forms"].to_numpy() + 1).all()
    of_claim = only(all_claims, ALIKE_MODERN)
    assert of_claim["effect"] == both[both["reference"] == "expert"]["effect"].item()
    assert of_claim["effect"] > 2 * only(all_claims, "C3")["effect"]  # a form far from the others
    assert of_claim["reading"].startswith("With modern forms: the errors of energies spread over")


def test_no_neutral_ground_is_no_data():
    groups = {
        name: of for name, of in GROUPS.items() if name not in ("strained", "extremes", "hot")
    }
    errors, cells, sizes = make_study(draws=2, groups=groups)
    material = Material.of(errors, cells, sizes, classes=model_classes(MODELS), families=FAMILIES)
    effects, _ = measure_effects(material, TRAINS, "entropy")
    assert measure_spreads(material, "entropy", ["expert"]).empty
    table = with_readings(claims_table(with_holm(effects, TRAINS, FAMILIES), TRAINS, FAMILIES))
    assert only(table, "C2")["verdict"] == only(table, "C3")["verdict"] == "no data"
    assert only(table, "C1")["verdict"] != "no data"


def test_an_end_near_one_is_told_from_one():
    row = only(claims_of(effect("neutral", 1.28, 1.043, 1.561)), "C2")
    assert "(95 % interval 1.04 to 1.6)" in row["reading"]


def dynamics_of(*slopes, **changes):
    """A table of dynamics, one potential trained on entropy for each slope."""
    row = {"train": "entropy", "potential": "0123456789abcdef", "departure": np.nan}
    row |= {"largest": 15.0, "failed": 0, "reason": ""}
    row |= {"origin": "this study", "same_potential": True} | changes
    models = [{"model": f"linear{number}", "slope": slope} for number, slope in enumerate(slopes)]
    return pd.DataFrame([row | model for model in models])


@pytest.mark.parametrize(
    ("slopes", "verdict", "said"),
    [
        ([2.0, 2.01, 1.99], "reproduced", "the power 2.00 of the time step (95 % interval 1.98 to"),
        ([2.0, 2.01, 1.99], "reproduced", "is shown. No model departs from its line up to 15 fs."),
        ([1.5, 1.51, 1.49], "not reproduced", "second order in the time step is ruled out"),
        ([2.5, 2.51, 2.49], "not reproduced", "second order in the time step is ruled out"),
        ([1.7, 2.0, 2.3], "undecided", "second order in the time step is not shown"),
        ([2.0], "undecided", "(no interval): second order in the time step is not shown."),
        ([2.0], "undecided", "There is no interval: a single model was run."),
    ],
)
def test_the_order_of_conservation_decides_dynamics(slopes, verdict, said):
    other = dynamics_of(3.0, train="expert")
    row = only(claims_of(dynamics=pd.concat([other, dynamics_of(*slopes)])), "C4", "")
    assert row["verdict"] == verdict
    assert said in row["reading"]
    assert row["effect"] == pytest.approx(np.mean(slopes))
    assert (row["table"], row["figure"]) == ("tables/dynamics.csv", "figures/dynamics.png")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"departure": 12.0}, "2 of 2 models depart from their line, the first at 12 fs."),
        ({"origin": "released"}, "The runs are released ones, of these very potentials."),
        (
            {"origin": "released", "same_potential": False},
            "this study's potentials have other bytes for linear0 (released 0123456789abcdef), ",
        ),
    ],
)
def test_what_is_known_of_the_runs_is_said(changes, said):
    row = only(claims_of(dynamics=dynamics_of(2.0, 2.01, **changes)), "C4", "")
    assert said in row["reading"]


def test_potentials_that_failed_are_named():
    lost = dynamics_of(np.nan, failed=9, reason="energy jump of 3.1 eV/atom")
    row = only(claims_of(dynamics=lost), "C4", "")
    assert row["verdict"] == "no data"
    assert "failed: energy jump of 3.1 eV/atom" in row["reading"]
    row = only(claims_of(dynamics=pd.concat([dynamics_of(2.0, 2.01), lost])), "C4", "")
    assert row["verdict"] == "undecided"
    assert "no interval: linear0 failed (energy jump of 3.1 eV/atom)." in row["reading"]
