"""What users bring, through the workflow: kept, relabelled, complemented, missing."""

import pandas as pd
import pytest

from diverse.structures import read_cells
from literature_sources import make_cells, xyz_frame
from paths import snakemake
from small_studies import write_study

KEPT, AGAIN = "results/mine/datasets/kept/test.xyz", "results/mine/datasets/again/test.xyz"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Folder of a study with a published set of groups 300 and T, one frame broken, one open."""
    folder = tmp_path_factory.mktemp("published")
    cells = make_cells(8)
    frames = [xyz_frame(a, group="300" if i < 4 else "T") for i, a in enumerate(cells)]
    frames[1] = frames[1].replace("energy=", "energy=None x=")
    frames[6] = xyz_frame(cells[6], group="T", extra='pbc="F F F"')
    (folder / "set <&> 'x'.xyz").write_text("\n".join(frames))
    own = {"family": "literature", "source": "set <&> 'x'.xyz", "block": 1}
    study = write_study(folder, {"kept": own, "again": {**own, "labels": "relabel"}})
    page = "results/mine/tables/import/kept/import.html"
    return folder, snakemake(folder, KEPT, AGAIN, page, *study).stdout


def test_what_was_left_out_is_said_on_the_terminal_in_the_log_and_on_a_page(published):
    folder, said = published
    line = "kept: 8 records read, 7 kept, 1 left out (1 energy: 'None' is not a number"
    assert line in said
    assert line in (folder / "results/mine/logs/import_literature/kept.log").read_text()
    page = (folder / "results/mine/tables/import/kept/import.html").read_text()
    assert "7 kept, 1 left out" in page
    problems = pd.read_csv(folder / "results/mine/tables/import/kept/problems.csv")
    assert list(problems["action"]) == ["left out", "kept"]
    assert problems["record"].str.endswith((":1", ":6")).all()


def test_groups_stay_text_through_relabel_and_split(published):
    folder, _ = published
    for name in ("kept", "again"):
        cells = [
            cell
            for part in ("train", "test")
            for cell in read_cells(folder / f"results/mine/datasets/{name}/{part}.xyz")
        ]
        assert sorted(cell.info["config_type"] for cell in cells) == ["300"] * 3 + ["T"] * 4
        assert all(isinstance(cell.info["trajectory"], str) for cell in cells)
        assert all(cell.calc is not None and cell.pbc.all() for cell in cells)


def test_a_source_that_holds_nothing_of_use_ends_in_a_sentence(tmp_path):
    (tmp_path / "set.cfg").write_text("BEGIN_CFG\n")
    study = write_study(tmp_path, {"mine": {"family": "literature", "source": "set.cfg"}})
    target = "results/mine/structures/mine/0.xyz"
    said = snakemake(tmp_path, target, *study, check=False).stdout
    assert "MTP's cfg names no elements" in said
    assert "Traceback" not in said
    log = tmp_path / "results/mine/logs/import_literature/mine.log"
    assert "MTP's cfg names no elements" in log.read_text()


def test_a_missing_source_stops_before_anything_is_planned(tmp_path):
    study = write_study(tmp_path, {"mine": {"family": "literature", "source": "data/my_set.xyz"}})
    said = snakemake(tmp_path, "-n", *study, check=False).stdout
    assert "datasets.mine: there is no file or folder 'data/my_set.xyz'; correct source" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("extra", ["", 'pbc="F F F"'])
def test_a_complement_is_read_whole_or_ends_in_a_sentence(extra, tmp_path):
    frames = [xyz_frame(atoms, energy="x", forces="y", tensor="") for atoms in make_cells(8)]
    frames[3] = xyz_frame(make_cells(8)[3], extra=extra)
    (tmp_path / "cells.xyz").write_text("\n".join(frames))
    entropy = {"family": "entropy", "estimator": "set", "cells": 6, "complement": "cells.xyz"}
    study = write_study(tmp_path, {"entropy": entropy})
    target = "results/mine/structures/entropy/complemented.npz"
    said = snakemake(tmp_path, target, *study, check=False).stdout
    assert "Traceback" not in said
    if extra:
        assert "frame cells.xyz:3 of the set to complement, cells.xyz: it does not repeat" in said
    else:
        assert (tmp_path / target).exists()
