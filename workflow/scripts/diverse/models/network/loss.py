"""The loss of a stack of networks on batches of cells, and its gradient by their parameters."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from diverse.kernel import library
from diverse.kernel.device import Device
from diverse.kernel.force_maps import ComputedJacobian, ForceMap, StoredJacobian
from diverse.kernel.packed import ranges
from diverse.models.network.data import ROWS_AT_ONCE, TrainingCells
from diverse.models.network.settings import TrainingSettings
from diverse.models.network.stack import NetworkStack
from diverse.models.weights import energy_dependent_weight

ROWS_KEPT = 10_000  # environments; what the system reads around those of a cell is some times more

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Residuals:
    """Errors of every network of a stack on a batch of its own, the batches one after the other.

    Attributes
    ----------
    energies : ndarray, shape (n_cells,), eV/atom
    forces : ndarray, shape (n_atoms, 3), eV/Å
    numbers : ndarray, shape (n_cells,)
        Numbers of the cells.
    network : ndarray, shape (n_cells,)
        Number of the network of each cell.
    sizes : ndarray, shape (n_cells,)
        Atoms of each cell.
    """

    energies: np.ndarray
    forces: np.ndarray
    numbers: np.ndarray
    network: np.ndarray
    sizes: np.ndarray

    def squares(self, n_networks: int) -> np.ndarray:
        """Return sums of squares of energies and of forces of each network, shape (2, n)."""
        of_cell = self._by_network(self.energies.astype(float) ** 2, n_networks)
        return np.stack([of_cell, self._by_network(self.squared_forces, n_networks)])

    @property
    def squared_forces(self) -> np.ndarray:
        """Sum of squared errors of the force components of each cell, shape (n_cells,)."""
        cell_of_atom = np.repeat(np.arange(len(self.sizes)), self.sizes)
        with np.errstate(over="ignore"):
            of_atom = (self.forces.astype(float) ** 2).sum(axis=1)
        return np.bincount(cell_of_atom, of_atom, minlength=len(self.sizes))

    def rows(self, n_networks: int) -> np.ndarray:
        """Return numbers of energies and of force components of each network, shape (2, n)."""
        energies = np.bincount(self.network, minlength=n_networks)
        return np.stack([energies, 3 * self._by_network(self.sizes, n_networks)])

    def _by_network(self, of_cell: np.ndarray, n_networks: int) -> np.ndarray:
        return np.bincount(self.network, of_cell, minlength=n_networks)


class ForceLoss:
    """Mean squared weighted residual over all energy and force rows of a batch.

    A network maps descriptors B to an atom's energy e. Forces are -de/dB dB/dr, where dB/dr is a
    `ForceMap`: linear in de/dB, so the gradient of the loss by de/dB is its adjoint.

    Parameters
    ----------
    cells : TrainingCells
        The pool that the sets of all networks are taken from.
    members : sequence of ndarray of int
        Numbers of the cells of each network.
    settings : TrainingSettings
    device : Device, optional
        Card that slopes and their maps are computed on; by default the CPU does.

    Attributes
    ----------
    mean, scale : ndarray, shape (n_networks, D)
        Mean and standard deviation of the descriptors over all environments of a network's cells.
    mean_energy : ndarray, shape (n_networks,), eV
        Mean energy per atom of a network's cells, added to its output.
    lowest : ndarray, shape (n_networks,), eV/atom
        Lowest label of a network's cells, from which `energy_scale` counts.

    Raises
    ------
    ValueError
        If a descriptor does not vary.
    """

    def __init__(
        self,
        cells: TrainingCells,
        members: Sequence[np.ndarray],
        settings: TrainingSettings,
        device: Device | None = None,
    ) -> None:
        self.cells, self.settings, self.device = cells, settings, device
        standards = [_standardisation(cells, numbers) for numbers in members]
        self.mean, self.scale = (np.stack(arrays) for arrays in zip(*standards, strict=True))
        sums = [(cells.energies[n].sum(), cells.n_atoms[n].sum()) for n in members]
        self.mean_energy = np.array([energy / n_atoms for energy, n_atoms in sums])
        self.lowest = np.array([cells.labels[numbers].min() for numbers in members])
        self.map = _force_map(cells, settings, device)
        self._rows_read = 0

    def gradient(
        self, stack: NetworkStack, batches: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each network, shape (n_networks,), and the gradients, (n, P).

        Parameters
        ----------
        stack : NetworkStack
        batches : sequence of ndarray of int
            Numbers of some cells for each network.

        Raises
        ------
        DivergedError
            If a loss is not finite.
        """
        errors, n_networks = self.residuals(stack, batches), len(batches)
        energy_weights, force_weights = self._squared_weights(errors)
        rows = errors.rows(n_networks).sum(axis=0)
        losses = self.sum_squares(errors, n_networks) / rows
        DivergedError.check(np.isfinite(losses), np.arange(n_networks + 1))
        factor = 2 / rows[errors.network]
        by_energy = factor * energy_weights * errors.energies / errors.sizes
        by_force = np.repeat(factor * force_weights, errors.sizes)[:, None] * errors.forces
        by_slope = self.map.adjoint(errors.numbers, self._cast(by_force))
        return losses, stack.gradient(np.repeat(by_energy, errors.sizes), by_slope)

    def residuals(self, stack: NetworkStack, batches: Sequence[np.ndarray]) -> Residuals:
        """Return the errors of each network on the cells of its batch.

        Raises
        ------
        DivergedError
            If an energy or a slope is not finite.
        """
        cells, numbers = self.cells, np.concatenate(batches)
        network = np.repeat(np.arange(len(batches)), [len(batch) for batch in batches])
        first_atom = cells.structures.first_atom
        begin, end = first_atom[numbers], first_atom[numbers + 1]
        sizes, atoms = end - begin, ranges(begin, end)
        of_network = np.bincount(network, sizes, minlength=len(batches)).astype(np.int64)
        first = np.concatenate([[0], np.cumsum(of_network)])
        site, slopes = stack.slopes(self._descriptors(len(atoms)), atoms, first)
        DivergedError.check(stack.finite(site, slopes), first)
        cell_of_atom = np.repeat(np.arange(len(numbers)), sizes)
        energies = np.bincount(cell_of_atom, site, minlength=len(numbers))
        forces = self.map.forces(numbers, slopes) - self._cast(cells.forces[atoms])
        truth = cells.energies[numbers] / sizes - self.mean_energy[network]
        return Residuals(energies / sizes - truth, forces, numbers, network, sizes)

    def _descriptors(self, n_rows: int) -> np.ndarray:
        """Return the descriptors of all cells, so many of which are to be read."""
        self._rows_read += n_rows
        if self._rows_read > ROWS_KEPT:
            self.cells.forget()
            self._rows_read = n_rows
        return self.cells.descriptors

    def sum_squares(self, errors: Residuals, n_networks: int) -> np.ndarray:
        """Return the sum of squares of all weighted residuals of each network, (n_networks,)."""
        energy_weights, force_weights = self._squared_weights(errors)
        with np.errstate(over="ignore"):  # infinite losses are seen by those who ask
            weighted = energy_weights * errors.energies**2 + force_weights * errors.squared_forces
        return np.bincount(errors.network, weighted, minlength=n_networks)

    def cell_weights(self, numbers: np.ndarray, network: np.ndarray) -> np.ndarray:
        """Return the weight of some cells by their energy, each for its network, (n_cells,)."""
        if self.settings.energy_scale is None:
            return np.ones(len(numbers))
        lowest = self.lowest[network]  # a cell set aside may lie lower
        excess = np.maximum(self.cells.labels[numbers] - lowest, 0)
        return energy_dependent_weight(excess, 0.0, self.settings.energy_scale)

    def _squared_weights(self, errors: Residuals) -> tuple[np.ndarray, np.ndarray]:
        """Return squared weights of the energy and of the force rows of each cell."""
        of_cell = self.cell_weights(errors.numbers, errors.network)
        weights = self.settings.energy_weight, self.settings.force_weight
        return (weights[0] * of_cell) ** 2, (weights[1] * of_cell) ** 2

    def _cast(self, array: np.ndarray) -> np.ndarray:
        return np.asarray(array, dtype=self.settings.precision)


