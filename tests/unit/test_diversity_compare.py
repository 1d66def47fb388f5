"""Samples of data sets and the table that compares them."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.whitening import Whitening
from diverse.diversity import (
    ComparisonSettings,
    EnvironmentSample,
    common_size,
    compare_samples,
    draw_environments,
    sample_cells,
    sample_environments,
)
from diverse.kernel import BispectrumSettings
from diverse.report.pages.datasets import diversity_page, read_diversity
from diverse.structures import iterate_cells, random_stream, write_cells

DESCRIPTOR = BispectrumSettings(4, 4.734)
SETTINGS = ComparisonSettings(bandwidths=(0.015, 0.043), draws=4, smallest=10)


def rattled(n_cells: int, amplitude: float, seed: int) -> list[Atoms]:
    """Four-atom bcc cells displaced at random; no labels, no tags."""
    cells = []
    for index in range(n_cells):
        cell = bulk("W", a=3.165).repeat((2, 2, 1))
        cell.rattle(amplitude, seed=1000 * seed + index)
        cells.append(cell)
    return cells


@pytest.fixture(scope="module")
def sets() -> dict[str, list[Atoms]]:
    return {"wide": rattled(12, 0.4, 1), "narrow": rattled(8, 0.05, 2), "tiny": rattled(1, 0.1, 3)}


def sampled(sets, settings=SETTINGS, seed=0) -> dict[str, EnvironmentSample]:
    """Sample every set as the rule `sample_environments` does."""
    return {
        name: sample_environments(
            cells,
            settings.environments,
            DESCRIPTOR,
            coordination_radius=3.29,
            quests_cutoff=5.0,
            rng=random_stream(seed, f"{name}/sample", 0),
        )
        for name, cells in sets.items()
    }


def compare(sets, settings=SETTINGS, whitening=None, seed=0) -> pd.DataFrame:
    """Compare sets in a space whitened by equally many environments of each, if none is given."""
    samples = sampled(sets, settings, seed)
    if whitening is None:
        n, rng = min(map(len, samples.values())), random_stream(seed, "pooled", 0)
        pooled = [s.descriptors[draw_environments(s.cell, n, rng)] for s in samples.values()]
        whitening = Whitening.of(np.concatenate(pooled))
    return compare_samples(samples, whitening, settings, seed=seed)


@pytest.fixture(scope="module")
def table(sets) -> pd.DataFrame:
    return compare(sets)


def value(table: pd.DataFrame, measure: str, dataset: str, other: str = "", which: str = "all"):
    found = table[
        (table["measure"] == measure)
        & (table["dataset"] == dataset)
        & (table["other"] == other)
        & (table["environments"] == which)
    ]
    return found["value"].to_numpy()


def test_every_measure_of_every_set_and_pair_is_there_once(table):
    key = ["dataset", "other", "measure", "setting", "environments"]
    assert not table.duplicated(key).any()
    assert np.isfinite(table["value"]).all()
    singles, pairs, covering = 4 + 2 * 2, 1 + 2, 2  # the tiny set covers at its own size only
    sizes = 3 * 4
    assert len(table) == sizes + (3 + covering) * singles + (9 + 3 * covering) * pairs


def test_the_wide_set_is_more_diverse_at_equal_numbers(table):
    for measure in ("log_det", "nn_entropy", "quests_entropy", "quests_diversity"):
        wide, narrow = (value(table, measure, name, which="equal") for name in ("wide", "narrow"))
        assert (wide > narrow).all(), measure


def test_equal_numbers_are_those_of_the_smallest_that_takes_part(table):
    equal = table[table["environments"] == "equal"]
    single, pairs = equal[equal["other"] == ""], equal[equal["other"] != ""]
    assert set(single["dataset"]) == set(pairs["other"]) == {"wide", "narrow"}
    assert set(single["n"]) == set(pairs["n_other"]) == {32}
    assert single.groupby("dataset")["draws"].first().to_dict() == {"wide": 4, "narrow": 1}
    assert single.groupby("dataset")["spread"].max().isna().to_dict() == {
        "wide": False,
        "narrow": True,
    }


def test_common_size():
    assert common_size({"a": 32, "b": 48, "c": 4}, SETTINGS) == 32
    assert common_size({"a": 32, "c": 4}, SETTINGS) is None


def test_a_set_covers_itself(table):
    for name in ("wide", "narrow", "tiny"):
        np.testing.assert_array_equal(value(table, "quests_overlap", name, name), 1)


def test_the_table_says_how_large_sets_and_samples_are(sets):
    few = ComparisonSettings(environments=40, bandwidths=(0.015,), draws=2, smallest=10)
    table = compare({"wide": sets["wide"]}, settings=few)
    np.testing.assert_array_equal(value(table, "cells", "wide"), [10, 12])
    np.testing.assert_array_equal(value(table, "environments", "wide"), [40, 48])


def test_the_nearest_distance_within_a_set_skips_the_environment_itself(table):
    assert value(table, "nn_distance", "narrow", "narrow")[0] > 0


def test_an_identical_set_is_at_distance_zero_and_overlaps_fully(sets):
    table = compare({"one": sets["narrow"], "two": [cell.copy() for cell in sets["narrow"]]})
    assert value(table, "nn_distance", "one", "two")[0] == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(value(table, "quests_overlap", "one", "two"), 1)


def test_draws_are_deterministic_and_depend_on_the_set_only(sets, table):
    pd.testing.assert_frame_equal(compare(sets), table)
    other = compare(sets, seed=7)
    spread = value(other, "log_det", "wide", which="equal")
    assert spread != value(table, "log_det", "wide", which="equal")


def test_whole_sets_are_measured_alike_in_any_order(sets):
    pair = {name: sets[name] for name in ("wide", "narrow")}
    turned = {name: cells[::-1] for name, cells in pair.items()}
    whitening = Whitening.of(environment_descriptors(sets["wide"], DESCRIPTOR))
    forward, backward = (
        table[table["environments"] == "all"]
        for table in (compare(pair, whitening=whitening), compare(turned, whitening=whitening))
    )
    pd.testing.assert_frame_equal(forward, backward, rtol=1e-6)


def test_files_and_cells_give_the_same(sets, table, tmp_path):
    write_cells(tmp_path / "wide.xyz", sets["wide"])
    write_cells(tmp_path / "a.xyz", sets["narrow"][:3])
    write_cells(tmp_path / "b.xyz", sets["narrow"][3:])
    files = {
        "wide": iterate_cells([tmp_path / "wide.xyz"]),
        "narrow": iterate_cells([tmp_path / "a.xyz", tmp_path / "b.xyz"]),
        "tiny": sets["tiny"],
    }
    pd.testing.assert_frame_equal(compare(files), table, rtol=1e-4, atol=1e-5)


def test_sample_geometry():
    perfect = bulk("W", a=3.165)
    sample = sample_environments(
        [perfect],
        100,
        DESCRIPTOR,
        coordination_radius=1.2 * 2.741,
        quests_cutoff=5.0,
        rng=np.random.default_rng(0),
    )
    assert sample.coordination.tolist() == [14]
    assert sample.d_min == pytest.approx([3.165 * np.sqrt(0.75)], rel=1e-12)
    assert sample.volume == pytest.approx([3.165**3 / 2], rel=1e-12)


def test_sample_keeps_whole_cells_below_the_limit(sets):
    cells = sets["wide"]
    drawn, total_cells, total = sample_cells(iter(cells), 18, np.random.default_rng(0))
    assert (len(drawn), total_cells, total) == (4, 12, 48)
    again, _, _ = sample_cells(cells, 18, np.random.default_rng(0))
    assert [id(cell) for cell in drawn] == [id(cell) for cell in again]
    everything, _, _ = sample_cells(cells, 48, np.random.default_rng(0))
    assert [id(cell) for cell in everything] == [id(cell) for cell in cells]


def test_every_cell_is_as_likely_to_be_drawn(sets):
    cells, counts = sets["wide"], np.zeros(12)
    position = {id(cell): index for index, cell in enumerate(cells)}
    for seed in range(1200):
        drawn, _, _ = sample_cells(cells, 16, np.random.default_rng(seed))
        counts[[position[id(cell)] for cell in drawn]] += 1
    # 1,200 draws of 4 of 12: mean 400, binomial standard deviation 16.3; five of them
    assert np.abs(counts - 400).max() < 5 * 16.3


def test_draws_have_the_exact_size_and_keep_cells_together():
    cell = np.repeat(np.arange(30), np.arange(30) % 4 + 1)
    for seed in range(20):
        drawn = draw_environments(cell, 40, np.random.default_rng(seed))
        assert len(np.unique(drawn)) == len(drawn) == 40
        part = np.bincount(cell[drawn], minlength=30)
        assert np.sum((part > 0) & (part < np.bincount(cell))) <= 1
    first, second = (draw_environments(cell, 40, np.random.default_rng(s)) for s in (0, 1))
    assert not np.array_equal(first, second)


def test_thinning_does_not_make_a_set_look_more_diverse():
    """Copies of each atom inside its cell stay together when the set is thinned."""
    twins = [cell.repeat((2, 1, 1)) for cell in rattled(12, 0.3, 4)]
    table = compare({"many": twins, "few": twins[:4]})
    for which in ("all", "equal"):
        np.testing.assert_allclose(value(table, "distinct", "many", which=which), 0.5)


def test_sample_is_saved_and_loaded(sets, tmp_path):
    sample = sample_environments(
        sets["narrow"],
        100,
        DESCRIPTOR,
        coordination_radius=3.3,
        quests_cutoff=5.0,
        rng=np.random.default_rng(0),
    )
    sample.save(tmp_path / "sample.npz")
    np.testing.assert_array_equal(
        EnvironmentSample.load(tmp_path / "sample.npz").quests, sample.quests
    )


def test_an_empty_or_open_set_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "empty.xyz").touch()
    with pytest.raises(ValueError, match="holds no cells"):
        sample_cells(iterate_cells([tmp_path / "empty.xyz"]), 10, np.random.default_rng(0))
    slab = bulk("W", cubic=True)
    slab.pbc = (True, True, False)
    with pytest.raises(ValueError, match="cell 0 is not periodic in all three directions"):
        sample_cells([slab], 10, np.random.default_rng(0))


def test_table_survives_the_file_and_becomes_a_page(table, tmp_path):
    table.to_csv(tmp_path / "diversity.csv", index=False)
    read = read_diversity(tmp_path / "diversity.csv")
    pd.testing.assert_frame_equal(read, table, check_dtype=False)
    page = diversity_page(read)
    assert "Diversity of each set, 32 environments of each set" in page
    assert page.count("<table") == 2 + 2 * 3
    assert "±" in page


def test_equal_draws_have_no_spread(table):
    """All environments of the wide set are distinct, in every draw."""
    drawn = table[(table["measure"] == "distinct") & (table["draws"] > 1)]
    assert drawn["dataset"].tolist() == ["wide"]
    assert drawn["spread"].tolist() == [0]
