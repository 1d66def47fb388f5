"""Model cards: their facts are those of the data, and none may be missing."""

import numpy as np
import pandas as pd
import pytest
import yaml
from jinja2 import UndefinedError

from diverse.errors.scores import data_hash
from diverse.report.model_card import TrainingSet, error_rows, render_card, settings_rows
from diverse.study.check import load_study
from diverse.study.settings import model_kind
from paths import ROOT

SCHEMA = ROOT / "workflow/schemas/study.schema.yaml"


def test_training_set_is_surveyed(labelled):
    found = TrainingSet.of(iter(labelled))
    assert (found.cells, found.environments) == (40, sum(map(len, labelled)))
    assert found.data_hash == data_hash([cell.info["key"] for cell in labelled])
    volumes = [cell.get_volume() / len(cell) for cell in labelled]
    assert found.volume == (min(volumes), max(volumes))
    energies = [cell.get_potential_energy() / len(cell) for cell in labelled]
    assert found.energy == (min(energies), max(energies))
    forces = np.concatenate([cell.get_forces() for cell in labelled])
    assert found.force[1] == pytest.approx(np.sqrt((forces**2).sum(axis=1)).max())
    assert found.d_min == min(cell.info["d_min"] for cell in labelled)
    ((protocol, words),) = found.protocols.items()
    assert protocol == labelled[0].info["protocol"]
    assert words.startswith("labeller lammps, code lammps 2025")
    with pytest.raises(ValueError, match="no labelled training cells: see tables/failures.csv"):
        TrainingSet.of([])


@pytest.mark.parametrize("study", ["config", "smoke"])
def test_every_setting_has_a_meaning(study):
    schema = yaml.safe_load(SCHEMA.read_text())
    loaded = load_study(yaml.safe_load((ROOT / f"config/{study}.yaml").read_text()), str(SCHEMA))
    blocks = [(block["kind"], block) for block in loaded["labellers"].values()]
    for model in loaded["models"].values():
        blocks.append((model_kind(model), model))
    for kind, block in blocks:
        rows = settings_rows(schema, kind, block)
        assert all(row["meaning"] for row in rows)
        told = {row["name"] for row in rows} | {"kind", "family"}
        assert told >= {name for name, value in block.items() if value is not None}


def test_settings_keep_their_values():
    schema = yaml.safe_load(SCHEMA.read_text())
    block = {"kind": "lammps", "pair_style": "zero 4", "pair_coeff": ["* *"]}
    assert settings_rows(schema, "lammps", block) == [
        {"name": "pair_style", "value": "`zero 4`", "meaning": "What follows pair_style in LAMMPS"},
        {
            "name": "pair_coeff",
            "value": '`["* *"]`',
            "meaning": "What follows each pair_coeff in LAMMPS",
        },
    ]


def test_errors_are_those_of_one_seed():
    fixed = {"group": "all", "metric": "rmse", "energy_aligned": False, "n_cells": 7}
    rows = [
        {"test": "hot", "quantity": quantity, "seed": seed, "value": value} | fixed
        for quantity, seed, value in (
            ("energy", "all", 1.0),
            ("energy", "1", 12.3456),
            ("forces", "1", 200.0),
        )
    ]
    scores = pd.DataFrame(rows).assign(ci_low=0.5, ci_high=[2.0, 20.0, np.nan])
    scores.loc[2, "ci_low"] = np.nan
    assert error_rows(scores, "1", {"hot": "expert"}) == [
        {
            **{"name": "hot", "family": "expert", "cells": 7, "aligned": False},
            **{"energy": "12.35 [0.5, 20]", "forces": "200"},
        }
    ]


def test_a_missing_fact_is_an_error():
    with pytest.raises(UndefinedError, match="'model' is undefined"):
        render_card(ROOT / "workflow/report/model_card.md", seed="0")


@pytest.mark.parametrize(
    ("family", "shown", "absent"),
    [
        ("network", ["bispectrum components, 2Jmax = 4, cutoff 4.7 Å |"], "of 22 July 2025"),
        ("pod", ["(POD), on top", "| POD of LAMMPS, cutoff 4.7 Å |", "of 22 July 2025"], "2Jmax"),
        ("ace", ["(ACE), on top", "has no ML-PACE", "./envs/run --with ace"], "npt.lammps"),
    ],
)
def test_a_whole_card(labelled, family, shown, absent):
    model = {"study": "s", "train": "hot", "model": "net", "family": family, "twojmax": 4}
    test = {"name": "hot", "family": "expert", "cells": 7, "aligned": True}
    row = {"name": "cutoff_energy", "value": "`350`", "meaning": "Plane-wave cutoff (eV)"}
    card = render_card(
        ROOT / "workflow/report/model_card.md",
        **{"element": "W", "cutoff": 4.7, "zbl": {"inner": 4.0, "outer": 4.8}, "seed": "1"},
        model=model | {"n_parameters": 99},
        **{
            "n_seeds": 2,
            "fit": None,
            "labeller": [row],
            "settings": [],
            "commands": "pair_style x",
            "input": "run 1",
            "example": {"atoms": 2000},
            "speed": {"processor": "a CPU", "atoms": 128, "lammps_rate": 6273, "ase_rate": 31274},
        },
        origin={"family": "expert"},
        training=TrainingSet.of(labelled),
        tests=[test | {"energy": "12 [1, 20]", "forces": "200"}],
        export={"cells": 7, "energy_difference": 1e-13, "force_difference": 2e-12},
    )
    assert "# net trained on hot, seed 1" in card
    assert all(text in card for text in shown) and absent not in card
    assert "| cutoff_energy | `350` | Plane-wave cutoff (eV) |" in card
    assert "| hot | expert, held out of the training data set | 7 | 12 [1, 20] * | 200 |" in card
    in_lammps = family != "ace"
    assert ("`lmp -in npt.lammps` holds 2000 atoms" in card) == in_lammps
    assert ("\n```\nrun 1\n```\n" in card) == in_lammps
    assert ("6,273 in LAMMPS, 31,274 by the ASE" in card) == in_lammps
    assert "31,274 by the ASE calculator" in card
    assert "one constant an atom was removed" in card
    assert "ridge taken" not in card and "FitSNAP" not in card
    assert "|\n\n|" not in card  # no empty line tears a table apart
