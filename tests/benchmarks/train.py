"""Speed of network training beside FitSNAP's PyTorch solver, on one core; run it as a program.

Cells as those of fit.py, but of 8 to 27 atoms; 2Jmax 8, hidden layers 64 64, energies and forces
with the same weights, the same held-out cells, float32 on both sides. FitSNAP stores its
derivatives and takes 4 cells a step (its default; each step costs it something, so that smaller
cells would favour ours); softplus and one more linear layer are its own. After each of its epochs
ours train for one epoch, cached and matrix-free, so that a noisy machine does no harm; CPU time
counts.
- train_ratio, train_matrix_free_ratio: environments per second of an epoch, training and
  validation.
- time_to_error_ratio: CPU time until the held-out force error is the lowest that FitSNAP reaches,
  descriptors and derivatives included.
"""

import argparse
import io
import os
import sys
import tempfile
import time
from contextlib import chdir, redirect_stdout
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from comparison import Comparison, Run
from fit import make_cells
from torch.optim import lr_scheduler

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.kernel import BispectrumSettings
from diverse.models.fitsnap import _configuration, _fitsnap
from diverse.models.network.data import training_cells
from diverse.models.network.loop import Training, train_networks
from diverse.models.network.loss import ForceLoss
from diverse.models.network.settings import TrainingSettings
from diverse.zbl import ZBL

FULL = 20  # cells, so that every batch of FitSNAP is full, of training and of held-out cells
DESCRIPTOR, ZBL_W, SEED = BispectrumSettings(8, 4.734), ZBL("W", 4.0, 4.8), 1
SETTINGS = TrainingSettings(
    widths=[64, 64],
    energy_weight=10,
    force_weight=1,
    epochs=30,
    batch=32,
    learning_rate=0.01,
    weight_decay=1e-3,
    validation_fraction=0.2,
)


class OurEpochs:
    """Our two ways to train, one epoch at a time, and the CPU seconds each epoch took."""

    def __init__(self, cells: list[Atoms]) -> None:
        data = training_cells(cells, DESCRIPTOR, ZBL_W)
        self.seconds: dict[str, list[float]] = {"cached": [], "matrix_free": []}
        self.trainings = {}
        for path in self.seconds:
            settings = TrainingSettings(**vars(SETTINGS) | {"jacobians": path})
            self.trainings[path] = Training(data, [np.arange(len(cells))], settings, [SEED])
        [self.validation] = self.trainings["cached"].validation

    def run(self) -> None:
        for path, training in self.trainings.items():
            begin = time.process_time()
            training.run_part(len(self.seconds[path]) % training.schedule.n_parts)
            training.validate()
            self.seconds[path].append(time.process_time() - begin)


class WatchedLoss(torch.nn.Module):
    """FitSNAP's mean squared error; notes held-out force errors, and lets us in between epochs."""

    def __init__(self, model: torch.nn.Module, ours: OurEpochs) -> None:
        super().__init__()
        self._watched, self._ours = [model], ours
        self._squares, self._calls = [], 0
        self.seconds, self.errors = [], []
        self._begin = time.process_time()

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        if self._watched[0].training and self._squares:
            self.end_epoch()
        squares = (prediction - target) ** 2
        self._calls += 1  # energies and forces take turns
        if not self._watched[0].training and self._calls % 2 == 0:
            self._squares.append(squares.detach())
        return squares.mean()

    def end_epoch(self) -> None:
        self.seconds.append(time.process_time() - self._begin)
        self.errors.append(torch.cat(self._squares).mean().sqrt().item())
        self._squares = []
        self._ours.run()
        self._begin = time.process_time()


def fitsnap(cells: list[Atoms], epochs: int, learning_rate: float, ours: OurEpochs) -> WatchedLoss:
    """Train with FitSNAP; the seconds of its rows come first in the result's `seconds`."""
    plateau = lr_scheduler.ReduceLROnPlateau

    def without_verbose(*arguments, verbose, **options):
        return plateau(*arguments, **options)

    lr_scheduler.ReduceLROnPlateau = without_verbose  # torch dropped the argument
    begin = time.process_time()
    configurations = [_configuration(cell, 1, 1) for cell in cells]
    for number in ours.validation:
        configurations[number]["test_bool"] = 1
    instance = _fitsnap()(fitsnap_settings(epochs, learning_rate), arglist=["--overwrite"])
    instance.process_configs(configurations)
    rows = time.process_time() - begin
    watched = WatchedLoss(instance.solver.model, ours)
    instance.solver.loss_function = watched
    instance.solver.perform_fit()
    watched.end_epoch()
    watched.seconds.insert(0, rows)
    return watched


