"""Train a tanh network on energies and forces.

The descriptors' gradients are stored (`DescriptorTable`), so the forces of the whole set are one
contraction of them with the network's gradient; full batches, AdamW, cosine schedule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from diverse.descriptors import DescriptorTable
from diverse.models.network import NetworkModel

FIRST_LAYER_SCALE = 0.01


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    Attributes
    ----------
    widths : sequence of int
        Neurons of each hidden layer.
    energy_weight, force_weight : float
        Row weights of an energy per atom (eV) and of a force component (eV/Å).
    epochs : int
    learning_rate, weight_decay : float
        Of AdamW; the learning rate falls to zero along a cosine.
    validation_fraction : float
        Part of the cells that is not trained on but decides which epoch's weights are kept.
    """

    widths: Sequence[int]
    energy_weight: float
    force_weight: float
    epochs: int
    learning_rate: float
    weight_decay: float
    validation_fraction: float


class _Batch:
    """Part of a `DescriptorTable` as tensors, the reference potential subtracted."""

    def __init__(self, table: DescriptorTable, cells: np.ndarray) -> None:
        atoms = np.flatnonzero(np.isin(table.cell_of_atom, cells))
        entries = np.flatnonzero(np.isin(table.center, atoms))
        new_atom = np.full(len(table.cell_of_atom), -1)
        new_atom[atoms] = np.arange(len(atoms))
        new_cell = np.full(len(table.energies), -1)
        new_cell[cells] = np.arange(len(cells))
        self.descriptors = torch.tensor(table.descriptors[atoms])
        self.center = torch.tensor(new_atom[table.center[entries]])
        self.atom = torch.tensor(new_atom[table.atom[entries]])
        self.gradient = torch.tensor(table.gradient[entries])
        self.cell_of_atom = torch.tensor(new_cell[table.cell_of_atom[atoms]])
        self.n_atoms = torch.tensor(table.n_atoms[cells], dtype=torch.float64)
        self.energies = torch.tensor((table.energies - table.zbl_energies)[cells])
        self.forces = torch.tensor((table.forces - table.zbl_forces)[atoms])


def train_network(
    table: DescriptorTable, twojmax: int, settings: TrainingSettings, seed: int
) -> tuple[NetworkModel, list[dict[str, float]]]:
    """Train one network; the same seed gives the same network on the same machine.

    Parameters
    ----------
    table : DescriptorTable
        Training set; at least 2 cells.
    twojmax : int
        Of the descriptors in `table`.
    settings : TrainingSettings
    seed : int

    Returns
    -------
    model : NetworkModel
        Weights of the epoch with the lowest validation loss.
    history : list of dict
        ``epoch``, ``training_loss`` and ``validation_loss`` every 10 epochs.

    Raises
    ------
    ValueError
        If there are too few cells to set some aside for validation, or a descriptor that does
        not vary over the training set.
    """
    generator = np.random.default_rng(seed)
    training, validation = _training_and_validation(table, settings, generator)
    mean, scale = _standardisation(training.descriptors)
    network = _initial_network(training, settings.widths, generator)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    best, best_loss, history = _copy(network), math.inf, []
    for epoch in range(settings.epochs):
        optimiser.zero_grad()
        training_loss = _loss(network, training, mean, scale, settings)
        training_loss.backward()
        optimiser.step()
        schedule.step()
        if epoch % 10 == 9 or epoch == settings.epochs - 1:
            validation_loss = _loss(network, validation, mean, scale, settings).item()
            history.append(
                {
                    "epoch": epoch + 1,
                    "training_loss": training_loss.item(),
                    "validation_loss": validation_loss,
                }
            )
            if validation_loss < best_loss:
                best, best_loss = _copy(network), validation_loss
    weights, biases = best[0::2], best[1::2]
    return NetworkModel(twojmax, mean.numpy(), scale.numpy(), weights, biases), history


def _training_and_validation(
    table: DescriptorTable, settings: TrainingSettings, generator: np.random.Generator
) -> tuple[_Batch, _Batch]:
    n_cells = len(table.energies)
    n_validation = max(1, round(settings.validation_fraction * n_cells))
    if n_cells - n_validation < 1:
        raise ValueError(
            f"{n_cells} labelled training cells are too few to set {n_validation} aside for "
            f"validation: see tables/failures.csv, or make a larger data set"
        )
    order = generator.permutation(n_cells)
    return _Batch(table, order[n_validation:]), _Batch(table, order[:n_validation])


def _standardisation(descriptors: Tensor) -> tuple[Tensor, Tensor]:
    scale = descriptors.std(dim=0)
    if not (scale > 0).all():
        constant = torch.nonzero(~(scale > 0)).flatten().tolist()
        raise ValueError(
            f"descriptor components {constant} do not vary over the training set: add cells"
        )
    return descriptors.mean(dim=0), scale


def _initial_network(
    batch: _Batch, widths: Sequence[int], generator: np.random.Generator
) -> nn.Sequential:
    """Return a network with LeCun-normal weights whose output starts at the mean energy.

    The first layer starts `FIRST_LAYER_SCALE` smaller, where tanh is linear: training begins at
    a smooth function of strongly correlated descriptors and bends it only as the data demand.
    """
    layers: list[nn.Linear] = []
    sizes = [batch.descriptors.shape[1], *widths, 1]
    for n_in, n_out in pairwise(sizes):
        layer = nn.Linear(n_in, n_out, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(generator.normal(0, n_in**-0.5, (n_out, n_in))))
            layer.bias.zero_()
        layers.append(layer)
    with torch.no_grad():
        layers[0].weight.mul_(FIRST_LAYER_SCALE)
        layers[-1].bias.fill_((batch.energies.sum() / batch.n_atoms.sum()).item())
    hidden = [module for layer in layers[:-1] for module in (layer, nn.Tanh())]
    return nn.Sequential(*hidden, layers[-1])


def _loss(
    network: nn.Sequential, batch: _Batch, mean: Tensor, scale: Tensor, settings: TrainingSettings
) -> Tensor:
    """Mean squared weighted residual over all energy and force rows."""
    standard = ((batch.descriptors - mean) / scale).requires_grad_(True)
    site = network(standard)[:, 0]
    (slope,) = torch.autograd.grad(site.sum(), standard, create_graph=True)
    energies = torch.zeros_like(batch.energies).index_add(0, batch.cell_of_atom, site)
    pull = torch.einsum("ek,ekx->ex", (slope / scale)[batch.center], batch.gradient)
    forces = torch.zeros_like(batch.forces).index_add(0, batch.atom, -pull)
    energy_rows = settings.energy_weight * (energies - batch.energies) / batch.n_atoms
    force_rows = settings.force_weight * (forces - batch.forces)
    total = (energy_rows**2).sum() + (force_rows**2).sum()
    return total / (energy_rows.numel() + force_rows.numel())


def _copy(network: nn.Sequential) -> list[np.ndarray]:
    """Return weight, bias, weight, bias ... of every layer."""
    return [parameter.detach().numpy().copy() for parameter in network.parameters()]
