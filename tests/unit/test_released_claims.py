"""The released claims, recomputed in a few lines from the released errors of test cells."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from paths import ROOT

RELEASES = {"default": "results/release", "full size": "results/release/paper-surrogate"}
CLASSES = {"linear": "linear", "quadratic": "quadratic", "stepdown": "A", "expand": "B"}
POWER = {"energy": 1, "forces": 2}


@pytest.fixture(scope="module", params=RELEASES)
def release(request):
    folder = ROOT / RELEASES[request.param]
    if not (folder / "tables/claims.csv").exists():
        pytest.skip(f"{RELEASES[request.param]} is not released yet")
    return folder


@pytest.fixture(scope="module")
def errors(release):
    cells = pd.read_csv(release / "errors/cells.csv.xz")
    rows = pd.concat(map(pd.read_csv, sorted(release.glob("errors/draws/*/*.csv.xz"))))
    rows = rows[rows["seed"] == 0].merge(
        cells[["test", "cell", "forces_squared"]], on=["test", "cell"], suffixes=("", "_label")
    )
    rows["class"] = rows["model"].str.rstrip("0123456789").map(CLASSES)
    per_draw = rows[rows["part"] == "a"].groupby("model")["draw"].nunique()
    return rows[rows["model"].isin(per_draw.index[per_draw == rows["draw"].nunique()])]


def log_errors(release, errors, quantity, ground):
    """Return log e by group, form, draw and part of both training sets, on the groups of a ground.

    A group of the pool of small ones is given its name.
    """
    grounds = pd.read_csv(release / "tables/grounds.csv").query("quantity == @quantity")
    groups = grounds[grounds["ground"] == ground]
    rows = errors[errors["test"].isin(groups["test"])].copy()
    named = set(map(tuple, groups[["test", "group"]].to_numpy()))
    own = [pair in named for pair in zip(rows["test"], rows["group"], strict=True)]
    pooled = [(test, "smaller groups") in named for test in rows["test"]]
    sizes = rows.groupby(["test", "group"])["cell"].transform("nunique")
    small = ~np.array(own) & np.array(pooled) & (sizes < 4)
    rows.loc[small, "group"] = "smaller groups"
    rows = rows[np.array(own) | small]
    if quantity == "energy":
        rows["sum"], rows["n"] = rows["energy_error"].abs(), 1
    else:
        rows = rows[np.sqrt(rows["forces_squared_label"] / (3 * rows["n_atoms"])) >= 1e-3]
        rows["sum"], rows["n"] = rows["forces_squared"], 3 * rows["n_atoms"]
    keys = ["train", "part", "draw", "class", "model", "test", "group"]
    sums = rows.groupby(keys)[["sum", "n"]].sum()
    return np.log(sums["sum"] / sums["n"]) / POWER[quantity]


def theta(logs, train, reference, part):
    """Return theta of every draw."""
    delta = logs[train][part] - logs[reference][part]
    of_form = delta.groupby(["draw", "class", "model"]).mean()
    return of_form.groupby(["draw", "class"]).mean().groupby("draw").mean()


@pytest.mark.parametrize("quantity", POWER)
@pytest.mark.parametrize("claim", ["C1", "C2", "C2 control"])
def test_a_released_effect_and_its_interval(release, errors, claim, quantity):
    claims = pd.read_csv(release / "tables/claims.csv")
    row = claims[(claims["claim"] == claim) & (claims["quantity"] == quantity)].iloc[0]
    ground = "neutral ground" if row["test"] == "neutral" else row["test"]
    logs = log_errors(release, errors, quantity, ground)
    whole, a, b = (theta(logs, row["train"], row["reference"], p) for p in ("whole", "a", "b"))
    assert np.exp(whole.mean()) == pytest.approx(row["effect"], rel=1e-3)
    sizes = pd.read_csv(release / "tables/training_sets.csv")
    sizes = sizes.groupby(["train", "part"])["environments"].mean()
    pair = (row["train"], row["reference"])
    pools = pd.read_csv(release / "errors/cells.csv.xz").groupby("test")["n_atoms"].sum()
    if "pool" in sizes.index.get_level_values("part"):  # not every cell is listed
        pools = sizes.xs("pool", level="part")
    shares = {name: sizes[name]["whole"] / pools[name] for name in pair}
    shrink = max(
        (sizes[name]["a"] + sizes[name]["b"])
        / 2
        / sizes[name]["whole"]
        * (shares[name] + (1 - shares[name]) / len(whole))
        for name in pair
    )
    of_set = np.sqrt(shrink * ((a - b) ** 2).mean() / 2)
    effects = pd.read_csv(release / "tables/theta.csv").query("quantity == @quantity")
    same = (effects["train"] == row["train"]) & (effects["test"] == row["test"])
    metric = "mae" if quantity == "energy" else "rmse"
    effects = effects[same & (effects["metric"] == metric)]
    found = effects[np.isclose(effects["effect"], row["effect"])].iloc[0]
    assert of_set == pytest.approx(found["sigma_set"], rel=2e-3)
    reach = t.ppf(0.975, len(whole) - 1) * np.hypot(of_set, found["sigma_test"])
    ends = np.exp([whole.mean() - reach, whole.mean() + reach])
    assert ends == pytest.approx([row["ci_low"], row["ci_high"]], rel=5e-3)
    assert np.isfinite(ends).all()


@pytest.mark.parametrize("quantity", POWER)
def test_a_released_level_of_a_model(release, errors, quantity):
    """The error of one model on neutral ground, which curves and mixtures rest on."""
    sizes = pd.read_csv(release / "tables/size.csv")
    for train in ("entropy", "random", "expert"):
        logs = log_errors(release, errors, quantity, "neutral ground")[train]["whole"]
        level = logs.xs("quadratic6", level="model").groupby(["test", "group"]).mean().mean()
        row = sizes[(sizes["train"] == train) & (sizes["ground"] == "neutral ground")]
        row = row[(row["model"] == "quadratic6") & (row["quantity"] == quantity)]
        assert row["error"].item() == pytest.approx(np.exp(level), rel=1e-3)
