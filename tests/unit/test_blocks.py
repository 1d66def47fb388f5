"""Blocks: dealt once, drawn anew, and fits to their sums that equal fits to their cells."""

import numpy as np
import pytest

from diverse.datasets.blocks import (
    block_cells,
    blocks_of,
    deal_blocks,
    draw_blocks,
    surveyed_blocks,
    thin_tests,
)
from diverse.datasets.draws import DrawnSet, draws_table, members
from diverse.datasets.split import Outline
from diverse.errors.by_cell import LabelledSets, needed_places
from diverse.errors.inventory import label_costs, listed_places, pools
from diverse.models import predict
from diverse.models.polynomial.accumulate import survey
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.forms import SnapForm
from diverse.models.polynomial.settings import FitSettings
from diverse.models.polynomial.sums import (
    basis_of_sums,
    fit_sums,
    read_sums,
    save_basis,
    save_sums,
    sum_part,
)
from diverse.models.search import ONE_TRAJECTORY
from diverse.structures import iterate_cells, with_info, write_cells
from diverse.structures.frames import copy_labelled, labelled_frames, read_places
from diverse.study.blocks import check_blocks, shared_sums
from diverse.study.reading import ConfigError
from model_cases import CUTOFF, ZBL_W

N_BLOCKS = 7
DRAW = {"n_blocks": N_BLOCKS, "seed": 3, "test_fraction": 0.15}


def pool(n=140):
    return [Outline(f"group{i % 4}", f"run{i // 2}", 1 + i % 5, "p") for i in range(n)]


@pytest.fixture
def dealt():
    cells = pool()
    return cells, deal_blocks(cells, N_BLOCKS, np.random.default_rng(0))


def test_blocks_hold_whole_trajectories_and_like_shares_of_every_group(dealt):
    cells, blocks = dealt
    homes = {}
    for cell, block in zip(cells, blocks, strict=True):
        assert homes.setdefault((cell.group, cell.trajectory), block) == block
    for group in {cell.group for cell in cells}:
        counts = np.bincount([homes[key] for key in homes if key[0] == group], minlength=N_BLOCKS)
        assert np.ptp(counts) <= 1
    other = deal_blocks(cells, N_BLOCKS, np.random.default_rng(1))
    assert (other != blocks).any()


def test_draws_hold_out_one_block_after_the_other(dealt):
    _, blocks = dealt
    draws = [draw_blocks(blocks, "set", number, **DRAW) for number in range(N_BLOCKS)]
    held_out = [set(blocks[parts == "test"]) for parts in draws]
    assert [len(found) for found in held_out] == [1] * N_BLOCKS
    assert set.union(*held_out) == set(range(N_BLOCKS))
    for parts in draws:
        halves = [set(blocks[parts == half]) for half in "ab"]
        assert [len(half) for half in halves] == [3, 3]
        assert not halves[0] & halves[1]
    assert len({tuple(parts) for parts in draws}) == N_BLOCKS
    again = draw_blocks(blocks, "set", 2, **DRAW)
    assert (again == draws[2]).all()


def test_few_test_cells_are_kept_of_every_group_alike():
    cells = [*pool(100), Outline("rare", "r", 1, "p")]
    parts = np.array(["test"] * 101, dtype=object)
    parts[:40] = "a"
    thinned = thin_tests(parts, cells, 21, np.random.default_rng(0))
    kept = [cells[place].group for place in np.flatnonzero(thinned == "test")]
    assert {group: kept.count(group) for group in set(kept)} == {
        **{f"group{n}": 5 for n in range(4)},
        "rare": 1,
    }
    assert (thinned[:40] == "a").all()
    assert (thinned == "spare").sum() == 61 - 21
    assert (thin_tests(parts, cells, 61, np.random.default_rng(0)) == parts).all()


