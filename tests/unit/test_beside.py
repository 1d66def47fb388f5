"""Claims of two studies side by side, and ratios of errors of sets of equal size."""

import pandas as pd
import pytest

from diverse.errors.beside import claims_beside, equal_sizes, set_facts
from diverse.report.pages.beside import beside_page

CLAIM = {"claim": "C2", "train": "expert", "reference": "entropy", "test": "neutral"}


def claims(**verdicts):
    found = {"statement": "It <is> so.", "effect": 2.0, "ci_low": 1.5, "ci_high": 2.5}
    rows = [{**CLAIM, **found, "quantity": name, "verdict": v} for name, v in verdicts.items()]
    return pd.DataFrame(rows)


@pytest.fixture
def beside():
    own = claims(energy="reproduced", forces="undecided", stress="no", spread="no data")
    return claims_beside(own, claims(energy="reproduced", forces="reproduced", spread="no"))


def test_claims_meet_by_what_they_compare(beside):
    said = beside.set_index("quantity")["agreement"].to_dict()
    assert said == {
        **{"energy": "same verdict", "forces": "another verdict"},
        **{"stress": "not asked there", "spread": "no data"},
    }
    assert beside["other_effect"].notna().tolist() == [True, True, False, True]


def test_effects_on_different_sides_of_one_are_told(beside):
    turned = claims(energy="reproduced").assign(effect=0.5, ci_low=0.4, ci_high=0.6)
    (said,) = claims_beside(turned, claims(energy="reproduced"))["agreement"]
    assert said == "same verdict, opposite effect"
    (said,) = claims_beside(turned.assign(ci_high=1.1), claims(energy="no"))["agreement"]
    assert said == "another verdict"


def sizes():
    row = {"draw": 0, "part": "whole", "core_hours": 1.0}
    return pd.DataFrame(
        [
            {**row, "train": "entropy", "source": "entropy", "cells": 10, "environments": 350},
            {**row, "train": "expert", "source": "expert", "cells": 20, "environments": 100},
            {**row, "train": "mixed", "source": "expert", "cells": 20, "environments": 100},
        ]
    )


def test_studies_differ_in_labels_sizes_and_cells():
    facts = set_facts("mine", "lammps", sizes()).set_index("train")
    assert facts["atoms_per_cell"].to_dict() == {"entropy": 35.0, "expert": 5.0}
    assert set(facts["labeller"]) == {"lammps"}


def curves():
    points = {"entropy10": 4.0, "expert10": 2.0, "entropy": 1.0, "expert": 3.0}
    rows = [
        {
            **{"train": train, "of": train.rstrip("10"), "model": "m", "quantity": "energy"},
            **{"ground": "neutral ground", "environments": 9.0, "error": error},
        }
        for train, error in points.items()
    ]
    elsewhere = {**rows[0], "ground": "expert", "error": 99.0}
    return pd.DataFrame([*rows, elsewhere])


def test_sets_of_equal_size_are_compared(beside):
    families = {name: name.rstrip("10") for name in ("entropy10", "expert10", "entropy", "expert")}
    table = equal_sizes(curves(), families, "entropy")
    assert table.set_index("size")["ratio"].to_dict() == {"10": 0.5, "whole": 3.0}
    assert set(table["of"]) == {"expert"}
    small = curves()
    small.loc[small["train"] == "expert10", "environments"] = 8.0  # all that expert has
    assert equal_sizes(small, families, "entropy")["size"].tolist() == ["whole"]
    facts = pd.concat([set_facts(name, "lammps", sizes()) for name in ("mine", "theirs")])
    page = beside_page(beside, facts, table)
    assert "Claims of mine, beside those of theirs" in page
    assert page.index("<th>10</th>") < page.index("<th>whole</th>")
    assert "{reference}" not in page
    assert "equal size</h3>" not in beside_page(beside, facts, pd.DataFrame())
