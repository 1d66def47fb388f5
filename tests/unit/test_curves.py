"""Levels of error, learning curves, sizes of models, mixtures: against numbers known beforehand."""

import numpy as np
import pandas as pd
import pytest

import curve_cases
from diverse.errors.curves import (
    hidden_nodes,
    last_steps,
    learning_curves,
    model_sizes,
    on_the_same_cells,
    set_sizes,
)
from diverse.errors.ground import test_groups as groups_of
from diverse.errors.levels import (
    NEUTRAL_GROUND,
    balanced_levels,
    errors_by_set,
    ground_levels,
    over_draws,
)
from diverse.errors.mixtures import (
    base_set,
    baseline_gains,
    changes,
    find_mixtures,
    gains,
    mixture_gains,
)

CURVES = {f"{name}{size}": name for name in curve_cases.FAMILIES for size in ("450", "")}


@pytest.fixture(scope="module")
def cells():
    return curve_cases.label_rows()


@pytest.fixture(scope="module")
def levels(cells):
    return curve_cases.levels(curve_cases.draw_errors(), cells)


def one_group(**columns):
    """Return the label table of five cells of one group."""
    names = {"test": "t", "cell": range(5), "group": "g", "trajectory": "g"}
    return pd.DataFrame({**names, "n_atoms": [2, 4, 1, 1, 1], "energy": np.arange(5.0), **columns})


def test_levels_are_of_mean_absolute_energies_and_of_rms_force_components():
    """Two cells of one group: |3|, |-1| meV/atom; 6 and 12 components of 2 and 4 (meV/Å)²."""
    cells = one_group(forces_squared=[6.0, 12.0, 1e-9, np.nan, 6.0])
    common = {"train": "a", "model": "m", "draw": 0, "part": "whole", "test": "t", "group": "g"}
    errors = pd.DataFrame(
        {**common, "cell": [0, 1, 2, 3], "seed": 0, "energy_error": [3.0, -1.0, 2.0, -2.0]}
        | {"forces_squared": [12.0, 48.0, 99.0, np.nan], "n_atoms": [2, 4, 1, 1]}
    )
    other = errors.assign(energy_error=50.0)
    errors = pd.concat([errors, other.assign(part="a"), other.assign(seed=1)])
    groups = {q: groups_of(cells, q, np.ones(5, bool)) for q in ("energy", "forces")}
    by_set = errors_by_set(errors, cells, ["m"])
    table = ground_levels(by_set, cells, {"m": "linear"}, {"t": groups}, {})
    level = table.set_index(["ground", "quantity"])["level"]
    assert np.exp(level["t", "energy"]) == pytest.approx(2.0)
    assert np.exp(level["t", "forces"]) == pytest.approx(np.sqrt(60 / 18))


def test_every_group_of_a_ground_counts_alike(cells):
    errors = curve_cases.draw_errors(["expert"], ["linear4"], draws=1)
    errors.loc[errors["group"] == "eos", "energy_error"] *= np.e
    level = curve_cases.levels(errors, cells).set_index(["ground", "quantity"])["level"]
    expected = curve_cases.level("expert", "linear4", 0, "expert", "energy") + 0.5
    assert level["expert", "energy"] == pytest.approx(expected)


def test_grounds_are_the_test_sets_and_what_is_neutral_with_skill(cells):
    """Groups whose energies no model has skill on are on no ground, for forces neither."""
    errors = curve_cases.draw_errors()
    errors.loc[errors["group"] == "hcp", "energy_error"] *= 1e6
    found = curve_cases.find(errors, cells)
    assert list(found) == ["expert", "entropy", "random", "strained", NEUTRAL_GROUND]
    neutral = {q: [g.name for g in groups] for q, groups in found[NEUTRAL_GROUND].items()}
    assert neutral == {"energy": ["fcc", "smaller groups"], "forces": ["fcc"]}


