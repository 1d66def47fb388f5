"""Dynamics with a potential of LAMMPS, with exported models, and tables of made-up runs."""

import ctypes

import numpy as np
import pandas as pd
import pytest
from ase import units
from ase.build import bulk
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from ase.md.verlet import VelocityVerlet

from diverse import lammps_library
from diverse.dynamics.conservation import (
    COLUMNS,
    Protocol,
    conservation_rows,
    deviations,
    mean_temperature,
)
from diverse.dynamics.slopes import order_of_conservation, slopes_table
from diverse.dynamics.verlet import Run, Thermostat, integrate
from diverse.errors.draws import read_table
from diverse.models import Predictions
from diverse.models.calculator import PotentialCalculator
from diverse.models.export import digest, lammps_commands, write_commands
from diverse.report.pages.dynamics import dynamics_page
from diverse.report.plotting.dynamics import conservation_panels
from model_cases import CUTOFF, ZBL_W, make_model


def hot_crystal(temperature=2000.0, seed=0, repeats=2):
    cell = bulk("W", "bcc", a=3.165, cubic=True).repeat(repeats)
    thermalize_momenta(cell, temperature_K=temperature, rng=np.random.default_rng(seed))
    Stationary(cell)
    return cell


def exported(folder, family="linear"):
    model = make_model(family)
    model.write(folder, "W", CUTOFF)
    write_commands(model, folder, ZBL_W)
    return model


def test_velocity_verlet_is_of_second_order(zhou_batches):
    protocol = Protocol(1000.0, 100.0, 200.0, {1.0: 2, 2.0: 2, 4.0: 2, 8.0: 2})
    table = rows_of(zhou_batches, protocol)
    assert list(table["timestep"]) == [1, 1, 2, 2, 4, 4, 8, 8]
    assert (table["reason"] == "").all()
    assert (table["length"] == 200).all()
    table[["train", "model", "potential"]] = "entropy", "zhou", "shipped"
    row = slopes_table(table, 8.0).iloc[0]
    # the error of fourth order is (8 fs x 2 pi x 7 THz)^2 = 0.12 of that of second, at the largest
    assert row["slope"] == pytest.approx(2, abs=0.1)
    assert np.isnan(row["departure"])
    assert row["failed"] == 0
    assert row["drift_ratio"] < 1


def test_a_temperature_leaves_out_the_motion_of_the_centre_of_mass():
    crystal = hot_crystal()
    n = len(crystal)
    kinetic = np.array([crystal.get_kinetic_energy() / n])
    assert mean_temperature(kinetic, n) == pytest.approx(crystal.get_temperature() * n / (n - 1))


def test_steps_are_those_of_ase_and_lammps(tmp_path):
    """The same run by the batched integrator, by ASE with the calculator, and by LAMMPS."""
    model = exported(tmp_path)
    start = hot_crystal(300.0)
    calculator = PotentialCalculator(tmp_path)
    ours, beside = Run(start), Run(hot_crystal(300.0, seed=1))
    integrate([ours, beside], calculator.evaluate, timestep=1.0, steps=20)
    assert not ours.reason

    ase = start.copy()
    ase.calc = calculator
    VelocityVerlet(ase, 1.0 * units.fs).run(20)
    np.testing.assert_allclose(ours.cell.positions, ase.positions, atol=1e-10)
    np.testing.assert_allclose(ours.velocities, ase.get_velocities(), atol=1e-10)
    assert ours.potential[-1] * len(ase) == pytest.approx(ase.get_potential_energy(), abs=1e-8)

    instance = lammps_library.start()
    lammps_library.load_cell(instance, start, *lammps_commands(model, str(tmp_path), ZBL_W))
    velocities = (start.get_velocities() * 1000 * units.fs).ravel()
    instance.scatter_atoms("v", 1, 3, (ctypes.c_double * velocities.size)(*velocities))
    instance.commands_list(["neighbor 1.0 nsq", "timestep 0.001", "fix 1 all nve", "run 20"])
    places = np.array(instance.gather_atoms("x", 1, 3)).reshape(-1, 3)
    kinetic = instance.get_thermo("ke")
    instance.close()
    moved = ours.cell.positions - places
    moved -= np.rint(moved @ np.linalg.inv(start.cell.array)) @ start.cell.array
    # LAMMPS' constants of unit conversion differ from ASE's in the sixth digit
    reach = np.abs(ours.cell.positions - start.positions).max()
    assert reach > 0.05
    np.testing.assert_allclose(moved, 0, atol=1e-5 * reach)
    assert ours.kinetic[-1] * len(start) == pytest.approx(kinetic, rel=1e-4)


def test_a_thermostat_keeps_its_temperature(zhou_batches):
    runs = [Run(hot_crystal(600.0, seed), np.random.default_rng(seed)) for seed in range(4)]
    integrate(runs, zhou_batches, timestep=4.0, steps=250, thermostat=Thermostat(300.0, 50.0))
    kinetic = np.array([run.kinetic[100:] for run in runs])
    temperature = kinetic.mean() / (1.5 * units.kB)
    # 4 runs of 48 momenta, forgotten about every 50 fs: 4 x 12 x 48 / 2 independent squares
    assert temperature == pytest.approx(300, abs=4 * 300 / np.sqrt(4 * 12 * 48 / 2))


