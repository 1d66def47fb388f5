"""Differences between variants of a labeller: constants, the Pulay fit, composite references."""

import numpy as np
import pandas as pd
import pytest
from ase.io import read
from ase.units import GPa

from diverse.labels.convergence import (
    PARTED,
    compare,
    label_noise,
    summarise_errors,
    summarise_parts,
)
from diverse.labels.labellers import Label
from diverse.labels.ledger import Ledger, attach, label_key
from diverse.report.pages.labels import convergence_page, noise_sentence
from diverse.report.plotting.labels import convergence_strips
from paths import ROOT


@pytest.fixture
def variant(labelled):
    """Return six labelled cells changed as asked: constant, forces, pressure, energies."""

    def make(energy=0.0, force=0.0, pulay=0.0, energies=0.0):
        rows = []
        for cell in labelled[:6]:
            row = cell.copy()
            row.info["seconds"] = 3.0 * len(cell)
            stress = cell.get_stress() + pulay * len(cell) / cell.get_volume() * np.array(
                [1, 1, 1, 0, 0, 0]
            )
            free = cell.get_potential_energy(force_consistent=True) + energy * len(cell)
            free += energies * len(cell) * (-1) ** len(rows)
            attach(row, Label(free, free, cell.get_forces() + force, stress))
            rows.append(row)
        return rows

    return make


def test_a_constant_is_no_error_and_the_pulay_energy_is_found(variant):
    labels = {"a": variant(energy=1.5, pulay=0.25), "b": variant()}
    table = compare(labels, {"a": ["b"], "b": []})
    assert set(table["variant"]) == {"a"}
    np.testing.assert_allclose(table["energy"], 0, atol=1e-9)
    np.testing.assert_allclose(table["force"], 0, atol=1e-9)
    np.testing.assert_allclose(table["pulay_energy"], 0.25)
    np.testing.assert_allclose(table["stress_corrected"], 0, atol=1e-9)
    expected = 0.25 / table["volume"] * np.sqrt(0.5) / GPa
    np.testing.assert_allclose(table["stress"], expected)


def test_errors_come_out_in_their_units(variant):
    labels = {"a": variant(force=0.02, energies=0.003), "b": variant()}
    (line,) = summarise_errors(compare(labels, {"a": ["b"]})).to_dict("records")
    assert line["energy"] == pytest.approx(3.0)
    assert line["largest_energy"] == pytest.approx(3.0)
    assert line["force"] == pytest.approx(20.0)
    assert line["seconds"] == pytest.approx(3.0)
    assert line["cells"] == 6


def test_a_composite_reference_adds_and_subtracts(variant):
    labels = {
        "joint": variant(force=0.07, energies=0.005),
        "k": variant(force=0.05, energies=0.002),
        "cutoff": variant(force=0.04, energies=0.004),
        "both": variant(force=0.02, energies=0.001),
    }
    (line,) = summarise_errors(compare(labels, {"joint": ["k", "cutoff", "both"]})).to_dict(
        "records"
    )
    assert line["force"] == pytest.approx(0, abs=1e-9)
    assert line["energy"] == pytest.approx(0, abs=1e-9)


def test_cells_that_one_of_them_lacks_are_left_out(variant, tmp_path):
    table = compare({"a": variant()[:4], "b": variant()[1:]}, {"a": ["b"]})
    assert len(table) == 3
    assert "Every cell" in convergence_page(table)
    convergence_strips(table).savefig(tmp_path / "a.png")


def test_cells_of_one_name_are_refused(variant):
    twice = variant()
    twice[1].info["trajectory"] = twice[0].info["trajectory"]
    with pytest.raises(ValueError, match=r"several are called strained_0: give them names"):
        compare({"a": twice, "b": variant()}, {"a": ["b"]})