def test_a_study_without_neutral_groups_has_no_neutral_ground(cells):
    errors = curve_cases.draw_errors(["entropy"], ["linear4"])
    errors, cells = (table[table["test"] == "random"] for table in (errors, cells))
    cells = cells.reset_index(drop=True)
    assert curve_cases.levels(errors, cells)["ground"].unique().tolist() == ["random"]


def test_levels_over_draws_are_a_geometric_mean_and_a_standard_deviation():
    levels = pd.DataFrame({"train": "a", "draw": [0, 1, 2], "level": np.log([1.0, 2.0, 4.0])})
    row = over_draws(levels, ["train"], "error").iloc[0]
    assert row[["error", "low", "high", "draws"]].tolist() == pytest.approx([2.0, 1.0, 4.0, 3])
    single = over_draws(levels[:1], ["train"], "error").iloc[0]
    assert single["error"] == 1
    assert np.isnan(single["low"])
    assert np.isnan(single["high"])


def test_sizes_are_means_over_draws_and_sums_over_sources():
    sizes = set_sizes(curve_cases.training_sets())
    assert sizes.loc["added", "environments"] == pytest.approx(2200)
    assert sizes.loc["added", "core_hours"] == pytest.approx(1800 * 0.01 + 400 * 0.02)
    assert sizes.loc["added", "sources"] == "expert + entropy"
    assert sizes.loc["random450", "sources"] == "random"


def test_a_learning_curve_has_its_sizes_in_order_and_its_cost(levels):
    curves = learning_curves(levels, curve_cases.training_sets(), CURVES)
    key = ["of", "model", "ground", "quantity"]
    curve = curves.set_index(key).loc[("entropy", "linear6", "entropy", "energy")]
    assert curve["train"].tolist() == ["entropy450", "entropy"]
    assert curve["core_hours"].tolist() == pytest.approx([9, 36])
    expected = [
        np.exp(np.mean([curve_cases.level(t, "linear6", b, "entropy", "energy") for b in range(3)]))
        for t in ("entropy450", "entropy")
    ]
    assert curve["error"].tolist() == pytest.approx(expected)
    assert set(curves["train"]) == set(CURVES)
    assert set(curves["unit"]) == {"meV/atom", "meV/Å"}


def test_points_of_some_draws_are_freed_of_the_test_cells_of_these_draws(levels):
    """Draw 2 has harder test cells, for all sets alike; the small sets lack it."""
    harder = levels.assign(level=levels["level"] + 2.0 * (levels["draw"] == 2))
    small = ~harder["train"].isin(curve_cases.FAMILIES)
    fewer = harder[~(small & (harder["draw"] == 2))]
    sizes = curve_cases.training_sets()
    key = ["of", "train", "model", "ground", "quantity"]
    there = learning_curves(fewer, sizes, CURVES).set_index(key)["error"]
    level = curve_cases.level
    of = ("linear6", 0, "entropy", "energy"), ("linear6", 1, "entropy", "energy")
    whole = [level("entropy", "linear6", b, "entropy", "energy") for b in range(3)]
    shift = np.mean(whole) + 2 / 3 - np.mean(whole[:2])
    expected = np.exp(np.mean([level("entropy450", *rest) for rest in of]) + shift)
    found = there.loc[("entropy", "entropy450", "linear6", "entropy", "energy")]
    assert found == pytest.approx(expected)
    whole_set = there.loc[("entropy", "entropy", "linear6", "entropy", "energy")]
    assert whole_set == pytest.approx(np.exp(np.mean(whole) + 2 / 3))


