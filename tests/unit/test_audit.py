"""The audit finds nothing in sound labels and names what is wrong in others."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from diverse.labels.audit import (
    AuditError,
    audit,
    bare,
    cheapest,
    demand_limits,
    expected_cost,
    probes,
    sample,
    verdict,
)
from diverse.labels.chunk import label_cells
from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort
from diverse.report.pages.labels import audit_page


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
    table = audit(shipped, shipped[:1], zhou, compute)
    assert len(table) == 3 * 3 + 3
    assert table["within"].all()
    assert verdict(table) == "All 12 checks of the audit are within their limits."
    assert verdict(table) in audit_page(table)


@pytest.mark.parametrize(
    ("quantity", "check"),
    [("free_energy", "energy"), ("forces", "force"), ("stress", "stress")],
)
def test_a_wrong_label_is_found(shipped, zhou, compute, quantity, check, drilled):
    shipped[1].calc.results[quantity] = shipped[1].calc.results[quantity] * 1.01
    table = audit(shipped, shipped[:1], zhou, compute)
    wrong = table[~table["within"]]
    assert verdict(table).startswith("1 of 12 checks of the audit are beyond their limits: set (")
    assert wrong[["cell", "check"]].values.tolist() == [[shipped[1].info["trajectory"], check]]
    drilled(
        "a labeller lies by 1 %, or answers otherwise the second time",
        "`snakemake audit` says which check of which set is beyond its limit",
    )


@pytest.mark.parametrize(
    ("quantity", "checks"),
    [
        ("forces", ["force", "force as derivative"]),
        ("stress", ["stress", "pressure as derivative", "shear as derivative"]),
    ],
)
def test_a_wrong_derivative_is_found(shipped, zhou, compute, quantity, checks, drilled):
    shipped[0].calc.results[quantity] = shipped[0].calc.results[quantity] + 0.02
    table = audit(shipped, shipped[:1], zhou, compute)
    assert table.loc[~table["within"], "check"].tolist() == checks
    drilled(
        "forces or stress of a labeller are no derivative of its energy",
        "`snakemake audit` says which check of which set is beyond its limit",
    )


def test_a_label_that_cannot_be_recomputed_is_infinitely_wrong(shipped, zhou):
    table = audit(
        shipped, shipped[:1], zhou, lambda cells, labeller: [cell.copy() for cell in cells]
    )
    assert np.isinf(table["difference"]).all() and not table["within"].any()


def test_labels_without_a_stress_are_audited_without_it(shipped, zhou, compute):
    for cell in shipped[:2]:
        del cell.calc.results["stress"]
    table = audit(shipped, shipped[:1], zhou, compute)
    assert table["check"].tolist() == [
        *("energy", "force", "energy", "force", "energy", "force", "stress"),
        "force as derivative",
    ]
    said = "All 8 checks of the audit are within their limits. Labels without a stress: 2 of 3 of "
    assert verdict(table) == f"{said}set."
    nothing = audit(shipped, shipped[:1], zhou, lambda cells, labeller: [*map(bare, cells)])
    assert len(nothing) == 8 and np.isinf(nothing["difference"]).all()


def test_a_stress_that_is_not_computed_again_is_infinitely_wrong(shipped, zhou, compute):
    def forget(cells, labeller):
        rows = compute(cells, labeller)
        for row in rows:
            del row.calc.results["stress"]
        return rows

    table = audit(shipped[:1], [], zhou, forget)
    assert table.loc[~table["within"], "check"].tolist() == ["stress"]


def test_an_audit_beyond_its_limits_is_an_error(shipped, zhou, compute):
    demand_limits(audit(shipped, [], zhou, compute))
    shipped[1].calc.results["stress"] *= 1.01
    with pytest.raises(AuditError, match=r"1 of 9 checks .* beyond their limits: set \(stress\)"):
        demand_limits(audit(shipped, [], zhou, compute))


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


def test_derivatives_are_checked_where_they_are_cheap_and_say_something(shipped):
    for cell, seconds in zip(shipped, (30.0, 20.0, 10.0), strict=True):
        cell.info["seconds"] = seconds
    shipped[2].calc.results["forces"] *= 1e-6  # held at zero by symmetry
    failed = shipped[0].copy()
    assert cheapest([failed, *shipped], 3) == [shipped[1], shipped[0], shipped[2]]
    assert cheapest(shipped, 0) == []


def test_the_cost_is_that_of_what_will_be_calculated(shipped, zhou):
    for cell in shipped:
        cell.info["seconds"] = 10.0
    calls = []

    def count(cells, labeller):
        calls.extend(cells)
        return [cell.copy() for cell in cells]

    del shipped[1].calc.results["stress"]
    audit(shipped, shipped[:2], zhou, count)
    assert len(calls) == 3 + 6 + 2
    assert expected_cost(shipped, shipped[:2]) == (len(calls), 10.0 * len(calls))
