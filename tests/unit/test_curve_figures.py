"""Figures of curves and mixtures are drawn for whatever a study has."""

import warnings

import numpy as np
import pandas as pd
import pytest

import curve_cases
from diverse.errors.curves import learning_curves, model_sizes
from diverse.errors.draws import model_classes
from diverse.errors.mixtures import baseline_gains, mixture_gains
from diverse.report.pages.mixtures import baselines_page
from diverse.report.plotting import (
    learning_curve_panels,
    mixture_panels,
    novelty_panels,
    size_panels,
)
from diverse.report.plotting.mixtures import ratio_marks

FAMILIES = curve_cases.FAMILIES | {"strained": "expert"}
MODELS = curve_cases.MODELS
CURVES = {f"{name}{size}": name for name in curve_cases.FAMILIES for size in ("450", "")}


def drawn(figure):
    """Lay a figure out with warnings as errors; return the titles of its panels."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


def levels_of(trains, draws):
    errors = curve_cases.draw_errors(trains, draws=draws)
    return curve_cases.levels(errors, curve_cases.label_rows())


@pytest.fixture(scope="module")
def levels():
    return levels_of(tuple(curve_cases.SETS), 3)


@pytest.mark.parametrize(
    ("names", "draws"),
    [(["entropy"], 1), (["expert", "random"], 3), (list(curve_cases.FAMILIES), 3)],
)
def test_curves_of_any_number_of_draws_and_families(draws, names):
    trains = [train for train, of in CURVES.items() if of in names]
    levels = levels_of(trains, draws)
    table = learning_curves(levels, curve_cases.training_sets(trains, draws), CURVES)
    figure = learning_curve_panels(table, FAMILIES, model_classes(MODELS))
    titles = drawn(figure)
    assert titles == ["own test cells", "neutral ground"] * 2
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert len(lines) == len(names) * len(MODELS)


def test_labels_that_took_no_time_are_drawn_by_environments_alone(levels):
    table = learning_curves(levels, curve_cases.training_sets(), CURVES)
    figure = learning_curve_panels(table.assign(core_hours=0.0), FAMILIES, model_classes(MODELS))
    assert drawn(figure) == ["own test cells", "neutral ground"]
    assert figure.axes[-1].get_xlabel() == "environments"


def test_a_study_without_curves_says_so(levels):
    table = learning_curves(levels, curve_cases.training_sets(), {"expert": "expert"})
    figure = learning_curve_panels(table, FAMILIES, model_classes(MODELS))
    assert drawn(figure) == []
    assert "several sizes" in figure.texts[0].get_text()


@pytest.mark.parametrize("names", [["linear4", "linear6"], list(MODELS)])
def test_sizes_of_any_models(levels, names):
    models = {name: MODELS[name] for name in names}
    whole = levels[levels["train"].isin(curve_cases.FAMILIES)]
    parameters = {"linear4": 15, "linear6": 31, "stepdown4": 1000}
    table = model_sizes(whole, parameters, models, dict.fromkeys(models, 14))
    figure = size_panels(table, FAMILIES, model_classes(models), "n_parameters")
    grounds = [f"on {name}" for name in (*curve_cases.TESTS, "neutral ground")]
    assert sorted(drawn(figure)) == sorted(grounds)
    figure = size_panels(
        table[(table["ground"] != "random") | (table["quantity"] == "energy")],
        FAMILIES,
        model_classes(models),
        "n_parameters",
    )
    drawn(figure)
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert texts == ["no data"]
    nodes = size_panels(table, FAMILIES, model_classes(models), "nodes")
    drawn(nodes)
    assert bool(nodes.axes) == ("stepdown4" in names)


def test_reference_models_are_signs_among_the_costs(levels):
    models = {name: MODELS[name] for name in ("linear4", "linear6")}
    table = model_sizes(levels, {"linear4": 15, "linear6": 31}, models, {})
    table = table[table["train"].isin(curve_cases.FAMILIES)].assign(microseconds=20.0)
    points = pd.DataFrame({"model": ["universal", "slow"], "microseconds": [1e4, np.nan]})
    points = points.assign(ground="neutral ground", quantity="energy", error=5.0)
    figure = size_panels(table, FAMILIES, model_classes(models), "microseconds", points)
    drawn(figure)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[-1] == "universal"
    far = [line for axis in figure.axes for line in axis.lines if line.get_xdata()[0] == 1e4]
    assert [(line.get_marker(), *line.get_ydata()) for line in far] == [("o", 5.0)]


@pytest.mark.parametrize("draws", [1, 3])
def test_mixtures_start_at_the_base_set(draws):
    levels = levels_of(tuple(curve_cases.SETS), draws)
    table = mixture_gains(levels, curve_cases.training_sets(draws=draws), "expert")
    figure = mixture_panels(table, FAMILIES)
    titles = drawn(figure)
    assert titles == ["on expert (home)", "on neutral ground", "on entropy", "on random"]
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    starts = [(line.get_xdata()[0], line.get_ydata()[0]) for line in curves[1:]]
    assert len(starts) == 2 * (len(MODELS) + 1)  # of two added sets, each model and all together
    assert set(starts) == {(0.0, 1.0)}


def test_a_study_without_mixtures_says_so(levels):
    sizes = curve_cases.training_sets(["expert", "entropy"])
    figure = mixture_panels(mixture_gains(levels, sizes, "expert"), FAMILIES)
    assert drawn(figure) == []
    assert "no mixtures" in figure.texts[0].get_text()


@pytest.mark.parametrize(
    ("low", "high"), [(0.98, 1.4), (0.985, 1.025), (0.1, 1.1), (0.2, 9.0), (0.6, 1.02)]
)
def test_marks_of_ratios_are_few_round_and_apart(low, high):
    marks = ratio_marks(low, high)
    assert 1 in marks
    assert 2 <= len(marks) <= 6
    assert min(np.diff(np.log(marks))) > 0.15 * np.log(high / low)


def test_baselines_are_on_their_page(levels):
    sizes = curve_cases.training_sets()
    table = baseline_gains(levels, sizes, ["expert", "entropy", "chosen"], "expert")
    page = baselines_page(table)
    assert "over those of expert alone" in page
    assert "expert + entropy + random" in page
    assert "3 of 3" in page
    assert "no training set" in baselines_page(table[:0])


def test_novelty_of_one_model_and_one_training_set_is_drawn():
    n = np.arange(8.0)
    fixed = {"model": "linear4", "train": "entropy", "value": 1 + n, "error": 10 + n}
    table = pd.DataFrame({**fixed, "low": 9 + n, "high": 12 + n})
    table = pd.concat(
        table.assign(axis=axis, quantity=quantity)
        for axis in ("novelty", "d_min")
        for quantity in ("energy", "forces")
    )
    novelty = pd.DataFrame({"train": "entropy", "novelty": [0.0, 0.5, 1.0, 2.0]})
    cells = pd.DataFrame({"test": ["entropy", "strained"], "d_min": [2.2, 2.2]})
    figure = novelty_panels(table, novelty, cells, FAMILIES)
    assert drawn(figure) == ["linear4"]
    assert len(figure.axes) == 4
    assert "no bin holds 4 of them" in words_of(novelty_panels(table[:0], novelty, cells, FAMILIES))


def words_of(figure):
    return " ".join(text.get_text() for text in figure.texts)


def test_curves_and_mixtures_on_no_ground_say_so():
    elsewhere = pd.DataFrame({"of": ["expert"], "ground": ["hot"], "model": ["linear4"]})
    elsewhere = elsewhere.assign(environments=100, core_hours=1.0)
    assert "neutral ground" in words_of(
        learning_curve_panels(elsewhere, FAMILIES, {"linear4": "linear"})
    )
    elsewhere = pd.DataFrame({"base": ["expert"], "added": ["random"], "ground": ["hot"]})
    assert "neutral ground" in words_of(mixture_panels(elsewhere, FAMILIES))
