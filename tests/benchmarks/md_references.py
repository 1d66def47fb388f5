"""Speed of molecular dynamics with reference models, on one core; run it as a program.

The same run as that of `md.py` (a hot bcc crystal of 128 atoms at constant energy, time step 1 fs),
with every reference model of a study that is there: in LAMMPS those that it runs, by ASE's
`VelocityVerlet` the others. Median of processor time over rounds, so that a busy machine does no
harm.

    ./envs/run --with universal python tests/benchmarks/md_references.py [--table md_references.csv]

The table is what the figure of errors by cost shows, by the options of a reference model.
"""

import argparse
import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # of LAMMPS, of torch and of the linear algebra

import numpy as np
import pandas as pd
import yaml
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from md import cpu, crystal

from diverse import lammps_library
from diverse.errors.answers import options_text
from diverse.labels.labellers import LabellerError, make_labeller
from diverse.labels.labellers.ase import make_calculator
from diverse.study.check import load_study
from diverse.study.describe import SCHEMA
from diverse.study.settings import reference_options

STUDY = Path(__file__).parents[2] / "config/config.yaml"
STEPS = {"lammps": 50, "ase": 5}  # of one turn


def in_lammps(atoms: Atoms, options: dict[str, Any]) -> Callable[[int], object]:
    """Return what runs so many steps in LAMMPS."""
    instance = lammps_library.start()
    lammps_library.load_cell(instance, atoms, options["pair_style"], options["pair_coeff"])
    velocities = (atoms.get_velocities() * 1000 * units.fs).ravel()
    instance.scatter_atoms("v", 1, 3, (ctypes.c_double * velocities.size)(*velocities))
    lists = ["neighbor 1.0 bin", "neigh_modify every 1 delay 0 check yes", "atom_modify sort 100 0"]
    instance.commands_list([*lists, "timestep 0.001", "fix 1 all nve", "thermo 1000000", "run 1"])
    return lambda steps: instance.command(f"run {steps} pre no post no")


def by_ase(atoms: Atoms, options: dict[str, Any]) -> Callable[[int], object]:
    """Return what runs so many steps by ASE."""
    atoms.calc = make_calculator(make_labeller(options).settings)
    return VelocityVerlet(atoms, 1.0 * units.fs).run


def measure(options: dict[str, Any], repeats: int, rounds: int) -> float:
    """Return atoms times steps a second of processor time."""
    atoms = crystal(options["element"], repeats)
    run = {"lammps": in_lammps, "ase": by_ase}[options["kind"]](atoms, options)
    steps, seconds = STEPS[options["kind"]], []
    run(steps)
    for _ in range(rounds):
        start = time.process_time()
        run(steps)
        seconds.append(time.process_time() - start)
    return len(atoms) * steps / float(np.median(seconds))


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, default=STUDY)
    parser.add_argument("--repeats", type=int, default=4, help="2 repeats^3 atoms")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    study = load_study(yaml.safe_load(options.study.read_text()), str(SCHEMA))
    rows = []
    for name, block in reference_options(study).items():
        try:
            rate = measure(block, options.repeats, options.rounds)
        except LabellerError as error:
            print(f"{name} was not measured: {error}", flush=True)
            continue
        engine = {"lammps": "LAMMPS", "ase": "ASE"}[block["kind"]]
        atoms = {"engine": engine, "atoms": 2 * options.repeats**3, "rate": float(f"{rate:.4g}")}
        rows.append({"model": name, **atoms, "processor": cpu(), "options": options_text(block)})
        print(f"{name}: {rate:,.0f} atoms times steps a second in {engine}", flush=True)
    if options.table:
        pd.DataFrame(rows).to_csv(options.table, index=False)
    print(f"one core of {cpu()}")


if __name__ == "__main__":
    main()
