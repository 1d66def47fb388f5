"""Novelty of test cells, and errors against it: against distances and medians known beforehand."""

import numpy as np
import pandas as pd
import pytest

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.whitening import Whitening
from diverse.diversity import cell_novelty
from diverse.errors.novelty import binned_medians, error_by_novelty, largest_of_class
from diverse.kernel import BispectrumSettings
from diverse.structures import with_info

DESCRIPTOR = BispectrumSettings(4, 4.7)


def test_novelty_is_the_distance_to_the_nearest_training_environment(labelled):
    labelled = [with_info(cell, {**cell.info, "key": f"k{n}"}) for n, cell in enumerate(labelled)]
    training, test = labelled[:12], [labelled[3], labelled[20]]
    whitening = Whitening.of(environment_descriptors(labelled, DESCRIPTOR))
    table = cell_novelty(training, test, DESCRIPTOR, whitening)
    assert table["key"].tolist() == ["k3", "k20"]
    assert table["novelty"][0] == pytest.approx(0, abs=1e-9)
    own, others = (
        whitening(environment_descriptors(cells, DESCRIPTOR)) for cells in (test[1:], training)
    )
    nearest = np.linalg.norm(own[:, None] - others, axis=2).min(axis=1)
    assert table["novelty"][1] == pytest.approx(nearest.mean())
    assert table["largest_novelty"][1] == pytest.approx(nearest.max())


def test_a_test_set_may_be_empty_but_no_training_set(labelled):
    whitening = Whitening.none(DESCRIPTOR.n_components)
    assert cell_novelty(labelled[:2], [], DESCRIPTOR, whitening).empty
    with pytest.raises(ValueError, match="the training set holds no cells"):
        cell_novelty([], labelled[:2], DESCRIPTOR, whitening)


def test_the_largest_model_of_each_class_is_taken():
    classes = {"small": "linear", "large": "linear", "net": "A", "untrained": "B"}
    parameters = {"small": 15, "large": 31, "net": 1000}
    assert largest_of_class(parameters, classes) == ["large", "net"]


def known_errors():
    """Return errors, cells and novelty: 40 cells, novelty n / 10, energies off by n meV/atom."""
    n = np.arange(40)
    named = {"test": "t", "cell": n}
    cells = pd.DataFrame({**named, "key": [f"k{i}" for i in n], "group": "g", "n_atoms": 2})
    forces = np.where(n < 4, 0.0, 6.0)
    cells = cells.assign(d_min=3.0 - n / 40, energy=-8.0, forces_squared=forces)
    common = {"train": "a", "model": "m", "draw": 0, "part": "whole", "seed": 0}
    errors = pd.DataFrame({**named, **common, "n_atoms": 2, "energy_error": -1.0 * n})
    errors = errors.assign(forces_squared=24.0)
    novelty = cells[["test", "key"]].assign(train="a", novelty=n / 10)
    return errors, cells, novelty


def test_errors_stand_beside_the_novelty_of_their_cell():
    errors, cells, novelty = known_errors()
    others = [errors.assign(draw=1), errors.assign(part="a"), errors.assign(seed=1)]
    others.append(errors.assign(model="other"))
    twice = pd.concat([novelty, novelty])  # one structure, two cells of a test set
    rows = error_by_novelty(pd.concat([errors, *others]), cells, twice, ["m"])
    counts = rows["quantity"].value_counts()
    assert counts.to_dict() == {"energy": 40, "forces": 36}  # four cells have no forces by symmetry
    energy = rows[rows["quantity"] == "energy"]
    np.testing.assert_allclose(energy["error"], 10 * energy["novelty"])
    np.testing.assert_allclose(rows.loc[rows["quantity"] == "forces", "error"], 2.0)


def test_bins_are_octiles_and_hold_medians():
    rows = error_by_novelty(*known_errors(), ["m"])
    rows = rows[rows["quantity"] == "energy"]
    table = binned_medians(rows)
    novelty = table[table["axis"] == "novelty"]
    assert novelty["n_cells"].tolist() == [5] * 8
    assert novelty["error"].tolist() == pytest.approx([2, 7, 12, 17, 22, 27, 32, 37])
    assert novelty["value"].tolist() == pytest.approx(novelty["error"] / 10)
    assert novelty[["low", "high"]].iloc[0].tolist() == pytest.approx([1, 3])
    correlations = table.groupby("axis")["rank_correlation"].unique()
    assert correlations["novelty"] == pytest.approx([1])
    assert correlations["d_min"] == pytest.approx([-1])


def test_bins_with_few_cells_are_left_out_and_equal_errors_have_no_correlation():
    errors, cells, novelty = known_errors()
    rows = error_by_novelty(errors.assign(energy_error=5.0), cells, novelty, ["m"])
    few = rows[(rows["quantity"] == "energy") & (rows["novelty"] < 1.1)]
    table = binned_medians(pd.concat([few, few[:1].assign(train="b")]))
    assert table.empty  # eleven cells in eight bins
    table = binned_medians(rows[rows["quantity"] == "energy"])
    assert table["rank_correlation"].isna().all()
