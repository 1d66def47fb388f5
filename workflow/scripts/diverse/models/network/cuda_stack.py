"""`NetworkStack` on a card: slopes stay there; parameters and energies do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch

from diverse.kernel.device import Device
from diverse.models.network.stack import NetworkStack


class CudaNetworkStack(NetworkStack):
    """Tanh networks of one shape on a card, by the automatic differentiation of torch.

    The same seeds give the same bytes on one card with one version of torch; against the CPU,
    sums have another order.

    Parameters
    ----------
    widths, parameters, mean, scale
        As of `NetworkStack`.
    device : Device
    """

    def __init__(
        self,
        widths: Sequence[int],
        parameters: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        device: Device,
    ) -> None:
        super().__init__(widths, parameters, mean, scale)
        self._place = device.place
        self._type: torch.dtype = getattr(torch, parameters.dtype.name)
        self._descriptors, self._rows = np.empty((0, 0)), torch.empty((0, 0))
        self._centres, self._factors = self._tensor(mean)[:, None], self._tensor(1 / scale)[:, None]
        self._there, self._graph = torch.empty((0, 0)), (torch.empty(0),) * 3

    def rows(self, descriptors: np.ndarray) -> torch.Tensor:
        """Return descriptors, shape (n_rows, D), as a tensor on the card: put there once."""
        if self._descriptors is not descriptors:
            self._descriptors, self._rows = descriptors, self._tensor(descriptors)
        return self._rows

    def evaluate(
        self, parameters: torch.Tensor, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return energies, (n_networks, n), and their gradients by descriptor, (n_networks, n, D).

        Both can be differentiated by the parameters.

        Parameters
        ----------
        parameters : Tensor, shape (n_networks, n_parameters)
        rows : Tensor of float64, shape (n_networks, n, D)
        """
        given = ((rows - self._centres) * self._factors).to(self._type).requires_grad_()
        hidden = given
        layers = list(self._layers(parameters))
        for weights, biases in layers[:-1]:
            hidden = torch.tanh(torch.baddbmm(biases, hidden, weights.transpose(1, 2)))
        weights, biases = layers[-1]
        energies = torch.baddbmm(biases, hidden, weights.transpose(1, 2))[..., 0]
        (by_given,) = torch.autograd.grad(energies.sum(), given, create_graph=True)
        return energies, by_given * self._factors.to(self._type)

    def slopes(
        self, descriptors: np.ndarray, atoms: np.ndarray, first: np.ndarray
    ) -> tuple[np.ndarray, torch.Tensor]:
        """Return energies, shape (n,), eV, and their gradients by descriptor, shape (n, D).

        As `NetworkStack.slopes` does; the gradients are a tensor on the card. The descriptors are
        put there at the first call.
        """
        self._check_first(first, len(atoms))
        counts = np.diff(first)
        there = np.arange(counts.max(initial=0)) < counts[:, None]
        numbers = np.zeros(there.shape, dtype=np.int64)
        numbers[there] = atoms
        parameters = self._tensor(self.parameters).requires_grad_()
        found = self.evaluate(parameters, self.rows(descriptors)[self._tensor(numbers)])
        self._there, self._graph = self._tensor(there), (parameters, *found)
        energies, slopes = (tensor.detach()[self._there] for tensor in found)
        return energies.cpu().numpy(), slopes

    def gradient(self, by_energy: np.ndarray, by_slope: torch.Tensor) -> np.ndarray:
        """Return the gradient of a loss by all parameters, shape (n_networks, n_parameters)."""
        parameters, *found = self._graph
        given = self._tensor(by_energy).to(self._type), by_slope
        padded = [torch.zeros_like(tensor) for tensor in found]
        for tensor, rows in zip(padded, given, strict=True):
            tensor[self._there] = rows
        (gradient,) = torch.autograd.grad(found, parameters, padded)
        by_parameter: np.ndarray = gradient.cpu().numpy()
        return by_parameter

    def finite(self, energies: np.ndarray, slopes: torch.Tensor) -> np.ndarray:
        """Return whether the energy and all slopes of each environment are finite, shape (n,)."""
        good: np.ndarray = np.isfinite(energies) & torch.isfinite(slopes).all(dim=1).cpu().numpy()
        return good

    def _layers(self, parameters: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield weights, (n_networks, n_out, n_in), and biases, (n_networks, 1, n_out)."""
        start = 0
        for n_in, n_out in pairwise(self._widths.tolist()):
            middle, end = start + n_in * n_out, start + (n_in + 1) * n_out
            weights = parameters[:, start:middle].view(-1, n_out, n_in)
            yield weights, parameters[:, None, middle:end]
            start = end

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.asarray(array), device=self._place)
