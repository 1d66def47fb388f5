"""AdamW whose whole state is a few tensors, so that a training can stop and go on."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw  # the class around it takes seconds to import


class AdamW:
    """Adam with decoupled weight decay: Loshchilov & Hutter, arXiv:1711.05101.

    Attributes
    ----------
    means, squares : list of Tensor
        Running means of the gradient and of its square, for each parameter.
    steps : list of Tensor
        Number of steps taken, for each parameter.
    """

    def __init__(self, network: nn.Module, weight_decay: float) -> None:
        self._parameters = [parameter.detach() for parameter in network.parameters()]
        self._weight_decay = weight_decay
        self.means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        self.steps = [torch.zeros(()) for _ in self._parameters]

    def step(self, gradients: list[Tensor], learning_rate: float) -> None:
        """Take one step against the gradients, which changes the parameters in place."""
        adamw(
            self._parameters,
            gradients,
            self.means,
            self.squares,
            max_exp_avg_sqs=[],
            state_steps=self.steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=1e-8,
            maximize=False,
        )
