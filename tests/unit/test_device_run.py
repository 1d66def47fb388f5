"""The script that measures everything on a card, tried at a small size on a host that plays one."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from ase.build import bulk

from diverse.generate.batch import Batch
from diverse.kernel.device import EMULATION
from paths import ROOT
from zhou_eam import zhou_energy

sys.path.append(str(ROOT / "tests/device"))
import zhou

RUN = ROOT / "tests/device/run"
ENVIRONMENT = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}


def test_it_runs_from_end_to_end_on_the_emulation(tmp_path):
    command = [RUN, "--emulate", "--out", tmp_path]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "emulation_on_the_host/results.csv") as file:
        rows = list(csv.DictReader(file))
    stages = {"machine", "build", "diversity", "generate", "label", "gram", "describe"}
    assert {row["stage"] for row in rows} == {
        *stages,
        "networks",
        "score",
        "parity",
        "rate",
        "train",
    }
    found = {row["what"]: row["value"] for row in rows}
    assert int(found["cells"]) == 6
    assert float(found["largest difference of predictions"]) < 1e-9
    for seed in (1, 2):
        mine, theirs = (float(found[f"log det, {name}, seed {seed}"]) for name in ("card", "CPU"))
        assert mine == pytest.approx(theirs, rel=1e-6)  # two steps amplify rounding little
    scores = [float(row["value"]) for row in rows if row["stage"] == "score"]
    assert len(scores) == 2 * 2 * 2 * 2  # energies and forces, types, seeds, sets
    assert all(0 < score < 1e5 for score in scores)
    parity = {row["what"]: float(row["value"]) for row in rows if row["stage"] == "parity"}
    assert set(parity) == {"forward", "vjp", "jvp"}
    assert all(0 < error < 1e-12 for error in parity.values())
    errors = [float(row["value"]) for row in rows if row["what"].startswith("force error")]
    assert len(errors) == 3
    assert abs(errors[0] - errors[1]) < 1e-9 * errors[0]  # stored or computed


def test_labels_on_a_card_are_those_of_the_formulas(lattice):
    """Energies of tests/zhou_eam.py, and forces that are their derivatives."""
    rng = np.random.default_rng(0)
    made = [bulk("W", "bcc", lattice.a, cubic=True) * (2, 1, 1), bulk("W", "fcc", 4.6), bulk("W")]
    for cell, amount in zip(made, (0.1, 0.0, 0.3), strict=True):
        cell.set_cell(cell.cell.array @ (np.eye(3) + rng.normal(0, 0.05, (3, 3))), scale_atoms=True)
        cell.positions += rng.normal(0, amount, cell.positions.shape)
    batch = Batch.of(made, np.zeros(3))
    cells = zhou.Cells(batch.positions, batch.cells, batch.first_atom)
    energies, forces = zhou.label(cells, EMULATION)
    expected = [zhou_energy(cell) for cell in made]
    np.testing.assert_allclose(energies, expected, rtol=0, atol=1e-9)
    step, atom = 1e-4, made[0]
    change = []
    for sign in (1, -1):
        moved = atom.copy()
        moved.positions[1, 2] += sign * step
        change.append(zhou_energy(moved))
    assert forces[1, 2] == pytest.approx((change[1] - change[0]) / (2 * step), abs=1e-5)
    np.testing.assert_allclose(forces[:4].sum(axis=0), 0, atol=1e-10)
    np.testing.assert_array_equal(
        np.concatenate([part.positions for part, _ in cells.pieces(4)]), batch.positions
    )


def test_without_a_card_it_ends_in_a_sentence(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a card here")
    done = subprocess.run([RUN, "--out", tmp_path], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("device is 'cuda', but")
