"""Figures of unusual data are drawn, not refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

from diverse.labels.facts import LabelFacts
from diverse.report.plotting import (
    coverage_heatmaps,
    label_panels,
    ridge_paths,
    transferability_heatmap,
)


def coverage_table(distance):
    rows = [
        {"dataset": a, "other": b, "measure": measure, "setting": "s", "environments": "all"}
        | {"value": distance[a, b] if measure == "nearest_distance" else 0.5, "n": 3}
        for measure in ("quests_overlap", "nearest_distance")
        for a, b in distance
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("self_distance", "distance"), [(2.0, 0.0), (1.0, 1.0), (np.inf, 3.0)])
def test_coverage_of_copies_and_single_environments(self_distance, distance, tmp_path):
    """One set may hold copies of another, or be as far from it as from itself."""
    table = coverage_table(
        {("a", "a"): self_distance, ("a", "b"): distance, ("b", "a"): 3.0, ("b", "b"): 1.0}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = coverage_heatmaps(table)
        figure.savefig(tmp_path / "coverage.png")
    assert len(figure.axes) == 2
    shown = [text.get_text() for text in figure.axes[1].texts]
    assert shown[1].startswith(f"{distance:.3g}"[:1])


def test_labels_of_any_origin_are_drawn(labelled, tmp_path):
    """Published labels carry no iterations; those of a potential may take no measurable time."""
    published, quick, dft = (cell.copy() for cell in labelled[:3])
    for cell, original in zip((published, quick, dft), labelled, strict=False):
        cell.calc = original.calc
    published.info = {"seconds": 0.0}
    quick.info["seconds"] = 0.0
    dft.info.update(seconds=30.0, iterations=14)
    quick.calc.results["forces"] = np.zeros((len(quick), 3))
    for cells in ({"a": [published], "b": [quick]}, {"a": [published, dft], "b": [quick]}):
        facts = {name: list(map(LabelFacts.of, members)) for name, members in cells.items()}
        figure = label_panels(facts, {"a": "literature", "b": "expert"})
        figure.savefig(tmp_path / "labels.png")
        steps = [np.sum(patch.get_data()[0]) for patch in figure.axes[0].patches]
        assert steps == pytest.approx([1, 1])  # shares: every atom is counted
    drawn = [len(marks.get_offsets()) for marks in figure.axes[1].collections]
    assert drawn == [1, 0]


@pytest.mark.parametrize(("models", "panels"), [({"auto", "given"}, ["auto"]), ({"given"}, [])])
def test_a_given_ridge_has_no_panel_beside_paths(models, panels, tmp_path):
    """Nothing was left out to choose it by; alone, such models leave a figure without curves."""
    path = {"ridge": [1.0, 10.0], "chosen": [True, False]}
    paths = {
        ("a", "auto"): pd.DataFrame(path | {"criterion": [2.0, 3.0]}),
        ("a", "given"): pd.DataFrame({"ridge": [1.0], "chosen": [True]}),
    }
    figure = ridge_paths(
        {name: paths[name] for name in paths if name[1] in models}, {"a": "expert"}
    )
    figure.savefig(tmp_path / "fits.png")
    drawn = [axis for axis in figure.axes if axis.lines]
    assert [axis.get_title() for axis in drawn] == panels
    assert len(figure.axes) == 1


@pytest.mark.parametrize("largest", [0.0, 5.0])
def test_errors_that_symmetry_makes_zero_have_a_shade(largest, tmp_path):
    rows = [
        {"train": "a", "model": "m", "quantity": quantity, "metric": "rmse", "unit": "u"}
        | {"x": 0.0, "x_low": 0.0, "x_high": 0.0, "y": largest, "y_low": 0.0, "y_high": 9.0}
        for quantity in ("energy", "forces")
    ]
    figure = transferability_heatmap(pd.DataFrame(rows), ["a"], "noise")
    figure.savefig(tmp_path / "map.png")
    assert next(text.get_text() for text in figure.axes[0].texts) == "0"
