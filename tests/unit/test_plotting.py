"""Figures of unusual data are drawn, not refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

from diverse.plotting import coverage_heatmaps


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