def fitsnap_settings(epochs: int, learning_rate: float) -> dict[str, dict[str, object]]:
    return {
        "BISPECTRUM": {
            "numTypes": 1,
            "twojmax": DESCRIPTOR.twojmax,
            "rcutfac": DESCRIPTOR.cutoff,
            "rfac0": DESCRIPTOR.rfac0,
            "rmin0": DESCRIPTOR.rmin0,
            "wj": 1.0,
            "radelem": 0.5,
            "type": "W",
            "bzeroflag": 1,
            "quadraticflag": 0,
            "bikflag": 1,
            "dgradflag": 1,
        },
        "CALCULATOR": {
            "calculator": "LAMMPSSNAP",
            "energy": 1,
            "force": 1,
            "stress": 0,
            "per_atom_energy": 1,
            "nonlinear": 1,
        },
        "SOLVER": {"solver": "PYTORCH"},
        "PYTORCH": {
            "layer_sizes": "num_desc 64 64 1",
            "learning_rate": learning_rate,
            "num_epochs": epochs,
            "batch_size": 4,
            "energy_weight": SETTINGS.energy_weight**2,
            "force_weight": SETTINGS.force_weight**2,
            "manual_seed_flag": 1,
        },
        "REFERENCE": {
            "units": "metal",
            "pair_style": f"hybrid/overlay zero {DESCRIPTOR.cutoff} {ZBL_W.lammps_style}",
            "pair_coeff1": "* * zero",
            "pair_coeff2": f"* * zbl {ZBL_W.lammps_coeff}",
        },
    }


def our_time_to(error: float, cells: list[Atoms]) -> tuple[float, float, float]:
    """Return CPU seconds for rows, for an epoch, and until the held-out force error is `error`."""
    begin = time.process_time()
    data = training_cells(cells, DESCRIPTOR, ZBL_W)
    members = [np.arange(len(cells))]
    ForceLoss(data, members, SETTINGS)
    rows = time.process_time() - begin
    begin = time.process_time()
    [(_, history)] = train_networks(data, members, SETTINGS, [SEED], curves=True)
    epoch = (time.process_time() - begin - rows) / len(history)
    needed = next(row["epoch"] for row in history if row["validation_forces"] <= error)
    print(f"ours: lowest force error {min(r['validation_forces'] for r in history):.3f} eV/Å")
    return rows, epoch, rows + needed * epoch


def comparisons(
    rates: dict[str, float], theirs: float, ours_to_error: float, theirs_to_error: float
) -> list[Comparison]:
    """Return what is compared: epochs, both ways, and trainings to the same held-out error."""
    of, peer, unit = "of a network, 2Jmax 8", "FitSNAP", "environments/s"
    free = f"epochs {of}, derivatives made anew"
    whole = "trainings of a network, 2Jmax 8, to the same force error"
    return [
        Comparison("train", f"epochs {of}", peer, unit, rates["cached"], theirs, 12),
        Comparison("train_matrix_free", free, peer, unit, rates["matrix_free"], theirs, 3),
        Comparison("time_to_error", whole, peer, "trainings/h", ours_to_error, theirs_to_error, 10),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=int, default=12_000)
    parser.add_argument("--epochs", type=int, default=40, help="of FitSNAP")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of FitSNAP")
    parser.add_argument("--ratios", type=Path, help="table to write")
    options, run = parser.parse_args(), Run()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    cells = make_cells(options.environments, fewest=2)
    cells = cells[: len(cells) // FULL * FULL]
    n = sum(len(cell) for cell in cells)
    ours = OurEpochs(cells)
    with tempfile.TemporaryDirectory() as folder, chdir(folder), redirect_stdout(io.StringIO()):
        theirs = fitsnap(cells, options.epochs, options.learning_rate, ours)
    error, seconds = min(theirs.errors), np.cumsum(theirs.seconds)
    reached = float(seconds[1 + int(np.argmin(theirs.errors))])
    print(
        f"{len(cells)} cells, {n} environments; CPU seconds, medians over {options.epochs} epochs"
    )
    print(f"FitSNAP: rows {n / theirs.seconds[0]:.0f}/s; {error:.3f} eV/Å after {reached:.1f} s")
    rows, epoch, needed = our_time_to(error, cells)
    print(
        f"ours: rows {n / rows:.0f}/s, epoch {epoch:.3f} s; {error:.3f} eV/Å after {needed:.1f} s"
    )
    theirs_epoch = np.median(theirs.seconds[1:])
    print(f"FitSNAP {n / theirs_epoch:.0f} environments/s")
    for path, times in ours.seconds.items():
        print(f"ours, {path}: {n / np.median(times):.0f} environments/s")
    rates = {path: n / np.median(times) for path, times in ours.seconds.items()}
    run.write(options.ratios, comparisons(rates, n / theirs_epoch, 3600 / needed, 3600 / reached))
    print(f"train_ratio={theirs_epoch / np.median(ours.seconds['cached']):.1f}")
    print(f"train_matrix_free_ratio={theirs_epoch / np.median(ours.seconds['matrix_free']):.1f}")
    print(f"time_to_error_ratio={reached / needed:.1f}")


if __name__ == "__main__":
    main()
