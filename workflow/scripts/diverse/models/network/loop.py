"""Training of a tanh network on energies and forces with AdamW, anew or from a checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from diverse.models.network.adamw import AdamW
from diverse.models.network.checkpoint import Checkpoint, Progress
from diverse.models.network.data import TrainingCells
from diverse.models.network.loss import ForceLoss
from diverse.models.network.model import NetworkModel
from diverse.models.network.settings import TrainingSettings

FIRST_LAYER_SCALE = 0.01
WARM_UP = 0.05  # of all epochs
CELLS_AT_ONCE = 64  # while validating
CHECKPOINT_SECONDS = 30.0


def train_network(
    cells: TrainingCells,
    settings: TrainingSettings,
    seed: int,
    *,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> tuple[NetworkModel, list[dict[str, float]]]:
    """Train one network; the same seed gives the same network on the same machine.

    Parameters
    ----------
    cells : TrainingCells
        At least 2; some are set aside for validation.
    settings : TrainingSettings
    seed : int
    checkpoint : Path, optional
        File that an interrupted training left and continues from, to the same network bit for
        bit as without the interruption; removed at the end.
    checkpoint_seconds : float
        Least time between two writings of it.

    Returns
    -------
    model : NetworkModel
        Weights of the epoch with the lowest validation loss.
    history : list of dict
        Of every epoch: ``epoch``, ``training_loss``, ``validation_loss``, and of the validation
        cells the RMSE of energies, ``validation_energy`` (eV/atom), and of force components,
        ``validation_forces`` (eV/Å).

    Raises
    ------
    ValueError
        If there are too few cells to set some aside, a descriptor does not vary, the loss grows
        beyond all bounds, or the checkpoint comes from other settings or data.
    """
    training, validation = set_aside(len(cells.energies), settings.validation_fraction, seed)
    loss = ForceLoss(cells, settings)
    network = initial_network(cells.settings.n_components, settings, seed)
    optimiser = AdamW(network, settings.weight_decay)
    file = Checkpoint(checkpoint, _identity(cells, settings, seed)) if checkpoint else None
    progress = (file.load(network, optimiser) if file else None) or Progress()
    saved = time.monotonic()
    while progress.epoch < settings.epochs and progress.waited < settings.patience:
        order = np.random.default_rng([seed, progress.epoch]).permutation(training)
        training_loss = train_epoch(network, optimiser, loss, order, progress.epoch)
        progress.add(training_loss, validate(network, loss, validation), network)
        if file and time.monotonic() - saved >= checkpoint_seconds:
            file.save(network, optimiser, progress)
            saved = time.monotonic()
    if file:
        file.remove()
    return _model(progress.best, loss), progress.history


def set_aside(n_cells: int, validation_fraction: float, seed: int) -> Sequence[np.ndarray]:
    """Return the numbers of the training and of the validation cells."""
    n_validation = max(1, round(validation_fraction * n_cells))
    if n_cells - n_validation < 1:
        raise ValueError(
            f"{n_cells} labelled training cells are too few to set {n_validation} aside for "
            f"validation: see tables/failures.csv, or make a larger data set"
        )
    order = np.random.default_rng(seed).permutation(n_cells)
    return order[n_validation:], order[:n_validation]


def initial_network(n_inputs: int, settings: TrainingSettings, seed: int) -> nn.Sequential:
    """Return a network with LeCun-normal weights.

    The first layer starts `FIRST_LAYER_SCALE` smaller, where tanh is linear: training begins at
    a smooth function of strongly correlated descriptors and bends it only as the data demand.
    """
    generator, layers = np.random.default_rng(seed), []
    for n_in, n_out in pairwise([n_inputs, *settings.widths, 1]):
        layer = nn.Linear(n_in, n_out, dtype=getattr(torch, settings.precision))
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(generator.normal(0, n_in**-0.5, (n_out, n_in))))
            layer.bias.zero_()
        layers.append(layer)
    with torch.no_grad():
        layers[0].weight.mul_(FIRST_LAYER_SCALE)
    hidden = [module for layer in layers[:-1] for module in (layer, nn.Tanh())]
    return nn.Sequential(*hidden, layers[-1])


def validate(network: nn.Module, loss: ForceLoss, numbers: np.ndarray) -> dict[str, float]:
    """Return the validation loss of some cells, and their RMSE of energies and of forces.

    The keys are those in the history of `train_network`; units eV/atom and eV/Å.
    """
    weighted, squares, rows = 0.0, np.zeros(2), np.zeros(2)
    with torch.no_grad():
        for batch in _batches(numbers, CELLS_AT_ONCE):
            errors = loss.residuals(network, batch)
            weighted += loss.sum_squares(*errors, batch).item()
            squares += [(error.double() ** 2).sum().item() for error in errors]
            rows += [error.numel() for error in errors]
    energy, forces = np.sqrt(squares / rows)
    return {
        "validation_loss": weighted / float(rows.sum()),
        "validation_energy": float(energy),
        "validation_forces": float(forces),
    }


def train_epoch(
    network: nn.Module,
    optimiser: AdamW,
    loss: ForceLoss,
    order: np.ndarray,
    epoch: int,
) -> float:
    """Make one pass over the cells in this order; return the mean loss of its batches."""
    settings, parameters, losses = loss.settings, list(network.parameters()), []
    batches = list(_batches(order, settings.batch or len(order)))
    for number, batch in enumerate(batches):
        done = (epoch + (number + 1) / len(batches)) / settings.epochs
        value = loss(network, batch)
        gradients = list(torch.autograd.grad(value, parameters))
        optimiser.step(gradients, settings.learning_rate * _schedule(done))
        losses.append(value.item())
    if not np.isfinite(losses).all():
        raise ValueError(
            f"the training loss is not finite in epoch {epoch + 1}: lower the learning rate "
            f"({settings.learning_rate})"
        )
    return float(np.mean(losses))


def _schedule(done: float) -> float:
    """Return the learning rate, relative to its largest, when this part of the epochs is done."""
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))


def _batches(numbers: np.ndarray, size: int) -> Iterator[np.ndarray]:
    yield from np.array_split(numbers, math.ceil(len(numbers) / size))


def _identity(cells: TrainingCells, settings: TrainingSettings, seed: int) -> dict[str, str]:
    """Return the hashes that a checkpoint and a training must agree in."""
    return {
        "settings": sha256(repr((settings, seed)).encode()).hexdigest(),
        "data": cells.fingerprint(),
    }


def _model(parameters: list[np.ndarray], loss: ForceLoss) -> NetworkModel:
    weights, biases = parameters[0::2], parameters[1::2]
    biases[-1] = biases[-1] + loss.mean_energy
    return NetworkModel(loss.cells.settings.twojmax, loss.mean, loss.scale, weights, biases)