def test_a_table_says_which_blocks_a_part_is_made_of(dealt):
    cells, blocks = dealt
    parts = [draw_blocks(blocks, "set", number, **DRAW) for number in range(2)]
    table = draws_table(cells, [f"k{i}" for i in range(len(cells))], parts, blocks)
    halves = [blocks_of(table, 1, half) for half in "ab"]
    assert sorted(halves[0] + halves[1]) == blocks_of(table, 1, "whole")
    assert set(range(N_BLOCKS)) - set(blocks_of(table, 1, "whole")) == set(
        blocks[parts[1] == "test"]
    )
    assert surveyed_blocks(table, 1) == [0]
    assert surveyed_blocks(table, 10**9) == list(range(N_BLOCKS))


@pytest.fixture
def members_of_set(labelled):
    return [with_info(cell, {**cell.info, "dataset": "some-set"}) for cell in labelled]


@pytest.fixture
def files(members_of_set, tmp_path):
    """Labels in two files, one row without a label between them."""
    labelled = members_of_set
    failed = labelled[0].copy()
    failed.info.update(status="failed", cause="the energy=nan was no number", key="f" * 32)
    write_cells(tmp_path / "0.xyz", labelled[:3])
    write_cells(tmp_path / "1.xyz", [failed, *labelled[3:]])
    return [tmp_path / "0.xyz", tmp_path / "1.xyz"]


def test_frames_are_the_labelled_cells_that_are_read(files):
    read = [cell for cell in iterate_cells(files) if cell.calc is not None]
    frames = list(labelled_frames(files))
    assert len(frames) == len(read) > 3
    for frame, cell in zip(frames, read, strict=True):
        mine = frame.cell()
        assert mine == cell
        assert mine.info == cell.info
        assert mine.calc.results["free_energy"] == cell.calc.results["free_energy"]
        assert (mine.get_forces() == cell.get_forces()).all()
        assert (frame.n_atoms, frame.dataset) == (len(cell), cell.info["dataset"])
        assert frame.info()["key"] == cell.info["key"]


@pytest.mark.parametrize(
    ("lines", "message"), [(-1, "ends inside a cell"), (1, "stands where a cell should begin")]
)
def test_a_file_that_was_cut_is_refused(files, lines, message):
    text = files[0].read_bytes().splitlines(keepends=True)
    files[0].write_bytes(b"".join(text[:lines] if lines < 0 else text[lines:]))
    with pytest.raises(ValueError, match=message):
        list(labelled_frames(files))


def test_the_data_set_of_a_cell_is_not_looked_for_in_the_name_of_its_group(tmp_path, labelled):
    cell = labelled[0].copy()
    cell.calc = labelled[0].calc
    cell.info.pop("dataset", None)
    cell.info |= {"config_type": "thermal dataset=old run", "dataset": "literature"}
    write_cells(tmp_path / "odd.xyz", [cell])
    (frame,) = labelled_frames([tmp_path / "odd.xyz"])
    assert frame.dataset == frame.info()["dataset"] == "literature"


def test_only_the_places_that_are_wanted_are_read(files, labelled):
    name = "some-set"
    found = read_places(files, {name: {1, 4}, "absent": {0}})
    assert list(found[name]) == [1, 4]
    assert found[name][4].info["key"] == labelled[4].info["key"]
    assert found["absent"] == {}


def block_table(labelled):
    cells = [Outline.of(cell) for cell in labelled]
    blocks = np.arange(len(cells)) % 5
    parts = [draw_blocks(blocks, "set", 0, n_blocks=5, seed=0, test_fraction=0.2)]
    return draws_table(cells, [cell.info["key"] for cell in labelled], parts, blocks)


def test_cells_of_blocks_are_read_and_other_labels_refused(files, labelled):
    table = block_table(labelled)
    read = [cell.info["key"] for cell in block_cells(files, table, [1, 3])]
    assert read == list(table["key"][table["block"].isin([1, 3])])
    for place in (1, len(table) - 1):
        wrong = table.copy()
        wrong.loc[place, "key"] = "other"
        with pytest.raises(ValueError, match="draws"):
            list(block_cells(files, wrong, [wrong["block"][place]]))
    with pytest.raises(ValueError, match="draws"):
        list(block_cells(files, block_table(labelled[:-1]), [0]))


