"""Speed of molecular dynamics with exported potentials, in LAMMPS and by ASE; run it as a program.

The same run on both sides, on one core: a hot bcc crystal of 128 atoms at constant energy, time
step 1 fs. LAMMPS runs the lines of `potential.lammps` with `fix nve` and its neighbour lists; ASE's
`VelocityVerlet` takes forces from `PotentialCalculator`, a new neighbour search in every step
included. The sides take turns, and medians of processor time are compared, so that a busy machine
does no harm. ACE, which the LAMMPS of the environment does not run, is run by ASE alone. The last
line is the ratio for the first potential.

    python tests/benchmarks/md.py [--table md.csv] [POTENTIAL ...]

Potentials are folders, by default the linear one of 2Jmax 8 that is released. The table is what the
model cards show, by form of model: speed does not depend on the training set.
"""

import argparse
import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # of the kernel, of LAMMPS and of the linear algebra

import numpy as np
import pandas as pd
from ase import Atoms, units
from ase.build import bulk
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet
from comparison import Comparison, Run, cpu

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse import lammps_library
from diverse.models import Model
from diverse.models.calculator import PotentialCalculator
from diverse.models.export import lammps_commands
from diverse.models.network.model import NetworkModel, layer_widths

RELEASED = Path(__file__).parents[2] / "results/release/potentials"
TEMPERATURE = 2000.0  # K, at the start; half of it becomes potential energy
STEPS = 50  # of one turn


def crystal(element: str, repeats: int) -> Atoms:
    """Return a hot crystal of 2 repeats^3 atoms."""
    atoms = bulk(element, "bcc", cubic=True).repeat(repeats)
    thermalize_momenta(atoms, temperature_K=TEMPERATURE, rng=np.random.default_rng(0))
    return atoms


def in_lammps(atoms: Atoms, calculator: PotentialCalculator, folder: Path) -> object:
    """Return a LAMMPS instance that is ready to run these atoms."""
    instance = lammps_library.start()
    commands = lammps_commands(calculator.model, str(folder), calculator.zbl)
    lammps_library.load_cell(instance, atoms, *commands)
    velocities = (atoms.get_velocities() * 1000 * units.fs).ravel()
    instance.scatter_atoms("v", 1, 3, (ctypes.c_double * velocities.size)(*velocities))
    lists = ["neighbor 1.0 bin", "neigh_modify every 1 delay 0 check yes", "atom_modify sort 100 0"]
    run = ["timestep 0.001", "fix 1 all nve", "thermo 1000000", f"run {STEPS}"]
    instance.commands_list([*lists, *run])
    return instance


def measure(folder: Path, repeats: int, rounds: int) -> dict[str, float]:
    """Return atoms times steps a second of processor time, on both sides."""
    calculator = PotentialCalculator(folder)
    atoms = crystal(calculator.zbl.element, repeats)
    runs: dict[str, Callable[[], object]] = {"ase": lambda: dynamics.run(STEPS)}
    if calculator.model.in_lammps:
        instance = in_lammps(atoms, calculator, folder)
        runs = {"lammps": lambda: instance.command(f"run {STEPS} pre no post no"), **runs}
    atoms.calc = calculator
    dynamics = VelocityVerlet(atoms, 1.0 * units.fs)
    dynamics.run(STEPS)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    found = {name: len(atoms) * STEPS / float(np.median(times)) for name, times in seconds.items()}
    return {"lammps": np.nan, **found}


def network_type(model: Model) -> str:
    """Return A or B for a network, nothing for a polynomial."""
    if not isinstance(model, NetworkModel):
        return ""
    widths = [len(bias) for bias in model.biases[:-1]]
    return next(name for name in "AB" if layer_widths(name, len(model.mean)) == widths)


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("potentials", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=4, help="2 repeats^3 atoms")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--ratios", type=Path, help="table of the ratio of the first potential")
    options = parser.parse_args()
    run, rows = Run(), []
    for folder in options.potentials or [RELEASED / "entropy-linear8-0"]:
        speeds = measure(folder, options.repeats, options.rounds)
        calculator = PotentialCalculator(folder)
        rows.append(
            {
                "model": folder.resolve().name.split("-")[1],
                "family": calculator.model.family,
                "type": network_type(calculator.model),
                "twojmax": calculator.model.twojmax,
                "n_parameters": calculator.model.n_parameters,
                "atoms": 2 * options.repeats**3,
                **{f"{name}_rate": np.round(speed) for name, speed in speeds.items()},
                "ratio": round(speeds["ase"] / speeds["lammps"], 2),
                "processor": cpu(),
            }
        )
        print(pd.DataFrame(rows[-1:]).drop(columns="processor").to_string(index=False), flush=True)
    if options.table:
        whole = dict.fromkeys(["twojmax", "lammps_rate", "ase_rate"], "Int64")
        pd.DataFrame(rows).astype(whole).to_csv(options.table, index=False)
    first = rows[0]
    work = f"molecular dynamics of {first['atoms']} atoms by ASE"
    rates = first["ase_rate"], first["lammps_rate"]
    run.write(options.ratios, [Comparison("md", work, "LAMMPS", "atoms x steps/s", *rates, 8)])
    print(f"{rows[0]['atoms']} atoms, one core of {cpu()}; rates in atoms times steps a second")
    print(f"md ratio={rows[0]['ratio']:.2f}")


if __name__ == "__main__":
    main()
