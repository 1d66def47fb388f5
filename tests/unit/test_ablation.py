"""The ablation: arms at equal environments, and intervals over seeds."""

import numpy as np
import pandas as pd
import pytest

from diverse.report.pages.datasets import ablation_page
from diverse.structures import write_cells
from diverse.study.ablation import ablate, arms_of, missing_arms, summarise_ablation
from diverse.study.check import load_study
from diverse.study.chunks import fit_whitening
from paths import ROOT


@pytest.fixture(scope="module")
def study():
    options = {
        "study": "ablation",
        "element": "W",
        "lattice": {"structure": "bcc", "a": 3.165},
        "labeller": "eam",
        "labellers": {"eam": {"kind": "lammps", "pair_style": "zero 5", "pair_coeff": ["* *"]}},
        "datasets": {"random": {"family": "random", "cells": 4}},
        "models": {"linear": {"family": "linear", "twojmax": 4}},
        "optimiser": {"twojmax": 4, "steps": 20},
        "ablation": {"environments": 100, "seeds": 2},
    }
    return load_study(options, ROOT / "workflow/schemas/study.schema.yaml")


@pytest.fixture(scope="module")
def rows(study, tmp_path_factory):
    from ase.build import bulk

    file = tmp_path_factory.mktemp("sets") / "crystal.xyz"
    write_cells(file, [bulk("W", a=3.165, cubic=True).repeat(4)])
    small = file.with_name("small.xyz")
    write_cells(small, [bulk("W", a=3.165)])
    others = {"crystal": [file], "small": [small]}
    return ablate(study, others, fit_whitening(study), (0.015,))


def test_every_set_counts_the_same_environments_and_small_ones_are_left_out(rows):
    assert set(rows["dataset"]) == {"random", "cell", "set", "crystal"}
    assert set(rows["n"]) == {100}
    assert set(rows["seed"]) == {0, 1}


def test_set_entropy_spans_the_largest_volume_and_a_perfect_crystal_none(rows):
    means = rows[rows["measure"] == "log_det"].groupby("dataset")["value"].mean()
    assert means["crystal"] < means["random"] < means["set"]
    assert means["crystal"] == pytest.approx(14 * np.log(1e-3), rel=1e-6)


def test_cells_of_two_atoms_have_no_entropy_of_their_own(study, caplog):
    """Their set is left out, and the log and the report say so."""
    small = study | {
        "sampler": study["sampler"] | {"atoms": [1, 6]},
        "ablation": {"environments": 30, "seeds": 1},
    }
    rows = ablate(small, {}, fit_whitening(small), (0.015,))
    assert set(rows["dataset"]) == {"random", "set"}
    assert caplog.text.count("Without the set cell: sampler.atoms begins below 3") == 1
    summary = summarise_ablation(rows)
    assert "<p>Without the set cell" in ablation_page(summary, missing_arms(summary))
    assert list(arms_of(study)) == ["random", "cell", "set"]
    assert missing_arms(pd.DataFrame({"dataset": ["cell"]})) == []


def test_seeds_differ(rows):
    values = rows[(rows["measure"] == "log_det") & (rows["dataset"] == "set")]["value"]
    assert values.nunique() == 2


def test_interval_is_students_t_over_seeds():
    rows = pd.DataFrame({"seed": [0, 1, 2], "value": [1.0, 2.0, 3.0]}).assign(
        dataset="set", other="", measure="log_det", setting="", unit="1", n=10
    )
    (row,) = summarise_ablation(rows).to_dict("records")
    half = 4.302652729696142 / np.sqrt(3)  # t of 2 degrees of freedom at 97.5 %, times s / sqrt(n)
    assert (row["value"], row["seeds"]) == (2.0, 3)
    assert row["ci_high"] - row["value"] == pytest.approx(half)
    assert row["value"] - row["ci_low"] == pytest.approx(half)
