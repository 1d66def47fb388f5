"""Speed and error of training on a card, by batch and by map of forces.

Labels are energies and forces of a random network.
"""

import time
from dataclasses import replace

import numpy as np
from kernels import CUTOFF, packed_cells
from results import Results
from sizes import Size

from diverse.kernel import BispectrumSettings, Kernel
from diverse.kernel.cuda_maps import CudaComputedJacobian
from diverse.kernel.device import Device
from diverse.models.network.cuda_stack import CudaNetworkStack
from diverse.models.network.data import TrainingCells
from diverse.models.network.loop import Training, train_networks
from diverse.models.network.settings import TrainingSettings
from diverse.models.network.stack import initial_parameters


def labelled_cells(device: Device, size: Size) -> TrainingCells:
    """Return cells with the energies and forces of a random network."""
    twojmax, dtype = size.training
    packed, pairs = packed_cells(size.environments)
    settings, n = BispectrumSettings(twojmax, CUTOFF), len(pairs.first) - 1
    descriptors, first_atom = Kernel(settings).forward(pairs.vector, pairs.first), packed.first_atom
    shape = [settings.n_components, 32, 1]
    parameters = 3 * initial_parameters(shape, 7, dtype)[None]
    parameters[:, : 32 * shape[0]] *= 30
    mean, scale = descriptors.mean(axis=0)[None], descriptors.std(axis=0)[None]
    stack = CudaNetworkStack(shape, parameters, mean, scale, device)
    site, slopes = stack.slopes(descriptors, np.arange(n), np.array([0, n]))
    everything = np.arange(len(first_atom) - 1)
    forces = CudaComputedJacobian(packed, settings, dtype, device).forces(everything, slopes)
    energies = np.add.reduceat(site.astype(float), first_atom[:-1])
    labels = energies / np.diff(first_atom)
    return TrainingCells(
        settings, descriptors, labels, energies, forces.astype(float), everything, packed
    )


def measure_training(device: Device, size: Size, results: Results) -> None:
    """Time epochs by batch and by map of forces; the same seed must give the same bytes."""
    cells = labelled_cells(device, size)
    n, everything = int(cells.n_atoms.sum()), [np.arange(len(cells.labels))]
    options = {"kernel": size.training, "n_atoms": n}
    spread = float(cells.forces.std())
    settings = TrainingSettings(
        widths=[64, 32],
        energy_weight=10,
        force_weight=1,
        epochs=size.epochs,
        batch=None,
        learning_rate=0.01,
        weight_decay=1e-4,
        validation_fraction=0.05,
        precision=size.training[1],
    )
    for batch in size.batches:
        for jacobians in ("cached", "matrix_free"):
            chosen = replace(settings, batch=batch, jacobians=jacobians)
            what = f"{jacobians}, {batch} cells a step"
            start = time.perf_counter()
            training = Training(cells, everything, chosen, [1], device)
            results.add("train", f"start, {what}", time.perf_counter() - start, "s", **options)
            start = time.perf_counter()
            for part in range(training.schedule.n_parts):
                training.run_part(part)
            trained = int(cells.n_atoms[training.training[0]].sum()) * size.epochs
            rate = trained / (time.perf_counter() - start)
            results.add("train", f"epochs, {what}", rate, "environments/s", **options)
            error = float(training.validate()[2, 0]) / spread
            results.add("train", f"force error, {what}", error, "of the spread", **options)
            del training
    on_cpu = Training(cells, everything, replace(settings, batch=16, jacobians="cached"), [1])
    for part in range(on_cpu.schedule.n_parts):
        on_cpu.run_part(part)
    error = float(on_cpu.validate()[2, 0]) / spread
    results.add("train", "force error, CPU, 16 cells a step", error, "of the spread", **options)
    first, second = (train_networks(cells, everything, chosen, [1], device=device) for _ in "ab")
    arrays = zip(first[0][0].arrays().values(), second[0][0].arrays().values(), strict=True)
    same = all(np.array_equal(one, other) for one, other in arrays)
    results.check(same, "two trainings with one seed gave other networks")
