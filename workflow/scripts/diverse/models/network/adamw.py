"""AdamW whose whole state is two arrays and a number, so that a training can stop and go on."""

from __future__ import annotations

import numpy as np

from diverse.kernel import library

DECAYS = 0.9, 0.999  # of the running means, as in kernel/cpp/network.hpp


class AdamW:
    """Adam with decoupled weight decay: Loshchilov & Hutter, arXiv:1711.05101.

    Attributes
    ----------
    means, squares : ndarray
        Running means of the gradient and of its square, for each parameter.
    steps : int
        Number of steps taken.
    """

    def __init__(self, parameters: np.ndarray, weight_decay: float) -> None:
        self._parameters, self._weight_decay = parameters, weight_decay
        self.means, self.squares = np.zeros_like(parameters), np.zeros_like(parameters)
        self.steps = 0
        name = library.kernel_name(library.reproducible_isa(), parameters.dtype.name)
        self._function = library.load(name).diverse_adamw

    def step(self, gradient: np.ndarray, learning_rate: float) -> None:
        """Take one step against the gradient, which changes the parameters in place."""
        self.steps += 1
        corrections = (1 - decay**self.steps for decay in DECAYS)
        library.call(
            self._function,
            *(gradient.size, float(learning_rate), float(self._weight_decay), *corrections),
            *(gradient, self.means, self.squares, self._parameters),
        )