def test_the_last_step_of_a_curve_is_compared_and_a_hardly_larger_set_is_none(levels):
    curves = learning_curves(levels, curve_cases.training_sets(), CURVES)
    names = ["of", "model", "ground", "quantity"]
    key = ("expert", "linear6", "neutral ground", "forces")
    steps = last_steps(curves).set_index(names)
    points = curves.set_index([*names, "train"]).sort_index().loc[key]
    small, large = points.loc["expert450"], points.loc["expert"]
    step = steps.loc[key]
    assert step["left"] == pytest.approx(large["error"] / small["error"])
    assert step["environments_before"] == 450
    assert step["known"]
    assert step["flat"] == (small["low"] <= large["error"] <= small["high"])
    assert set(steps.index.get_level_values("ground")) == {*curve_cases.FAMILIES, "neutral ground"}
    flat = curves.assign(low=0.0, high=1e9)
    assert last_steps(flat)["flat"].all()
    grown = curves["environments"].where(curves["train"].isin(curve_cases.FAMILIES), 1700)
    assert last_steps(curves.assign(environments=grown)).empty


def test_a_model_of_one_size_has_no_curve(levels):
    whole = levels[(levels["model"] != "stepdown4") | levels["train"].isin(curve_cases.FAMILIES)]
    curves = learning_curves(whole, curve_cases.training_sets(), CURVES)
    assert set(curves["model"]) == {"linear4", "linear6"}
    none = {name: name for name in curve_cases.FAMILIES}
    assert learning_curves(levels, curve_cases.training_sets(), none).empty


def test_models_have_a_size(levels):
    models, given = curve_cases.MODELS, {"family": "network", "widths": [8, 4]}
    assert hidden_nodes(models["linear4"], 14) == 0
    assert hidden_nodes(models["stepdown4"], 14) == 32 + 16 + 8
    assert hidden_nodes(given, 14) == 12
    parameters = {"linear4": 15, "linear6": 31, "stepdown4": 1000}
    whole = levels[levels["train"].isin(curve_cases.FAMILIES)]
    table = model_sizes(whole, parameters, models, dict.fromkeys(models, 14))
    assert len(table) == 5 * 2 * 3 * 3  # grounds, quantities, training sets, models
    rows = table.set_index(["ground", "quantity", "train"]).loc[("random", "forces", "expert")]
    assert rows["n_parameters"].tolist() == [15, 31, 1000]
    assert rows["nodes"].tolist() == [0, 0, 56]
    assert rows["error"].iloc[0] > rows["error"].iloc[1]


def test_the_base_set_is_the_one_that_no_sampler_made():
    assert base_set({"entropy": "entropy", "mine": "literature", "e": "expert"}) == "mine"
    assert base_set({"random": "random", "entropy": "entropy"}) == "random"


def test_mixtures_are_of_the_base_set_and_one_other():
    found = find_mixtures(curve_cases.training_sets(), "expert")
    assert list(found.index) == ["replaced", "added", "added_random"]
    assert found["added"].tolist() == ["entropy", "entropy", "random"]
    assert found["growth"].tolist() == ["constant", "growing", "growing"]
    assert found["added_environments"].tolist() == pytest.approx([450, 400, 400])
    assert found["environments"].tolist() == pytest.approx([1800, 2200, 2200])
    assert found["added_core_hours"].tolist() == pytest.approx([9, 8, 8])
    assert find_mixtures(curve_cases.training_sets(["expert", "entropy"]), "expert").empty


def test_changes_are_paired_by_draw(levels):
    part = changes(levels, "expert")
    assert part[part["train"] == "expert"]["level"].abs().max() == 0
    row = part[(part["train"] == "added") & (part["model"] == "linear4") & (part["draw"] == 2)]
    row = row[(row["ground"] == "entropy") & (row["quantity"] == "forces")]
    pair = [curve_cases.level(t, "linear4", 2, "entropy", "forces") for t in ("added", "expert")]
    assert row["level"].item() == pytest.approx(pair[0] - pair[1])


def test_gains_average_models_of_a_class_then_classes(levels):
    table = gains(levels, ["added"], "expert")
    rows = table[(table["ground"] == "entropy") & (table["quantity"] == "energy")]
    logs = np.log(rows.set_index("model")["ratio"])
    expected = ((logs["linear4"] + logs["linear6"]) / 2 + logs["stepdown4"]) / 2
    assert logs["all"] == pytest.approx(expected)
    assert rows["draws"].tolist() == [3] * 4


