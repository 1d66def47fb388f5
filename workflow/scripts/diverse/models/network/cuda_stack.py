"""`NetworkStack` on a card: slopes stay there; parameters and energies do not."""

from __future__ import annotations

from collections.abc import Sequence
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
        self._centres, self._factors = self._tensor(mean), self._tensor(1 / scale)
        self._graphs: list[tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]] = []

    def slopes(
        self, descriptors: np.ndarray, atoms: np.ndarray, first: np.ndarray
    ) -> tuple[np.ndarray, torch.Tensor]:
        """Return energies, shape (n,), eV, and their gradients by descriptor, shape (n, D).

        As `NetworkStack.slopes` does; the gradients are a tensor on the card. The descriptors are
        put there at the first call.
        """
        self._check_first(first, len(atoms))
        if self._descriptors is not descriptors:
            self._descriptors, self._rows = descriptors, self._tensor(descriptors)
        numbers, self._graphs = self._tensor(atoms), []
        for network, (begin, end) in enumerate(pairwise(first.tolist())):
            rows = self._rows[numbers[begin:end]]
            self._graphs.append(self._evaluate(network, rows))
        energies = torch.cat([energy for _, energy, _ in self._graphs])
        slopes = torch.cat([slope for _, _, slope in self._graphs])
        return energies.detach().cpu().numpy(), slopes.detach()

    def gradient(self, by_energy: np.ndarray, by_slope: torch.Tensor) -> np.ndarray:
        """Return the gradient of a loss by all parameters, shape (n_networks, n_parameters)."""
        energies, start, gradients = self._tensor(by_energy).to(self._type), 0, []
        for parameters, energy, slope in self._graphs:
            part = slice(start, start + len(energy))
            found = torch.autograd.grad(
                [energy, slope],
                parameters,
                [energies[part], by_slope[part]],
                materialize_grads=True,
            )
            gradients.append(torch.cat([array.reshape(-1) for array in found]))
            start = part.stop
        gradient: np.ndarray = torch.stack(gradients).cpu().numpy()
        return gradient

    def finite(self, energies: np.ndarray, slopes: torch.Tensor) -> np.ndarray:
        """Return whether the energy and all slopes of each environment are finite, shape (n,)."""
        good: np.ndarray = np.isfinite(energies) & torch.isfinite(slopes).all(dim=1).cpu().numpy()
        return good

    def _evaluate(
        self, network: int, rows: torch.Tensor
    ) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
        """Return parameters, energies and slopes of one network, and keep how they were made."""
        factor = self._factors[network]
        given = ((rows - self._centres[network]) * factor).to(self._type).requires_grad_()
        parameters, hidden = self._parameters(network), given
        layers = list(zip(parameters[::2], parameters[1::2], strict=True))
        for weights, biases in layers[:-1]:
            hidden = torch.tanh(torch.addmm(biases, hidden, weights.T))
        weights, biases = layers[-1]
        energies = torch.addmm(biases, hidden, weights.T)[:, 0]
        (by_given,) = torch.autograd.grad(energies.sum(), given, create_graph=True)
        return parameters, energies, by_given * factor.to(self._type)

    def _parameters(self, network: int) -> list[torch.Tensor]:
        """Return weights and biases of each layer of a network in turn, as tensors to follow."""
        numbers, start, found = self._tensor(self.parameters[network]), 0, []
        for n_in, n_out in pairwise(self._widths.tolist()):
            middle, end = start + n_in * n_out, start + (n_in + 1) * n_out
            found += [numbers[start:middle].view(n_out, n_in), numbers[middle:end]]
            start = end
        return [part.clone().requires_grad_() for part in found]

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.asarray(array), device=self._place)
