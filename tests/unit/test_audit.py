"""The audit finds nothing in sound labels and names what is wrong in others."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.audit import audit, audit_page, probes, sample
from diverse.labelling import Effort, label_cells
from diverse.ledger import Ledger


@pytest.fixture
def compute(tmp_path):
    def label(cells, labeller):
        ledger = Ledger(tmp_path / "ledger.xyz")
        return label_cells(
            cells, labeller, ledger, effort=Effort(), log=tmp_path / "log", say=print
        )

    return label


@pytest.fixture
def shipped(labelled):
    cells = [cell.copy() for cell in labelled[:3]]
    for cell, original in zip(cells, labelled, strict=False):
        cell.info["dataset"] = "set"
        cell.calc = SinglePointCalculator(cell, **original.calc.results)
    return cells


def test_sound_labels_pass(shipped, zhou, compute):
    table = audit(shipped, zhou, compute)
    assert len(table) == 3 * 3 + 3
    assert table["within"].all()
    assert "set" in audit_page(table)


@pytest.mark.parametrize(
    ("quantity", "check"),
    [("free_energy", "energy"), ("forces", "force"), ("stress", "stress")],
)
def test_a_wrong_label_is_found(shipped, zhou, compute, quantity, check):
    shipped[1].calc.results[quantity] = shipped[1].calc.results[quantity] * 1.01
    table = audit(shipped, zhou, compute)
    wrong = table[~table["within"]]
    assert wrong[["cell", "check"]].values.tolist() == [[shipped[1].info["trajectory"], check]]


@pytest.mark.parametrize(
    ("quantity", "checks"),
    [
        ("forces", ["force", "force as derivative"]),
        ("stress", ["stress", "pressure as derivative", "shear as derivative"]),
    ],
)
def test_a_wrong_derivative_is_found(shipped, zhou, compute, quantity, checks):
    shipped[0].calc.results[quantity] = shipped[0].calc.results[quantity] + 0.02
    table = audit(shipped, zhou, compute)
    assert table.loc[~table["within"], "check"].tolist() == checks


def test_a_label_that_cannot_be_recomputed_is_infinitely_wrong(shipped, zhou):
    table = audit(shipped, zhou, lambda cells, labeller: [cell.copy() for cell in cells])
    assert np.isinf(table["difference"]).all() and not table["within"].any()


def test_probes_are_pairs_around_the_cell(shipped):
    cells = probes(shipped[0])
    for minus, plus in zip(cells[0::2], cells[1::2], strict=True):
        middle = (minus.positions + plus.positions) / 2
        np.testing.assert_allclose(middle, shipped[0].positions, atol=1e-12)
        assert not np.allclose(minus.positions, plus.positions)


def test_the_sample_is_random_labelled_and_without_repeats(labelled):
    failed = labelled[0].copy()
    drawn = [sample([failed, *labelled], 5, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    names = [[cell.info["trajectory"] for cell in cells] for cells in drawn]
    assert names[0] == names[1] != names[2]
    assert len(set(names[0])) == 5
    assert len(sample([failed], 5, np.random.default_rng(0))) == 0