def test_gains_count_the_draws_that_improve():
    common = {"model": "m", "class": "A", "ground": "g", "quantity": "energy", "draw": [0, 1, 2]}
    base = pd.DataFrame({**common, "train": "base", "level": [0.0, 1.0, 2.0]})
    more = pd.DataFrame({**common, "train": "more", "level": [-0.5, 0.5, 2.5]})
    row = gains(pd.concat([base, more]), ["more"], "base").iloc[0]
    assert row["improved"] == 2
    assert row["ratio"] == pytest.approx(np.exp(-0.5 / 3))
    assert row["high"] / row["ratio"] == pytest.approx(np.exp(np.std([-0.5, -0.5, 0.5], ddof=1)))


def test_mixture_rows_say_what_was_added(levels):
    table = mixture_gains(levels, curve_cases.training_sets(), "expert")
    assert set(table["train"]) == {"replaced", "added", "added_random"}
    assert set(table["base"]) == {"expert"}
    assert set(table["model"]) == {*curve_cases.MODELS, "all"}
    sets = curve_cases.training_sets(["expert", "entropy"])
    assert mixture_gains(levels, sets, "expert").empty


def test_baselines_are_rows_of_all_models_together(levels):
    table = baseline_gains(
        levels, curve_cases.training_sets(), ["expert", "entropy", "added", "chosen"], "expert"
    )
    assert table["train"].unique().tolist() == ["entropy", "chosen"]
    assert len(table) == 2 * 5 * 2
    chosen = table[table["train"] == "chosen"].iloc[0]
    assert chosen["sources"] == "expert + entropy + random"
    assert chosen["environments"] == pytest.approx(1800)


def test_a_draw_without_a_group_does_not_stand_apart():
    """Groups of 1 and 1000 meV: three draws, the second group has no test cell in the last."""
    logs = np.log([[[1.0, 1000.0]], [[2.0, 2000.0]], [[1.5, np.nan]]])
    levels = balanced_levels(logs)[:, 0]
    of_group = [np.log(3.0) / 3, (np.log(1000) + np.log(2000)) / 2]
    assert levels.mean() == pytest.approx(np.mean(of_group), abs=0.1)
    assert levels[1] - levels[0] == pytest.approx(np.log(2))
    assert levels[0] < levels[2] < levels[1]


def test_a_set_without_a_group_of_the_one_beside_it_is_balanced_by_that_one():
    """The same models in draws 0 to 2 of ten; these have no test cell of the second group."""
    whole = np.zeros((10, 1, 2))
    whole[:, 0, 0] = np.linspace(0, 0.9, 10)
    whole[:3, 0, 1], whole[3:, 0, 1] = np.nan, 2.0
    some = np.where(np.arange(10)[:, None, None] < 3, whole, np.nan)
    rows = {"model": "m", "ground": "g", "quantity": "energy"}
    found = [
        pd.DataFrame({"draw": range(10), "level": balanced_levels(*logs)[:, 0]}).assign(train=train)
        for train, logs in {"set": (whole,), "set100": (some, whole)}.items()
    ]
    members = pd.concat(found).dropna().assign(of="set", **rows)
    levels = on_the_same_cells(members.reset_index(drop=True)).groupby("train")["level"].mean()
    assert levels["set100"] == pytest.approx(levels["set"])
    assert balanced_levels(whole, whole) == pytest.approx(balanced_levels(whole))


def test_groups_of_another_table_of_cells_are_refused(cells):
    """A pool of cells that nothing is tested on stands in the table, and not among the grounds."""
    errors = curve_cases.draw_errors(["expert"], ["linear4"], draws=1)
    grounds = curve_cases.find(errors, cells)
    pool = cells.iloc[:5].assign(test="pool")
    longer = pd.concat([pool, cells], ignore_index=True)
    by_set = errors_by_set(errors, longer, ["linear4"])
    with pytest.raises(ValueError, match="numbers the rows of another table of cells"):
        ground_levels(by_set, longer, {"linear4": "linear"}, grounds, {})
