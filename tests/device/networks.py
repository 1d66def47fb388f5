"""Labels of the full-size set, networks trained on them, and their errors on the test families.

Labels are those of zhou.py, and nothing is subtracted from them: no repulsion carries the networks.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from results import Results
from sizes import Size
from zhou import Cells, label

from diverse.kernel import BispectrumSettings, NeighbourPairs, neighbour_pairs
from diverse.kernel.cuda_kernel import CudaKernel
from diverse.kernel.cuda_maps import CudaComputedJacobian
from diverse.kernel.device import Device
from diverse.kernel.packed import PackedCells
from diverse.models import predict
from diverse.models.network.data import TrainingCells
from diverse.models.network.loop import Training
from diverse.models.network.settings import TrainingSettings
from diverse.models.polynomial.fit import fit_streaming
from diverse.models.polynomial.forms import SnapForm
from diverse.models.polynomial.settings import FitSettings
from diverse.study.settings import repulsion

HELD_OUT = 20  # one in so many cells of the set is not trained on, but tested on


@dataclass(frozen=True)
class Labelled:
    """Cells with their energies (eV), forces (eV/Å) and neighbours, for any descriptor."""

    cells: Cells
    energies: np.ndarray
    forces: np.ndarray
    pairs: NeighbourPairs

    def described(self, settings: BispectrumSettings, device: Device) -> TrainingCells:
        """Return the arrays of a training, the descriptors made on the card."""
        cells, pairs = self.cells, self.pairs
        vectors, first = (
            torch.tensor(array, device=device.place) for array in (pairs.vector, pairs.first)
        )
        descriptors = CudaKernel(settings, "float64", device).forward(vectors, first)
        packed = PackedCells(
            cells.first_atom, cells.positions, cells.cells, settings.cutoff, np.diff(pairs.first)
        )
        numbers, sizes = np.arange(len(self.energies)), np.diff(cells.first_atom)
        return TrainingCells(
            settings,
            descriptors.cpu().numpy(),
            self.energies / sizes,
            self.energies,
            self.forces,
            numbers,
            packed,
        )


def label_cells(cells: Cells, cutoff: float, device: Device) -> Labelled:
    """Return cells with labels and neighbours."""
    energies, forces = label(cells, device)
    pairs = neighbour_pairs(cells.positions, cells.cells, cells.first_atom, cutoff=cutoff)
    return Labelled(cells, energies, forces, pairs)


def measure_networks(
    device: Device,
    size: Size,
    results: Results,
    study: dict[str, Any],
    cells: Cells,
    families: dict[str, Cells],
) -> None:
    """Label the set and its test families, train every network of the study, and score it.

    Every twentieth cell of the set is a test family, too.
    """
    numbers = np.arange(len(cells.cells))
    families = {"entropy": cells.chosen(numbers[::HELD_OUT]), **families}

    def labels(what: str, unlabelled: Cells) -> Labelled:
        return timed(
            results, "label", what, lambda: label_cells(unlabelled, study["cutoff"], device)
        )

    labelled = labels("entropy set", cells.chosen(numbers[numbers % HELD_OUT > 0]))
    tests = {name: labels(name, others) for name, others in families.items()}
    measure_gram(device, size, results, labelled, study)
    for twojmax in size.twojmax:
        models = {k: m for k, m in study["models"].items() if m["twojmax"] == twojmax}
        settings = BispectrumSettings(twojmax, study["cutoff"])
        measure_descriptor(device, results, models, settings, labelled, tests)


def measure_descriptor(
    device: Device,
    results: Results,
    models: dict[str, Any],
    settings: BispectrumSettings,
    labelled: Labelled,
    tests: dict[str, Labelled],
) -> None:
    """Describe all cells, and train and score the networks that see these descriptors."""
    what = {"kernel": (settings.twojmax, "float64")}
    data = timed(
        results, "describe", "entropy set", lambda: labelled.described(settings, device), **what
    )
    sets = {name: others.described(settings, device) for name, others in tests.items()}
    for name, model in models.items():
        training = train(device, results, data, name, model)
        score(device, results, training, name, sets)
        del training  # its derivatives fill the card


def train(
    device: Device,
    results: Results,
    data: TrainingCells,
    name: str,
    model: dict[str, Any],
) -> Training:
    """Train all seeds of a model together."""
    n_descriptors = data.settings.n_components
    settings = TrainingSettings.of(model, n_descriptors=n_descriptors, jacobian_memory=0)
    seeds = list(range(1, 1 + model["seeds"]))
    options = {"kernel": (data.settings.twojmax, settings.precision)}
    members = [np.arange(len(data.energies))] * len(seeds)
    start = time.perf_counter()
    training = Training(data, members, settings, seeds, device)
    results.add("networks", f"start, {name}", time.perf_counter() - start, "s", **options)

    start = time.perf_counter()
    for part in range(training.schedule.n_parts):
        training.run_part(part)
    seconds = time.perf_counter() - start
    results.add("networks", f"epochs, {name}", seconds, "s", **options)
    seen = sum(int(data.n_atoms[part].sum()) for part in training.training) * settings.epochs
    results.add("networks", f"rate, {name}", seen / seconds, "environments/s", **options)
    return training


def score(
    device: Device,
    results: Results,
    training: Training,
    name: str,
    sets: dict[str, TrainingCells],
) -> None:
    """Note the errors of every network of a training on the cells of each set."""
    for family, data in sets.items():
        sizes, atoms = data.n_atoms, np.arange(len(data.descriptors))
        force_map = CudaComputedJacobian(data.structures, data.settings, "float64", device)
        n_networks, starts = len(training.seeds), np.cumsum(sizes) - sizes
        bounds = len(atoms) * np.arange(n_networks + 1)
        site, slopes = training.stack.slopes(data.descriptors, np.tile(atoms, n_networks), bounds)
        for k in range(n_networks):
            own = slice(bounds[k], bounds[k + 1])
            energies = np.add.reduceat(site[own].astype(float), starts) / sizes
            wrong = energies + training.loss.mean_energy[k] - data.energies / sizes
            forces = force_map.forces(np.arange(len(sizes)), slopes[own].double())
            what = f"{name}, seed {training.seeds[k]}, on {family}"
            options = {"kernel": (data.settings.twojmax, ""), "n_atoms": len(atoms)}
            energy_error = 1000 * float(np.sqrt((wrong**2).mean()))
            force_error = 1000 * float(np.sqrt(((forces - data.forces) ** 2).mean()))
            results.add("score", f"energies, {what}", energy_error, "meV/atom", **options)
            results.add("score", f"forces, {what}", force_error, "meV/Å", **options)
            finite = np.isfinite(energy_error) and np.isfinite(force_error)
            results.check(bool(finite), f"{what}: an error is not finite")


def measure_gram(
    device: Device, size: Size, results: Results, labelled: Labelled, study: dict[str, Any]
) -> None:
    """Fit a quadratic model to some cells on the CPU and on the card; predictions must agree."""
    cells = ase_cells(labelled, size.gram_cells)
    form = SnapForm(max(size.twojmax), quadratic=True)
    settings = FitSettings(form, 10.0, 1.0, ridge=1.0, energy_scale=None, folds=1)
    options, found = {"cutoff": study["cutoff"], "zbl": repulsion(study)}, []
    kernel = {"kernel": (form.twojmax, "float64"), "n_atoms": sum(map(len, cells))}
    for name, place in (("CPU", None), ("card", device)):
        start = time.perf_counter()
        model, _, _ = fit_streaming(cells.copy, settings, **options, device=place)
        seconds = time.perf_counter() - start
        results.add("gram", f"quadratic fit, {name}", seconds, "s", **kernel)
        found.append(predict(model, cells, **options).energies)
    sizes = np.array([len(cell) for cell in cells])
    error = float(np.abs((found[0] - found[1]) / sizes).max())
    results.add("gram", "largest difference of predictions", error, "eV/atom", **kernel)
    results.check(error < 1e-7, f"predictions of the quadratic fits differ by {error} eV/atom")


def ase_cells(labelled: Labelled, n_cells: int) -> list[Atoms]:
    """Return the first cells of a set with their labels, each a trajectory of its own."""
    found = []
    first = labelled.cells.first_atom
    for number in range(min(n_cells, len(labelled.energies))):
        atoms = slice(first[number], first[number + 1])
        positions, vectors = labelled.cells.positions[atoms], labelled.cells.cells[number]
        cell = Atoms(["W"] * len(positions), positions, cell=vectors, pbc=True)
        energy = float(labelled.energies[number])
        cell.calc = SinglePointCalculator(
            cell, energy=energy, free_energy=energy, forces=labelled.forces[atoms]
        )
        cell.info |= {"config_type": "entropy", "trajectory": str(number)}
        found.append(cell)
    return found


def timed(results: Results, stage: str, what: str, work: Callable, **options: Any) -> Any:
    """Return what a call returns, and note the seconds it took."""
    start = time.perf_counter()
    found = work()
    results.add(stage, what, time.perf_counter() - start, "s", **options)
    return found
