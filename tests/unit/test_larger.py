"""Errors on larger cells over those on small ones, of made-up studies with a known effect."""

from itertools import product

import numpy as np
import pytest

from diverse.errors.draws import model_classes
from diverse.errors.larger import same_kinds, size_effects
from diverse.errors.material import Material
from diverse.errors.material import tested_cells as cells_tested
from diverse.report.findings import show_larger
from diverse.report.marks import shown_table
from diverse.report.numbers import interval
from diverse.report.pages.effects import cell_sizes_page
from draw_cases import FAMILIES, GROUPS, MODELS, TRAINS, make_study

LARGER = {
    "large_entropy": {"entropy": (12, 12)},
    "large_expert": {"md": (6, 6), "vacancy": (4, 4), "nan": (2, 2), "100": (1, 1)},
}
RECIPES = ["entropy", "expert"]
FACTOR = 1.7


def material_of(errors, cells, sizes):
    families = {**FAMILIES, "large_entropy": "entropy", "large_expert": "expert"}
    return Material.of(errors, cells, sizes, classes=model_classes(MODELS), families=families)


@pytest.fixture(scope="module")
def study():
    """Errors on cells of four times as many atoms are 1.7 times as large."""
    errors, cells, sizes = make_study(groups={**GROUPS, **LARGER})
    for table in (errors, cells):
        large = table["test"].isin(LARGER)
        table["n_atoms"] = table["n_atoms"].where(~large, 24)
        table["forces_squared"] *= np.where(large, 4, 1)
    large = errors["test"].isin(LARGER)
    errors["energy_error"] *= np.where(large, FACTOR, 1)
    errors["forces_squared"] *= np.where(large, FACTOR**2, 1)
    # what a training set does at home and elsewhere is no effect of the size
    home, away = {"expert": np.log(0.5)}, {"random": np.log(1.5), "expert": np.log(3.0)}
    for train in TRAINS:
        shift = home.get(train, 0) - away.get(train, 0)
        of_train = errors["train"] == train
        own = of_train & large & (errors["test"] == f"large_{train}")
        errors.loc[own, "energy_error"] *= np.exp(shift)
        errors.loc[own, "forces_squared"] *= np.exp(2 * shift)
    return errors, cells, sizes


@pytest.fixture(scope="module")
def effects(study):
    return size_effects(material_of(*study), TRAINS)


def test_a_row_for_every_training_set_and_kind_of_cells(effects):
    found = list(effects[["quantity", "cells", "train"]].itertuples(index=False, name=None))
    assert found == list(product(("energy", "forces"), RECIPES, TRAINS))
    assert set(effects["atoms_own"]) == {6.0}
    assert set(effects["atoms_larger"]) == {24.0}


def test_known_effects_lie_in_their_intervals(effects):
    assert ((effects["ci_low"] < FACTOR) & (effects["ci_high"] > FACTOR)).all()
    assert (effects["effect"] / FACTOR).between(0.7, 1.4).all()
    assert (effects["ci_high"] / effects["ci_low"] < 4).all()


def test_the_effect_by_hand(study, effects):
    errors, _, _ = study
    chosen = errors[(errors["train"] == "random") & (errors["part"] == "whole")]
    chosen = chosen[chosen["seed"] == 0]
    logs = {}
    for side, test in (("own", "expert"), ("larger", "large_expert")):
        rows = chosen[(chosen["test"] == test) & chosen["group"].isin(LARGER["large_expert"])]
        kind = rows["group"].where(rows["group"].isin(["md", "vacancy"]), "smaller groups")
        keys = ["draw", "model", kind]
        logs[side] = np.log(rows.assign(x=rows["energy_error"].abs()).groupby(keys)["x"].mean())
    by_model = (
        (logs["larger"] - logs["own"]).groupby(["draw", "model"]).mean().reset_index(name="x")
    )
    by_model["class"] = by_model["model"].map(model_classes(MODELS))
    expected = by_model.groupby(["draw", "class"])["x"].mean().groupby("draw").mean().mean()
    row = effects[(effects["train"] == "random") & (effects["cells"] == "expert")].iloc[0]
    assert row["theta"] == pytest.approx(expected, abs=1e-12)
    assert (row["kinds"], row["n_cells_larger"]) == (3, 13)


def test_kinds_of_few_larger_cells_are_pooled_on_both_sides(study):
    _, cells, _ = study
    found = same_kinds(cells, "expert", "energy", np.ones(len(cells), bool))
    pairs = {own.name: (own, larger) for own, larger in found}
    assert list(pairs) == ["md", "vacancy", "smaller groups"]
    for own, larger in pairs.values():
        assert set(cells["test"][own.cells]) == {"expert"}
        assert set(cells["test"][larger.cells]) == {"large_expert"}
        assert set(cells["group"][own.cells]) == set(cells["group"][larger.cells])
        assert own.members == larger.members


def test_cells_without_forces_do_not_count_for_forces(study):
    cells = study[1].copy()
    cells.loc[(cells["test"] == "large_expert") & (cells["group"] == "md"), "forces_squared"] = 0.0
    material = material_of(study[0], cells, study[2])
    tested = cells_tested(material, "forces")
    names = [own.name for own, _ in same_kinds(material.cells, "expert", "forces", tested)]
    assert names == ["vacancy", "smaller groups"]


def test_cells_that_no_draw_tests_on_are_not_counted(study, effects):
    errors, cells, sizes = study
    lost = errors["test"].eq("large_expert") & errors["cell"].eq(0)
    lost &= errors["group"].eq("md")
    fewer = size_effects(material_of(errors[~lost], cells, sizes), TRAINS)
    of = (fewer["cells"] == "expert").to_numpy()
    assert (effects["n_cells_larger"][of] - fewer["n_cells_larger"][of]).tolist() == [1] * of.sum()


def test_without_larger_cells_there_is_no_row():
    table = size_effects(material_of(*make_study(draws=2)), TRAINS)
    assert table.empty
    assert "No test set holds larger cells" in cell_sizes_page(table)


def test_the_page_has_a_line_for_each_kind_of_cells_and_quantity(effects):
    page = cell_sizes_page(effects)
    for title in ("Errors of energy on larger", *(f"<th>trained on {train}" for train in TRAINS)):
        assert page.count(title) == (1 if "energy" in title else 2)
    for line in zip(RECIPES, ("12 of 24 atoms", "13 of 24 atoms"), strict=True):
        assert all(page.count(f"<td>{text}</td>") == 2 for text in line)


def test_the_readme_gets_a_table(effects, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- larger cells, x -->\n<!-- end of larger cells -->\nb\n")
    show_larger(readme, effects)
    lines = shown_table(readme, "larger cells").splitlines()
    assert len(lines) == 2 + 4
    row = effects.iloc[0]
    assert lines[2].startswith("| energies    | entropy")
    assert interval(row["effect"], row["ci_low"], row["ci_high"], 2) in lines[2]
    assert readme.read_text().startswith("a\n") and readme.read_text().endswith("b\n")