def exploding(after):
    """Energies and forces of a free crystal, until so many evaluations later all of it bursts."""
    calls = []

    def evaluate(cells):
        calls.append(1)
        n = sum(map(len, cells))
        push = 1e3 if len(calls) > after else 0.0
        forces = push * np.random.default_rng(len(calls)).normal(size=(n, 3))
        return Predictions(np.zeros(len(cells)), forces, np.zeros((len(cells), 6)))

    return evaluate


def rows_of(evaluate, protocol):
    """Rows of a small crystal, with two streams."""
    crystal = bulk("W", "bcc", a=3.165, cubic=True).repeat(2)
    streams = [np.random.default_rng(seed) for seed in range(2)]
    rows = conservation_rows(crystal, evaluate, protocol, streams)
    return pd.DataFrame(rows, columns=COLUMNS)


def test_runs_that_fail_are_rows_with_their_reason():
    protocol = Protocol(1000.0, 20.0, 40.0, {1.0: 2, 2.0: 1, 4.0: 1})
    rows = rows_of(exploding(30), protocol)
    assert rows["reason"].str.contains("energy jump of|temperature run-away").all()
    assert rows["energy_rms"].isna().all()
    assert (rows["length"] < 40).all()
    rows = rows_of(exploding(3), protocol)
    assert rows["reason"].str.startswith("equilibration: temperature run-away").all()
    assert (rows["length"] == 0).all()
    rows[["train", "model", "potential"]] = "entropy", "bad", "none"
    table = slopes_table(rows, 8.0)
    assert np.isnan(table["slope"].item())
    assert table["departure"].item() == 1.0
    assert (table["failed"].item(), table["seeds"].item()) == (4, 2)
    table["origin"] = "this study"
    assert "equilibration: temperature run-away" in dynamics_page(table)
    conservation_panels(rows, table, {"entropy": "entropy"}).clear()


def test_atoms_that_coincide_end_their_run_alone(tmp_path):
    exported(tmp_path)
    fine, bad = hot_crystal(300.0), hot_crystal(300.0)
    bad.positions[1] = bad.positions[0] + 1e-4
    runs = [Run(bad), Run(fine)]
    integrate(runs, PotentialCalculator(tmp_path).evaluate, timestep=1.0, steps=3)
    assert runs[0].reason.startswith("lost atoms: Atom 0 of cell 0 overlaps atom 1")
    assert (runs[1].reason, len(runs[1].potential)) == ("", 4)


def test_deviations_are_what_they_are_called():
    times = np.arange(1001) * 2.0
    wave = 0.001 * np.sqrt(2) * np.sin(2 * np.pi * times / 40)
    kinetic = 0.4 + 0.02 * np.sqrt(2) * np.cos(2 * np.pi * times / 100)
    found = deviations(5.0 + wave, kinetic, 2.0)
    assert found["energy_rms"] == pytest.approx(1.0, rel=1e-3)
    assert found["kinetic_std"] == pytest.approx(20.0, rel=1e-3)
    found = deviations(5.0 + 0.003 * times / 1000, kinetic, 2.0)
    assert found["drift"] == pytest.approx(3.0)
    assert found["drift_ratio"] == pytest.approx(3.0 * 2.0 / 20.0, rel=1e-3)


def made_up(slope=2.0, late=1.0, train="entropy", model="linear4"):
    """Runs whose deviation is a power of the time step; at 15 fs `late` times as much."""
    steps = np.array([1.0, 2.0, 4.0, 8.0, 15.0])
    rows = [
        {"timestep": step, "seed": seed, "energy_rms": (1 + seed) * 0.01 * step**slope}
        for seed in range(3)
        for step in steps
    ]
    table = pd.DataFrame(rows).assign(train=train, model=model, potential="abc")
    table.loc[table["timestep"] == 15, "energy_rms"] *= late
    return table.assign(drift=-0.5, drift_ratio=0.1, reason="")


def test_slopes_and_departures_of_made_up_runs():
    other, late = made_up(1.5, late=2.1, model="other"), made_up(late=1.9, model="late")
    runs = pd.concat([made_up(), other, late])
    table = slopes_table(runs, 8.0).set_index("model")
    np.testing.assert_allclose(table["slope"], [2.0, 1.5, 2.0])
    np.testing.assert_allclose(table["ci_low"], table["slope"], atol=1e-12)
    np.testing.assert_allclose(table["deviation"], 0.01 * 6 ** (1 / 3))
    np.testing.assert_array_equal(table["departure"], [np.nan, 15.0, np.nan])
    assert (table["drift"] == 0.5).all()
    found = order_of_conservation(table)
    assert found["effect"] == pytest.approx(5.5 / 3)
    # Student's t with 2 degrees of freedom: 4.303
    assert found["effect"] - found["ci_low"] == pytest.approx(4.303 * np.sqrt(1 / 12 / 3), rel=1e-3)


def test_digests_of_digits_stay_text(tmp_path):
    made_up().assign(potential="1234567890e12345").to_csv(tmp_path / "rows.csv", index=False)
    rows = read_table(tmp_path / "rows.csv", ["train", "potential"])
    assert set(rows["potential"]) == {"1234567890e12345"}
    assert set(rows["reason"]) == {""}


def test_digests_follow_the_files(tmp_path):
    exported(tmp_path)
    first = digest(tmp_path)
    assert digest(tmp_path) == first
    path = tmp_path / "potential.snapcoeff"
    path.write_text(path.read_text() + "\n")
    assert digest(tmp_path) != first
