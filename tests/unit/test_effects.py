"""Effects over draws, against a few independent lines, closed forms and known effects."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from diverse.errors.draws import model_classes, read_cells, read_errors, read_table
from diverse.errors.effects import measure_effects, reference_set
from diverse.errors.ground import Group, relation
from diverse.errors.material import SIZES, Ground, Material, _shrink
from diverse.errors.spread import measure_spreads, seed_variance
from diverse.errors.theta import (
    Logs,
    estimate,
    holm,
    log_errors,
    mean_of_finite,
    theta,
    trajectory_weights,
    without_offset,
)
from diverse.report.pages.effects import ratios_page
from diverse.report.plotting import ratio_dots
from draw_cases import AWAY, FAMILIES, GROUPS, MODELS, TRAINS, make_study

CLASSES = model_classes(MODELS)


def material_of(errors, cells, sizes):
    return Material.of(errors, cells, sizes, classes=CLASSES, families=FAMILIES)


def row_of(table, **names):
    """The only row with these entries."""
    chosen = table
    for column, value in names.items():
        chosen = chosen[chosen[column] == value]
    (row,) = chosen.to_dict("records")
    return row


@pytest.fixture(scope="module")
def study():
    return make_study()


@pytest.fixture(scope="module")
def small():
    """A study of two draws."""
    return make_study(draws=2)


@pytest.fixture(scope="module")
def effects(study):
    return measure_effects(material_of(*study), TRAINS, "entropy")


NEUTRAL = {"hot": ["liquid"], "strained": list(GROUPS["strained"]), "extremes": ["contact"]}


def theta_by_hand(errors, part, power):
    """Theta of expert over entropy on neutral ground, by draw."""
    chosen = errors[(errors["part"] == part) & (errors["seed"] == 0)]
    chosen = pd.concat(
        chosen[(chosen["test"] == test) & chosen["group"].isin(groups)]
        for test, groups in NEUTRAL.items()
    )
    if power == 1:
        sizes = chosen["energy_error"].abs()
    else:
        sizes = chosen["forces_squared"] / (3 * chosen["n_atoms"])  # all cells have as many atoms
    keys = [chosen[name] for name in ("train", "model", "draw", "test", "group")]
    logs = np.log(sizes.groupby(keys).mean()) / power
    delta = (
        (logs["expert"] - logs["entropy"]).groupby(["model", "draw"]).mean().reset_index(name="x")
    )
    delta["class"] = delta["model"].map(CLASSES)
    return delta.groupby(["draw", "class"])["x"].mean().groupby("draw").mean()


@pytest.mark.parametrize(
    ("quantity", "metric", "power"), [("energy", "mae", 1), ("forces", "rmse", 2)]
)
def test_theta_and_its_interval_by_a_few_lines(study, effects, quantity, metric, power):
    errors, cells, sizes = study
    names = {"test": "neutral", "quantity": quantity, "metric": metric, "train": "expert"}
    row = row_of(effects[0], **names)
    whole, a, b = (theta_by_hand(errors, part, power) for part in ("whole", "a", "b"))
    environments = sizes.groupby(["train", "part"])["environments"].mean()
    trains = ("entropy", "expert")
    pools = cells.groupby("test")["n_atoms"].sum()
    shares = {t: min(1, environments[t, "whole"] / pools[t]) for t in trains}
    shrink = max(
        (environments[t, "a"] + environments[t, "b"])
        / (2 * environments[t, "whole"])
        * (shares[t] + (1 - shares[t]) / 10)
        for t in trains
    )
    sigma_set = np.sqrt(shrink * ((a - b) ** 2).mean() / 2)
    assert row["theta"] == pytest.approx(whole.mean(), rel=1e-12)
    assert row["sigma_set"] == pytest.approx(sigma_set, rel=1e-12)
    reach = student.ppf(0.975, 9) * np.hypot(sigma_set, row["sigma_test"])
    ends = np.exp([whole.mean(), whole.mean() - reach, whole.mean() + reach])
    np.testing.assert_allclose([row["effect"], row["ci_low"], row["ci_high"]], ends, rtol=1e-12)
    p = 2 * student.sf(whole.mean() / np.hypot(sigma_set, row["sigma_test"]), 9)
    assert row["p"] == pytest.approx(p, rel=1e-9)
    assert (row["draws"], row["groups"], row["forms"], row["n_cells"]) == (10, 6, 5, 48)
    assert row["dropped"] == "extremes/cluster"


def test_the_bootstrap_of_trajectories_has_the_variance_of_a_mean():
    rng, values = np.random.default_rng(3), np.array([0.0, 1.0, 5.0, 6.0, 9.0])
    cells = pd.DataFrame({"group": "g", "trajectory": list("abcde")})
    group = Group("t", "g", ("g",), np.arange(5))
    weights = trajectory_weights([group], cells, seed=int(rng.integers(99)))
    means = weights @ values / weights.sum(axis=1)
    assert np.var(means) == pytest.approx(values.var(ddof=1) / 5, rel=0.1)
    single = trajectory_weights([Group("t", "g", ("g",), np.array([2]))], cells)
    assert (single[:, 2] == 1).all()


def test_the_interval_if_groups_were_drawn_too(study):
    """By a few lines: groups of the neutral ground, each averaged over forms, classes and draws."""
    errors, cells, sizes = study
    changed = {"distorted_fcc": 9.0, "contact": 0.1}
    factor = errors["group"].map(changed).where(errors["train"] == "expert")
    errors = errors.assign(energy_error=errors["energy_error"] * factor.fillna(1.0))
    effects = measure_effects(material_of(errors, cells, sizes), TRAINS, "entropy")
    chosen = errors[(errors["part"] == "whole") & (errors["seed"] == 0)]
    chosen = pd.concat(
        chosen[(chosen["test"] == test) & chosen["group"].isin(groups)]
        for test, groups in NEUTRAL.items()
    )
    keys = [chosen[name] for name in ("train", "model", "draw", "test", "group")]
    logs = np.log(chosen["energy_error"].abs().groupby(keys).mean())
    delta = (logs["expert"] - logs["entropy"]).groupby(["model", "test", "group"]).mean()
    delta = delta.reset_index(name="x")
    of_class = delta.groupby([delta["model"].map(CLASSES), "test", "group"])["x"].mean()
    by_group = of_class.groupby(["test", "group"]).mean()
    row = row_of(effects[0], test="neutral", quantity="energy", metric="mae", train="expert")
    sigma = np.hypot(row["sigma_set"], by_group.std(ddof=1) / np.sqrt(6))
    reach = student.ppf(0.975, 5) * sigma
    ends = np.exp([row["theta"] - reach, row["theta"] + reach])
    assert [row["ci_groups_low"], row["ci_groups_high"]] == pytest.approx(ends)
    single = row_of(effects[0], test="hot", relation="neutral", metric="mae", train="expert")
    assert single["groups"] == 1
    assert np.isnan(single["ci_groups_low"])


def test_draws_that_share_cells_are_worth_less_than_draws_that_do_not():
    """A sum over cells is linear: its mean over draws is that of the pool, were there many."""
    rng, n, size, draws = np.random.default_rng(5), 40, 30, 10
    sizes = pd.DataFrame(
        [
            {"train": "x", "draw": draw, "part": part, "source": "x", "environments": count}
            for draw in range(draws)
            for part, count in (("whole", size), ("a", size // 2), ("b", size // 2))
        ]
    )
    shrink = _shrink(sizes, pd.Series({"x": n}))
    pools = rng.normal(size=(4000, n))
    order = np.argsort(rng.uniform(size=(4000, draws, n)), axis=-1)[..., :size]
    means = np.take_along_axis(pools[:, None], order, axis=-1).mean(axis=(1, 2))
    assert means.var() == pytest.approx(shrink / (size / 2), rel=0.1)


def test_sigma_test_is_that_of_a_bootstrap_of_trajectories(study, effects):
    """Trajectories, not cells, are drawn: `hot` has two cells of each."""
    errors = study[0]
    chosen = errors[
        (errors["part"] == "whole") & (errors["seed"] == 0) & (errors["model"] == "linear4")
    ]
    chosen = chosen[chosen["group"] == "liquid"].assign(
        size=lambda rows: rows["energy_error"].abs()
    )
    cells = chosen.pivot_table(
        index=["train", "draw"], columns="trajectory", values="size", aggfunc="sum"
    )
    rng, found = np.random.default_rng(5), []
    for _ in range(2000):
        drawn = cells.to_numpy()[:, rng.integers(4, size=3)].sum(axis=1)  # an unbiased variance
        logs = pd.Series(np.log(drawn), cells.index)
        found.append((logs["expert"] - logs["entropy"]).mean())
    row = row_of(
        effects[1],
        test="hot",
        relation="neutral",
        quantity="energy",
        model="linear4",
        train="expert",
    )
    shrink = max(material_of(*study).shrink[name] for name in ("expert", "entropy"))
    sigma_set = _sigma_of_halves(errors, "linear4", shrink)
    reach = np.log(row["ci_high"] / row["ratio"]) / student.ppf(0.975, 9)
    assert np.sqrt(reach**2 - sigma_set**2) == pytest.approx(np.std(found, ddof=1), rel=0.1)


def _sigma_of_halves(errors, model, shrink):
    chosen = errors[(errors["group"] == "liquid") & (errors["model"] == model)]
    sizes = chosen["energy_error"].abs()
    logs = np.log(sizes.groupby([chosen["train"], chosen["part"], chosen["draw"]]).mean())
    delta = logs["expert"] - logs["entropy"]
    return np.sqrt(shrink * ((delta["a"] - delta["b"]) ** 2).mean() / 2)


def test_every_ground_has_its_row(study, effects):
    table = effects[0][(effects[0]["metric"] == "mae") & (effects[0]["train"] == "expert")]
    found = dict(
        zip(zip(table["test"], table["relation"], strict=True), table["groups"], strict=True)
    )
    assert found == {
        **{("entropy", "home"): 1, ("random", "near home"): 1, ("expert", "home"): 4},
        **{("hot", "near home"): 1, ("hot", "neutral"): 1, ("strained", "neutral"): 4},
        **{("extremes", "neutral"): 1, ("extremes", "no skill"): 1, ("neutral", "neutral"): 6},
    }
    forces = row_of(effects[0], test="expert", quantity="forces", metric="rmse", train="expert")
    assert forces["groups"] == 3  # by symmetry cells of eos_bcc have no forces
    errors = study[0][(study[0]["test"] == "expert") & (study[0]["group"] != "eos_bcc")]
    assert forces["n_cells"] == errors["cell"].nunique() > 30
    control = effects[0][(effects[0]["train"] == "random") & (effects[0]["test"] == "expert")]
    assert set(control["relation"]) == {"neutral"}  # of either of the two, if not of all sets


def test_known_effects_are_recovered():
    """With hardly any spread between sets, theta is what was put in."""
    table, _ = measure_effects(material_of(*make_study(3, draws=4, spread=1e-3)), TRAINS, "entropy")
    for train in ("random", "expert"):
        row = row_of(table, test="neutral", quantity="energy", metric="mae", train=train)
        assert abs(row["theta"] - AWAY[train]) < 3 * row["sigma_test"]
        assert row["sigma_set"] < 0.03  # of seeds
    home = row_of(table, test="expert", quantity="energy", metric="mae", train="expert")
    assert home["effect"] == pytest.approx(0.5, rel=0.4)


def test_forms_by_themselves_average_to_theta(effects):
    table, ratios = effects
    names = {"test": "strained", "quantity": "forces", "train": "expert"}
    chosen = ratios[np.logical_and.reduce([ratios[k] == v for k, v in names.items()])]
    by_class = np.log(chosen.set_index("class")["ratio"]).groupby(level=0).mean()
    assert row_of(table, metric="rmse", **names)["theta"] == pytest.approx(by_class.mean())
    assert list(chosen["model"]) == list(MODELS)


def test_a_model_without_halves_stands_by_itself_and_has_no_interval(small):
    errors, cells, sizes = small
    alone = (errors["model"] == "quadratic6") & ((errors["draw"] > 0) | (errors["part"] != "whole"))
    table, ratios = measure_effects(material_of(errors[~alone], cells, sizes), TRAINS, "entropy")
    names = {"test": "strained", "quantity": "energy", "train": "expert"}
    found = row_of(ratios, model="quadratic6", **names)
    assert np.isfinite(found["ratio"])
    assert np.isnan(found["ci_low"])
    row = row_of(table, metric="mae", **names)
    assert row["forms"] == 4
    kept = ratios[ratios["model"] != "quadratic6"]
    chosen = kept[np.logical_and.reduce([kept[k] == v for k, v in names.items()])]
    by_class = np.log(chosen.set_index("class")["ratio"]).groupby(level=0).mean()
    assert row["theta"] == pytest.approx(by_class.mean())


@pytest.mark.parametrize("change", ["one draw", "no halves", "one trajectory"])
def test_no_interval_without_what_it_is_made_of(change):
    groups = GROUPS
    if change == "one trajectory":
        groups = GROUPS | {"strained": {"distorted_fcc": (7, 1)}}
    errors, cells, sizes = make_study(draws=1 if change == "one draw" else 2, groups=groups)
    if change == "no halves":
        errors = errors[errors["part"] == "whole"]
    table, _ = measure_effects(material_of(errors, cells, sizes), TRAINS, "entropy")
    row = row_of(table, test="strained", quantity="energy", metric="mae", train="expert")
    assert np.isfinite(row["effect"])
    assert np.isnan([row["ci_low"], row["ci_high"], row["p"]]).all()


def test_a_set_without_forces_has_energies_alone(small):
    errors, cells, sizes = small
    bare = errors["test"] == "strained"
    cells = cells.assign(forces_squared=cells["forces_squared"].where(cells["test"] != "strained"))
    errors = errors.assign(forces_squared=errors["forces_squared"].where(~bare))
    table, ratios = measure_effects(material_of(errors, cells, sizes), TRAINS, "entropy")
    for found in (table, ratios):
        assert set(found.loc[found["test"] == "strained", "quantity"]) == {"energy"}
    pooled = row_of(table, test="neutral", quantity="forces", metric="rmse", train="expert")
    assert pooled["groups"] == 2


def test_a_group_without_skill_for_energies_counts_for_forces_neither(small):
    errors, cells, sizes = small
    forces = errors["forces_squared"].where(errors["group"] != "cluster", 1.0)
    table, _ = measure_effects(
        material_of(errors.assign(forces_squared=forces), cells, sizes), TRAINS, "entropy"
    )
    found = table[(table["test"] == "extremes") & (table["relation"] == "no skill")]
    assert set(found["quantity"]) == {"energy", "forces"}
    for quantity, metric in (("energy", "mae"), ("forces", "rmse")):
        names = {"quantity": quantity, "metric": metric, "train": "expert"}
        row = row_of(table, test="neutral", **names)
        assert (row["groups"], row["dropped"]) == (6, "extremes/cluster")


def test_an_unknown_or_doubled_error_is_refused(small):
    errors, cells, sizes = small
    row = errors[(errors["test"] == "strained") & (errors["model"] == "linear4")].head(1)
    unknown = pd.concat([errors, row.assign(cell=99)])
    with pytest.raises(ValueError, match=r"cell 99 of test set strained, on which linear4 trained"):
        material_of(unknown, cells, sizes)
    twice = pd.concat([errors, errors.head(1)])
    with pytest.raises(ValueError, match=r"has two errors of linear4 trained on entropy \(draw 0"):
        material_of(twice, cells, sizes)


def test_sets_without_errors_leave_empty_tables(small):
    errors, cells, sizes = small
    nothing = measure_effects(material_of(errors.head(0), cells, sizes), TRAINS, "entropy")
    alone = errors[errors["train"] == "entropy"]
    lonely = measure_effects(material_of(alone, cells, sizes), TRAINS, "entropy")
    for table, ratios in (nothing, lonely):
        assert table.empty
        assert ratios.empty
        title = "no two training sets have errors on the same test cells"
        assert ratio_dots(table, ratios, FAMILIES).get_supxlabel() == title
        assert ratios_page(table, ratios)


def test_files_keep_names_as_text_and_name_a_lost_column(tmp_path, small):
    errors, cells, sizes = small
    for name, table in (("errors", errors), ("cells", cells), ("sizes", sizes)):
        table.to_csv(tmp_path / f"{name}.csv.xz", index=False)
    read = (
        read_errors([tmp_path / "errors.csv.xz"]),
        read_cells(tmp_path / "cells.csv.xz"),
        read_table(tmp_path / "sizes.csv.xz", SIZES),
    )
    assert {"100", "nan"} <= set(read[1]["group"])
    assert set(read[0]["group"]) == set(errors["group"])
    assert read[0]["energy_error"].to_numpy() == pytest.approx(errors["energy_error"].to_numpy())
    groups = Ground.of(material_of(*read), "energy").groups
    assert {g.members for g in groups if g.name == "smaller groups"} == {("100", "nan")}
    errors.drop(columns="part").to_csv(tmp_path / "errors.csv.xz", index=False)
    with pytest.raises(ValueError, match=r"errors.csv.xz has no column part; remove the file"):
        read_errors([tmp_path / "errors.csv.xz"])


@pytest.mark.parametrize(
    ("sources", "test", "members", "expected"),
    [
        (["expert"], "expert", ("md",), "home"),
        (["random", "expert"], "expert", ("md",), "home"),  # a mixture
        (["entropy"], "random", ("random",), "near home"),
        (["expert"], "hot", ("md",), "near home"),
        (["expert"], "hot", ("liquid",), "neutral"),
        (["expert"], "hot", ("liquid", "md"), "near home"),
        (["entropy"], "hot", ("md",), "neutral"),
        (["expert"], "entropy", ("entropy",), "neutral"),
    ],
)
def test_relations(sources, test, members, expected):
    types = {name: set(groups) for name, groups in GROUPS.items()}
    group = Group(test, members[0], members, np.arange(4))
    assert relation(group, sources, FAMILIES, types) == expected


def test_the_reference_is_the_entropy_maximised_set():
    assert reference_set(["random", "expert", "entropy"], FAMILIES) == "entropy"
    assert reference_set(["random", "expert"], FAMILIES) == "random"


def test_holm_as_in_a_worked_example():
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "e": np.nan})
    np.testing.assert_allclose(found[list("dacb")], [0.02, 0.03, 0.06, 0.06], rtol=1e-12)
    assert np.isnan(found["e"])
    assert holm({"a": 0.6, "b": 0.7}).tolist() == [1, 1]


def test_errors_of_groups_by_numpy():
    rng = np.random.default_rng(0)
    values, sizes = np.abs(rng.normal(size=(2, 3, 20))), rng.integers(3, 30, 20).astype(float)
    groups = [Group("t", "g", ("g",), np.arange(12)), Group("t", "h", ("h",), np.arange(12, 20))]
    weights = rng.integers(0, 4, (5, 20)).astype(float)
    values[0, 1, 3] = np.nan
    wholes = {"median": 0.5, "p95": 0.95}
    for metric in ("rmse", "mae", "median", "p95"):
        found = log_errors(sizes, values, groups, weights, metric)
        assert found.shape == (5, 2, 3, 2)
        for place in np.ndindex(5, 2, 3, 2):
            w, cells = weights[place[0]], groups[place[3]].cells
            cells = cells[np.isfinite(values[place[1:3]][cells])]
            x, many = values[place[1:3]][cells], w[cells].astype(int)
            if metric in wholes:
                drawn = np.repeat(x, many)
                expected = np.quantile(drawn, wholes[metric], method="inverted_cdf")
            else:
                power = 2 if metric == "rmse" else 1
                expected = np.average(x**power, weights=many * sizes[cells]) ** (1 / power)
            assert found[place] == pytest.approx(np.log(expected), rel=1e-9)


def test_an_offset_is_taken_off_by_test_set():
    energy = np.array([[1.0, 3.0, np.nan, 10.0], [2.0, np.nan, 4.0, -1.0]])
    found = without_offset(energy, np.array(["a", "a", "a", "b"]))
    np.testing.assert_allclose(found, [[-1, 1, np.nan, 0], [-1, np.nan, 1, 0]])


def test_spreads_over_nonlinear_forms_less_seeds(study):
    """The variance over forms, by draw and in the mean of logarithms, less that over seeds."""
    found = measure_spreads(material_of(*study), "entropy", ["expert"])
    row = row_of(found, quantity="energy")
    errors = study[0][study[0]["part"] == "whole"]
    errors = pd.concat(
        errors[(errors["test"] == test) & errors["group"].isin(groups)]
        for test, groups in NEUTRAL.items()
    )
    keys = ["train", "model", "draw", "seed", "test", "group"]
    logs = np.log(errors["energy_error"].abs().groupby([errors[key] for key in keys]).mean())
    logs = logs.groupby(keys[:4]).mean().drop("linear4", level="model")
    of_seeds = logs.xs(0, level="draw").groupby(["train", "model"]).var(ddof=1).fillna(0)
    noise = of_seeds.groupby("train").mean()
    of_forms = logs.xs(0, level="seed").groupby(["train", "draw"]).var(ddof=1)
    deviation = np.log(of_forms - noise) / 2
    expected = (deviation["entropy"] - deviation["expert"]).mean()
    assert row["theta"] == pytest.approx(expected, rel=1e-9)
    assert row["forms"] == 4
    assert row["ci_low"] < row["effect"] < row["ci_high"]
    assert seed_variance(np.array([[1.0, 5.0], [3.0, np.nan]])) == pytest.approx(1.0)


def test_coverage_of_the_interval():
    """Sets and cells drawn anew from what they are drawn from: the truth is inside in 95 of 100."""
    rng, truth, inside, trials = np.random.default_rng(1), np.log(1.5), 0, 300
    names = [f"g{n}" for n in range(6)]
    cells = pd.DataFrame({"group": np.repeat(names, 7), "trajectory": np.arange(42).astype(str)})
    groups = [Group("t", g, (g,), np.flatnonzero(cells["group"] == g)) for g in names]
    for _ in range(trials):
        weights = trajectory_weights(groups, cells, seed=rng.integers(2**31))
        delta = _made_up_logs(rng, groups, weights, truth) - _made_up_logs(rng, groups, weights, 0)
        classes = ["linear", "quadratic"]
        found = estimate(
            *(theta(part, classes)[0] for part in (delta.whole, delta.half_a, delta.half_b)),
            mean_of_finite(theta(delta.resampled, classes)),
            shrink=0.5,
        )
        low, high = found.interval
        inside += low < truth < high
    assert 0.92 <= inside / trials <= 0.995


def _made_up_logs(rng, groups, weights, effect):
    """Errors of models from 10 draws of a pool of 60 cells, each with a pull of its own."""
    pulls, own = rng.normal(size=(60, len(groups))) * 0.8, rng.normal(size=(2, 42)) * 0.3
    own += rng.normal(size=42) * 0.4
    factors = np.zeros((3, 10, 42))
    for draw in range(10):
        order = rng.permutation(60)
        for part, members in enumerate((order[:44], order[:22], order[22:44])):
            factors[part, draw] = np.repeat(pulls[members].mean(axis=0), 7)
    values = np.exp(effect + factors[:, :, None] + own)
    sizes, once = np.ones(42), np.ones((1, 42))
    parts = [log_errors(sizes, part, groups, once, "mae") for part in values]
    return Logs(*parts, log_errors(sizes, values[0], groups, weights, "mae"))
