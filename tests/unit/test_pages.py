"""Pages of the report: texts that users chose are shown as they are, and nothing of them runs."""

import pandas as pd
import pytest

from claim_cases import claims_of
from diverse.report.pages.claims import claims_table
from diverse.report.pages.datasets import ablation_page, datasets_page, diversity_page
from diverse.report.pages.effects import claims_page, ratios_page
from diverse.report.pages.errors import (
    calibration_page,
    groups_page,
    shifts_page,
    transferability_page,
)
from diverse.report.pages.labels import audit_page
from diverse.report.pages.models import fits_page, search_page
from diverse.report.pages.sortable import sortable_table

WILD = "<script>alert('a & b')</script>"
SHOWN = "&lt;script&gt;alert("


def transferability():
    row = {"train": WILD, "model": WILD, "quantity": "energy", "metric": "rmse", "unit": "meV/atom"}
    return transferability_page(
        pd.DataFrame([row | {WILD: 1.0, f"{WILD}_low": 0.5, f"{WILD}_high": 2.0}]), ""
    )


def groups():
    row = {"test": WILD, "quantity": "energy", "unit": "meV/atom", "group": WILD, "n_cells": 3}
    return groups_page(pd.DataFrame([row | {f"{WILD.replace('/', '')}/linear4": 2.0}]))


def shifts():
    row = {"train": WILD, "model": "linear4", "test": WILD, "quantity": "energy", "metric": "rmse"}
    row |= {"energy_aligned": True, "group": "all", "seed": "all", "energy_shift": 0.1}
    return shifts_page(pd.DataFrame([row]))


def ratios():
    fixed = {"test": WILD, "relation": "home", "quantity": "energy", "metric": "mae"}
    fixed |= {"train": WILD, "reference": WILD, "ci_low": 1.5, "ci_high": 3.0}
    effects = pd.DataFrame([fixed | {"effect": 2.0}])
    return ratios_page(effects, pd.DataFrame([fixed | {"model": WILD, "ratio": 2.0}]))


def claims():
    texts = ("claim", "quantity", "verdict", "statement", "reading", "definition")
    return claims_page(pd.DataFrame([dict.fromkeys(texts, WILD)]))


def calibration():
    row = {"train": WILD, "model": WILD, "test": WILD, "quantity": "energy", "unit": "meV/atom"}
    row |= {"bin": 0, "n": 3, "actual": 1.0, "predicted": 2.0, "actual_over_predicted": 0.5}
    return calibration_page(pd.DataFrame([row]))


def fits():
    row = {
        "train": WILD,
        "model": WILD,
        "solver": "fitsnap",
        "ridge": 1e-9,
        "rows": 9,
        "columns": 3,
    }
    row |= {"condition": 1.0, "rank": 3, "degrees_of_freedom": 3.0, "noise": 0.1}
    compared = row | {"energy_difference": 1.23e-12, "force_difference": 4.56e-11}
    return fits_page(pd.DataFrame([compared, row | {"solver": "streaming"}]))


def search():
    row = {"train": WILD, "model": WILD, "energy_weight": 10.0, "energy_scale": float("nan")}
    row |= {"energy_rmse": 0.1, "force_rmse": 0.2, "log_ratio": 0.0, "standard_error": 0.0}
    return search_page(pd.DataFrame([row | {"n_cells": 3, "chosen": True}]))


def diversity_rows():
    fixed = {
        "measure": "log_det",
        "setting": WILD,
        "unit": "1",
        "value": 1.0,
        "spread": 0.1,
        "n": 9,
    }
    sets = [{"dataset": WILD, "other": ""}, {"dataset": WILD, "other": WILD}]
    return pd.DataFrame([fixed | names | {"environments": "all"} for names in sets])


def diversity():
    return diversity_page(diversity_rows())


def ablation():
    return ablation_page(diversity_rows().assign(seeds=2, ci_low=0.5, ci_high=1.5))


def datasets():
    return datasets_page(pd.DataFrame([{"dataset": WILD, "cells": 3}]))


def audit():
    row = {"dataset": WILD, "check": "energy", "cell": WILD, "atoms": 2, "difference": 0.1}
    return audit_page(pd.DataFrame([row | {"limit": 0.5, "unit": "meV/atom", "within": True}]))


def answer():
    texts = ("claim", "train", "reference", "test", "statement", "definition", "reading")
    return claims_table(claims_of(dict.fromkeys((*texts, "verdict", "table", "figure"), WILD)))


def sortable():
    return sortable_table(pd.DataFrame({WILD: [WILD], "value": [1.0]}), "Caption")


PAGES = [
    *(
        transferability,
        groups,
        shifts,
        ratios,
        calibration,
        search,
        fits,
        diversity,
        ablation,
        datasets,
    ),
    *(audit, claims, answer, sortable),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_no_name_of_a_user_is_markup(page):
    text = page()
    assert "<script" not in text
    assert SHOWN in text


def test_fits_show_how_far_fitsnap_is_from_the_streaming_fit():
    first, second = fits().split("<tr>")[-2:]
    assert "<td>1.2e-12</td>" in first and "<td>4.6e-11</td>" in first
    assert second.count("<td></td>") == 2  # nothing to compare with