def test_errors_need_the_cells_of_their_draw_alone(files, labelled):
    name, table = "some-set", block_table(labelled)
    drawn = DrawnSet(name, 0, "whole", members({name: table}, 0, "whole")[:1])
    wanted = needed_places({name: table}, [drawn])[name]
    assert wanted == {drawn.cells[0][1], *np.flatnonzero(table["draw0"] == "test")}
    options = {"cutoff": CUTOFF, "zbl": ZBL_W}
    some = LabelledSets(read_places(files, {name: wanted}), {name: table}, **options)
    whole = LabelledSets({name: labelled}, {name: table}, **options)
    model = SnapForm(4, False).model(np.ones(15))
    rows = [sets.errors(model, drawn, name="m", seed=0) for sets in (some, whole)]
    assert len(rows[0]) == len(wanted) - 1
    np.testing.assert_allclose(rows[0]["energy_error"], rows[1]["energy_error"], rtol=1e-6)


FORMS = [SnapForm(4, True), SnapForm(4, False), SnapForm(2, True), SnapForm(3, False)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ridge", [1e-4, None])
def test_a_fit_to_sums_of_blocks_is_the_fit_to_their_cells(labelled, tmp_path, form, ridge):
    """Also of a narrower model to the sums of a wider one, and with a block without cells."""
    settings = FitSettings(form, 10.0, 1.0, ridge, None, 4)
    wide = SnapForm(4, True)
    source = wide.source(CUTOFF, "W")
    basis = basis_of_sums(survey(labelled, source), wide)
    save_basis(tmp_path / "basis.npz", basis)
    paths = [tmp_path / f"{block}.npz" for block in range(6)]
    for block, path in enumerate(paths):
        save_sums(path, sum_part(labelled[block::5] if block < 5 else [], source, basis, ZBL_W))
    found, parts = read_sums(tmp_path / "basis.npz", paths, form, [0, 2, 3, 5], summed=wide)
    model, uncertainty, fit = fit_sums(list(parts.values()), found, settings)
    chosen = [cell for n, cell in enumerate(labelled) if n % 5 in (0, 2, 3)]
    again = FitSettings(**{**vars(settings), "ridge": fit.ridge})
    options = {"cutoff": CUTOFF, "zbl": ZBL_W}
    streamed, _, _ = fit_streaming(lambda: iter(chosen), again, **options)
    mine, theirs = (predict(m, labelled, **options) for m in (model, streamed))
    np.testing.assert_allclose(mine.energies, theirs.energies, atol=1e-7)
    np.testing.assert_allclose(mine.forces, theirs.forces, atol=1e-7)
    assert fit.summary["rows"] == len(chosen) + 3 * sum(map(len, chosen))
    assert fit.path["chosen"].sum() == 1
    assert uncertainty.basis.quadratic is form.quadratic


def test_sums_refuse_what_they_cannot_hold(labelled, tmp_path):
    form = SnapForm(4, False)
    source = form.source(CUTOFF, "W")
    basis = survey(labelled, source).basis(quadratic=False)
    part = sum_part(labelled, source, basis, ZBL_W)
    with pytest.raises(ValueError, match="energy_scale"):
        fit_sums([part], basis, FitSettings(form, 10.0, 1.0, 0.1, 0.7, 4))
    with pytest.raises(ValueError, match=ONE_TRAJECTORY[:20]):
        fit_sums([part], basis, FitSettings(form, 10.0, 1.0, None, None, 4))
    wide = SnapForm(4, True)
    save_basis(tmp_path / "basis.npz", basis_of_sums(survey(labelled, source), wide))
    save_sums(tmp_path / "0.npz", part)
    with pytest.raises(ValueError, match="15 columns, 120 are needed"):
        read_sums(tmp_path / "basis.npz", [tmp_path / "0.npz"], wide, [0], summed=wide)


def test_models_share_the_sums_of_the_widest_one_that_holds_them():
    models = {
        "linear4": {"family": "linear", "twojmax": 4},
        "heavy4": {"family": "linear", "twojmax": 4, "energy_weight": 30},
        "linear6": {"family": "linear", "twojmax": 6},
        "quadratic2": {"family": "quadratic", "twojmax": 2},
        "quadratic4": {"family": "quadratic", "twojmax": 4},
        "heavy": {"family": "quadratic", "twojmax": 4, "energy_weight": 30},
        "pod": {"family": "pod", "radial_functions": [4, 3], "angular_degrees": [2]},
        "pod2": {"family": "pod", "radial_functions": [4, 2], "angular_degrees": [2]},
    }
    assert shared_sums(models, models) == {
        **{"linear4": "quadratic4", "heavy4": "quadratic4", "linear6": "linear6"},
        **{"quadratic2": "quadratic4", "quadratic4": "quadratic4", "heavy": "quadratic4"},
        **{"pod": "pod", "pod2": "pod2"},
    }


CHECKED = [
    ({"draws": 30}, {}, "30 draws hold out 1 of 21 blocks each, and no block twice"),
    ({"train_environments": 100}, {}, "train_environments: blocks are whole"),
    ({"mixed_labels": True}, {}, "mixed_labels: sums of blocks hold labels of one protocol"),
    ({}, {"family": "network", "draws": True}, "models.m: .* give a network draws: false"),
    ({}, {"family": "ace", "draws": False}, "models.m: .* leave ACE out"),
    ({}, {"energy_scale": "auto"}, "models.m.energy_scale: sums of blocks weigh all cells alike"),
    ({}, {"solver": "fitsnap"}, "models.m.solver: FitSNAP holds every row in memory"),
]


@pytest.mark.parametrize(("split", "model", "sentence"), CHECKED)
def test_a_study_that_cannot_be_summed_in_blocks_is_refused(split, model, sentence):
    block = {"by": "block", "blocks": 21, "test_fraction": 0.05, "draws": 10}
    block |= {"train_environments": None, "mixed_labels": False}
    entry = {"family": "linear", "draws": True, "energy_scale": None, "solver": "streaming"}
    check_blocks({"split": block, "models": {"m": entry}})
    with pytest.raises(ConfigError, match=sentence):
        check_blocks({"split": block | split, "models": {"m": entry | model}})
    by_trajectory = block | split | {"by": "trajectory"}
    check_blocks({"split": by_trajectory, "models": {"m": entry | model}})


def test_text_is_copied_as_it_stands(files, tmp_path):
    copy_labelled(files, tmp_path / "copy.xyz", {0, 4})
    read = list(labelled_frames(files))
    assert list(labelled_frames([tmp_path / "copy.xyz"])) == [read[0], read[4]]


def test_few_cells_are_listed_and_all_are_counted(files, members_of_set):
    """Where only tested cells are listed, one of every group is, and sizes of pools are kept."""
    table = block_table(members_of_set)
    table["group"] = ["rare", *["common"] * (len(table) - 1)]
    places = listed_places({"some-set": table})["some-set"]
    assert places == {0, 1, *np.flatnonzero(table["draw0"] == "test")}
    costs = label_costs(files)
    assert costs["n_atoms"].tolist() == [len(cell) for cell in members_of_set]
    assert costs["seconds"].tolist() == [cell.info["seconds"] for cell in members_of_set]
    (row,) = pools(costs).to_dict("records")
    assert (row["train"], row["part"], row["source"]) == ("some-set", "pool", "some-set")
    assert row["environments"] == costs["n_atoms"].sum()