def test_cells_of_the_cross_check_are_labelled_ones_of_the_release():
    labels = Ledger(None, sorted((ROOT / "results/release/labels").glob("*.xyz.xz")))
    (protocol,) = {row.info["protocol"] for row in labels.rows()}
    cells = read(ROOT / "config/crosscheck.xyz", ":")
    assert len({cell.info["trajectory"] for cell in cells}) == len(cells)
    for cell in cells:
        row = labels.find(label_key(cell, protocol))
        assert row is not None and row.calc is not None
        assert row.info["dataset"] == cell.info["dataset"]


def test_the_noise_is_that_of_the_variant_with_the_labellers_settings(variant):
    labels = {
        "own": variant(force=0.02, energies=0.003, pulay=0.1),
        "a": variant(),
        "b": variant(force=0.01),
        "c": variant(force=0.01),
    }
    errors = compare(labels, {"own": ["a", "b", "c"], "b": ["a"]})
    noise = label_noise(errors, {"dft": "own", "coarse": ""})
    first = noise.set_index("labeller").loc["dft"]
    assert first["energy"] == pytest.approx(3.0)
    assert first["stress"] > 0.1  # as it is, not as another Pulay correction would make it
    assert noise_sentence(noise).splitlines() == [
        "Label noise of dft: 3 meV/atom, 20 meV/Å "
        "(rms of 6 cells of 2 to 4 atoms against a + b - c).",
        "Label noise of coarse: not measured.",
    ]


def test_parts_are_data_sets_and_sizes_of_enough_cells(variant):
    few = compare({"own": variant(energies=0.003), "a": variant()}, {"own": ["a"]})
    assert summarise_parts(few).empty and "sizes of cells" not in convergence_page(few)
    errors = pd.concat([few] * 4, ignore_index=True).assign(dataset=["random", "expert"] * 12)
    assert len(errors) >= PARTED
    errors["atoms"] = [12, 2] * 12
    errors["energy"] = [3.0, -4.0] * 12
    errors["force"] = [20.0, 10.0] * 6 + [0.0, 10.0] * 6
    table = summarise_parts(errors).set_index("part")
    assert list(table.index) == ["random", "expert", "1-2 atoms", "9 atoms or more"]
    assert table["energy"].tolist() == pytest.approx([3.0, 4.0, 4.0, 3.0])
    assert table["force"].tolist() == pytest.approx([200**0.5, 10.0, 10.0, 200**0.5])
    assert table["cells"].tolist() == [12] * 4
    assert "sizes of cells" in convergence_page(errors)


@pytest.mark.parametrize("errors", [None, "without the variant"])
def test_noise_that_was_not_measured_is_said_not_to_be(variant, errors):
    if errors:
        errors = compare({"a": variant(), "b": variant()}, {"a": ["b"]})
    sentence = noise_sentence(label_noise(errors, {"dft": "own"}))
    assert sentence == "Label noise of dft: not measured."


def test_labels_without_a_stress_are_compared_without_it(variant):
    labels = {"a": variant(force=0.02), "b": variant(), "c": variant(force=0.01)}
    for row in labels["a"]:
        del row.calc.results["stress"]
    for row in labels["c"][1:]:
        del row.calc.results["stress"]
    table = compare(labels, {"a": ["b"], "c": ["b"]})
    none, one = table[table["variant"] == "a"], table[table["variant"] == "c"]
    np.testing.assert_allclose(table["force"], [20.0] * 6 + [10.0] * 6)
    assert none[["stress", "stress_corrected", "pulay_energy"]].isna().all(axis=None)
    assert one["stress"].notna().tolist() == [True] + [False] * 5
    noise = label_noise(table, {"mine": "a", "other": "c"})
    assert noise["stress"].tolist() == pytest.approx([np.nan, 0.0], nan_ok=True)
    assert "meV/atom, 20 meV/Å (rms of 6 cells" in noise_sentence(noise)
    assert convergence_page(none).count("no stress") == 3 + 2 * 6
    for part in (none, table):
        convergence_strips(part).canvas.draw()
