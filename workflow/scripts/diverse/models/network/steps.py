"""Steps of training, and errors on cells that are set aside: on the CPU, or by CudaSteps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diverse.models.network.adamw import AdamW
from diverse.models.network.loss import ForceLoss
from diverse.models.network.stack import NetworkStack

Batches = Sequence[np.ndarray]  # numbers of some cells for each network


class Steps:
    """Steps of a stack of networks down its loss.

    Parameters
    ----------
    loss : ForceLoss
    stack : NetworkStack
    optimiser : AdamW
        Of the parameters of the stack.

    Attributes
    ----------
    cells_at_once : int
        Cells of each network that `sums` should be given.
    cells_of_part : int
        Most cells of a network that `run` should be given in one call.
    """

    cells_at_once, cells_of_part = 64, 20_000

    def __init__(self, loss: ForceLoss, stack: NetworkStack, optimiser: AdamW) -> None:
        self._loss, self._stack, self._optimiser = loss, stack, optimiser

    def run(self, batches: Sequence[Batches], rates: Sequence[float]) -> np.ndarray:
        """Take a step with each batch at its learning rate; return losses, (n_steps, n_networks).

        Raises
        ------
        DivergedError
            If a loss is not finite.
        """
        losses = []
        for batch, rate in zip(batches, rates, strict=True):
            values, gradient = self._loss.gradient(self._stack, batch)
            self._optimiser.step(gradient, rate)
            losses.append(values)
        return np.array(losses)

    def sums(self, batch: Batches) -> np.ndarray:
        """Return sums over the batch of each network, shape (5, n_networks).

        Weighted squares, squares of energies and of forces, numbers of energies and of force
        components.

        Raises
        ------
        DivergedError
            If a number is not finite.
        """
        errors, n = self._loss.residuals(self._stack, batch), len(batch)
        return np.vstack([self._loss.sum_squares(errors, n), errors.squares(n), errors.rows(n)])


def make_steps(loss: ForceLoss, stack: NetworkStack, optimiser: AdamW) -> Steps:
    """Return the steps for the device of a loss."""
    if loss.device is None:
        return Steps(loss, stack, optimiser)
    from diverse.models.network.cuda_steps import CudaSteps  # imports torch

    return CudaSteps(loss, stack, optimiser)