class DivergedError(ValueError):
    """A number of a network is not finite.

    Attributes
    ----------
    network : int
        Number of the network in its stack, from 0.
    """

    def __init__(self, network: int) -> None:
        super().__init__(f"network {network + 1} has diverged: lower the learning rate")
        self.network = network

    @classmethod
    def check(cls, finite: np.ndarray, first: np.ndarray) -> None:
        """Raise the error if not all is finite; first[k] is where the part of network k begins."""
        if not finite.all():
            raise cls(int(np.searchsorted(first, np.argmin(finite), side="right")) - 1)


def _force_map(cells: TrainingCells, settings: TrainingSettings, device: Device | None) -> ForceMap:
    if device is not None:
        return _cuda_map(cells, settings, device)
    wanted = settings.jacobians
    if wanted == "auto":
        size = StoredJacobian.largest_size(cells.structures, cells.settings, settings.precision)
        wanted = "cached" if size <= settings.jacobian_memory else "matrix_free"
    chosen = StoredJacobian if wanted == "cached" else ComputedJacobian
    return chosen(cells.structures, cells.settings, settings.precision, library.reproducible_isa())


def _cuda_map(cells: TrainingCells, settings: TrainingSettings, device: Device) -> ForceMap:
    from diverse.kernel import cuda_maps  # torch is imported only where a card is used

    wanted = settings.jacobians
    if wanted == "auto":
        size = cuda_maps.CudaStoredJacobian.size(
            cells.structures, cells.settings, settings.precision
        )
        wanted = "cached" if size <= cuda_maps.free_memory(device) else "matrix_free"
    logger.info("on %s, derivatives of the descriptors are %s", device.name, wanted)
    stored = wanted == "cached"
    chosen = cuda_maps.CudaStoredJacobian if stored else cuda_maps.CudaComputedJacobian
    return chosen(cells.structures, cells.settings, settings.precision, device)


def _standardisation(cells: TrainingCells, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation over all environments of some cells, shapes (D,)."""
    n = int(cells.n_atoms[numbers].sum())
    mean = sum(chunk.sum(axis=0) for chunk in _chunks(cells, numbers)) / n
    squares = sum(((chunk - mean) ** 2).sum(axis=0) for chunk in _chunks(cells, numbers))
    scale = np.sqrt(squares / n)
    constant = np.flatnonzero(~(scale > 1e-12 * np.abs(mean))).tolist()
    if constant:
        raise ValueError(
            f"descriptor components {constant} do not vary over the training set: add cells"
        )
    return mean, scale


def _chunks(cells: TrainingCells, numbers: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the descriptors of some cells, so many cells at a time that memory stays small."""
    first_atom, numbers = cells.structures.first_atom, np.sort(numbers)
    ends = np.cumsum(cells.n_atoms[numbers]) // ROWS_AT_ONCE
    for part in np.split(numbers, np.flatnonzero(np.diff(ends)) + 1):
        yield cells.descriptors[ranges(first_atom[part], first_atom[part + 1])]
        cells.forget()
