"""Rates, memory and disk of networks that train on millions of environments; run it as a program.

Cells of 35 atoms, as in an entropy-maximised set of the paper's size, are described into scratch
files; then a network of each type takes the steps of the first part of its schedule, derivatives
computed anew, on cells drawn from all over the files. Rates are a second of CPU time. A process
of its own does each size, so that its peak of memory is seen.
- bytes: in scratch files, an environment.
- describe, A, B: environments a second, from labelled cells in memory into files, and of training.
- validation: part of the time of training that the curve of errors adds.
"""

import argparse
import itertools
import multiprocessing
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.kernel import BispectrumSettings
from diverse.models.network.data import TrainingCells, check_room, training_cells
from diverse.models.network.loop import Training
from diverse.models.network.model import layer_widths
from diverse.models.network.settings import TrainingSettings
from diverse.zbl import ZBL

CUTOFF, ZBL_W = 4.734, ZBL("W", 4.0, 4.8)
DISTINCT = 400  # cells, over and over again


def labelled_cells() -> list[Atoms]:
    """Return displaced bcc cells with a vacancy, with labels of no meaning."""
    rng, cells = np.random.default_rng(0), []
    for number in range(DISTINCT):
        atoms = bulk("W", cubic=True, a=3.165).repeat((3, 3, 2))[1:]
        atoms.positions += rng.normal(0, 0.2, atoms.positions.shape)
        atoms.info = {"config_type": "made", "trajectory": f"made_{number}"}
        forces, energy = rng.normal(size=(len(atoms), 3)), rng.normal(-8, 0.1) * len(atoms)
        atoms.calc = SinglePointCalculator(atoms, forces=forces, free_energy=energy, energy=energy)
        cells.append(atoms)
    return cells


def measure(environments: int, twojmax: int, batch: int) -> dict[str, float]:
    """Return the columns of a size, in a process of its own."""
    distinct, settings = labelled_cells(), BispectrumSettings(twojmax, CUTOFF)
    n_cells = -(-environments // len(distinct[0]))
    sizes = [len(distinct[0])] * n_cells
    check_room(sizes, settings)
    begin = time.process_time()
    cells = training_cells(itertools.islice(itertools.cycle(distinct), n_cells), settings, ZBL_W)
    row = {"describe": sum(sizes) / (time.process_time() - begin)}
    for shape in "AB":
        row[shape], row["validation"] = train(cells, shape, batch)
    begin = time.process_time()
    cells.fingerprint()
    row["fingerprint_s"] = time.process_time() - begin
    row["bytes"] = sum(len(file) for file in cells.files) / sum(sizes)
    row["peak_MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return row


def train(cells: TrainingCells, shape: str, batch: int) -> tuple[float, float]:
    """Return environments a second of training, and what validation adds as a part of its time."""
    settings = TrainingSettings(
        widths=layer_widths(shape, cells.settings.n_components),
        energy_weight=10,
        force_weight=1,
        epochs=1,
        batch=batch,
        learning_rate=1e-4,
        weight_decay=1e-3,
        validation_fraction=0.05,
        jacobians="matrix_free",
    )
    training = Training(cells, [np.arange(len(cells.energies))], settings, [1])
    begin = time.process_time()
    training.run_part(0)
    trained = time.process_time() - begin
    begin = time.process_time()
    training.validate()
    validated = time.process_time() - begin
    seen = int(cells.n_atoms[training.training[0]].sum()) * training.schedule.share(0)
    return seen / trained, validated / trained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=float, nargs="+", default=[1e5, 1e6])
    parser.add_argument("--twojmax", type=int, nargs="+", default=[4, 6, 8])
    parser.add_argument("--batch", type=int, default=16, help="cells a step")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    columns = ["bytes", "describe", "A", "B", "validation", "fingerprint_s", "peak_MB"]
    print("2Jmax environments", *columns)
    spawned = multiprocessing.get_context("spawn")
    for twojmax, size in itertools.product(options.twojmax, options.environments):
        with ProcessPoolExecutor(1, mp_context=spawned) as pool:
            row = pool.submit(measure, round(size), twojmax, options.batch).result()
        print(f"{twojmax:5} {size:12.0f}", *(f"{row[name]:.4g}" for name in columns), flush=True)


if __name__ == "__main__":
    main()
