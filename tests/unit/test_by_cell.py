"""Errors cell by cell: against predictions, only where a draw holds out, whatever the names."""

import numpy as np
import pandas as pd
import pytest

from diverse.datasets.draws import DrawnSet
from diverse.errors.by_cell import (
    ROWS,
    LabelledSets,
    error_rows,
    write_rows,
)
from diverse.errors.draws import read_errors
from diverse.errors.inventory import compositions, describe_cells
from diverse.models import predict
from model_cases import CUTOFF, ZBL_W, make_model

FIXED = {"train": "t", "model": "m", "draw": 0, "part": "whole", "seed": 0, "test": "x"}


@pytest.fixture
def table(labelled):
    keys = [cell.info["key"] for cell in labelled]
    parts = np.resize(["a", "b", "test"], len(labelled))
    return pd.DataFrame({"cell": range(len(labelled)), "key": keys, "draw0": parts})


def test_rows_are_errors_of_the_cells_they_name(labelled):
    found = predict(make_model("linear"), labelled, cutoff=CUTOFF, zbl=ZBL_W)
    protocols = {cell.info["protocol"] for cell in labelled}
    rows = error_rows(FIXED, np.arange(len(labelled)), labelled, found, protocols)
    assert list(rows.columns) == ROWS
    last, forces = labelled[-1], found.forces[-len(labelled[-1]) :]
    energy = 1e3 * (found.energies[-1] - last.get_potential_energy()) / len(last)
    assert rows["energy_error"].iloc[-1] == pytest.approx(energy)
    squared = 1e6 * ((forces - last.get_forces()) ** 2).sum()
    assert rows["forces_squared"].iloc[-1] == pytest.approx(squared)


def test_another_protocol_costs_the_mean_error_of_energies(labelled):
    found = predict(make_model("linear"), labelled, cutoff=CUTOFF, zbl=ZBL_W)
    numbers = np.arange(len(labelled))
    rows = error_rows(FIXED, numbers, labelled, found, {"another"})
    assert rows["energy_error"].mean() == pytest.approx(0, abs=1e-6)
    same = {cell.info["protocol"] for cell in labelled}
    apart = error_rows(FIXED, numbers, labelled, found, same)
    shift = apart["energy_error"] - rows["energy_error"]
    assert shift.to_numpy() == pytest.approx(apart["energy_error"].mean())
    assert (apart["forces_squared"] == rows["forces_squared"]).all()


def test_only_cells_that_the_draw_holds_out_are_tested(labelled, table):
    sets = LabelledSets({"x": labelled}, {"x": table}, cutoff=CUTOFF, zbl=ZBL_W)
    drawn = DrawnSet("x", 0, "a", [("x", 0), ("x", 3)])
    rows = sets.errors(make_model("quadratic"), drawn, name="q", seed=2)
    assert list(rows["cell"]) == list(np.flatnonzero(table["draw0"] == "test"))
    names = rows[["train", "model", "draw", "part", "seed", "test"]].drop_duplicates()
    assert names.to_numpy().tolist() == [["x", "q", 0, "a", 2, "x"]]
    assert [s.part for s in sets.drawn("x")] == ["whole", "a", "b"]
    assert sets.cells(drawn.cells) == [labelled[0], labelled[3]]


def test_draws_of_other_labels_are_refused(labelled, table):
    table.loc[1, "key"] = "other"
    with pytest.raises(ValueError, match=r"draws of x are of other labels .* datasets/x/draws.csv"):
        LabelledSets({"x": labelled}, {"x": table}, cutoff=CUTOFF, zbl=ZBL_W)


def test_cells_and_training_sets_are_described(labelled, monkeypatch):
    monkeypatch.setitem(labelled[0].info, "seconds", 7200.0)
    cells = describe_cells({"x": dict(enumerate(labelled))})
    assert len(cells) == len(labelled)
    first, forces = cells.iloc[0], labelled[0].get_forces()
    assert first["energy"] == pytest.approx(labelled[0].get_potential_energy() / len(labelled[0]))
    assert first["forces_squared"] == pytest.approx((forces**2).sum())
    drawn = DrawnSet("mixed", 1, "whole", [("x", 0), ("x", 2)])
    (row,) = compositions([drawn], cells).to_dict("records")
    sizes = len(labelled[0]) + len(labelled[2])
    assert (row["source"], row["cells"], row["environments"]) == ("x", 2, sizes)
    known = sum(labelled[place].info.get("seconds", 0) for place in (0, 2))
    assert row["core_hours"] == pytest.approx(known / 3600)


def test_rows_are_read_back_with_their_names_as_text(tmp_path):
    row = dict.fromkeys(ROWS, 1) | {"group": "300", "trajectory": "007", "test": "nan"}
    write_rows(tmp_path / "a.csv.xz", [pd.DataFrame([row])])
    write_rows(tmp_path / "b.csv.xz", [pd.DataFrame([row])])
    assert (tmp_path / "a.csv.xz").read_bytes() == (tmp_path / "b.csv.xz").read_bytes()
    back = read_errors([tmp_path / "a.csv.xz"])
    assert back[["group", "trajectory", "test"]].iloc[0].tolist() == ["300", "007", "nan"]
