"""Steps of a training: the cells and the learning rate of each, and parts to look up in between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from diverse.models.network.settings import TrainingSettings

WARM_UP = 0.05  # of all steps


@dataclass(frozen=True)
class Schedule:
    """Steps of a training, in parts: one an epoch, or more where an epoch is long.

    A training notes its errors, and writes its checkpoint, between parts.

    Attributes
    ----------
    n_steps : int
        Of the whole training, which may end in the middle of an epoch.
    steps_per_epoch, parts_per_epoch : int
    learning_rate : float
        The largest.
    """

    n_steps: int
    steps_per_epoch: int
    parts_per_epoch: int
    learning_rate: float

    @classmethod
    def of(cls, sizes: Sequence[int], settings: TrainingSettings, cells_of_part: int) -> Schedule:
        """Return the schedule of networks that are trained together.

        Parameters
        ----------
        sizes : sequence of int
            Training cells of each network; the largest set decides.
        settings : TrainingSettings
        cells_of_part : int
            Most cells of a network in a part, if one step takes no more.

        Raises
        ------
        ValueError
            If a set has fewer cells than there are steps in an epoch.
        """
        largest = max(sizes)
        steps = math.ceil(largest / (settings.batch or largest))
        if min(sizes) < steps:
            raise ValueError(
                f"sets of {min(sizes)} and of {largest} training cells cannot be trained together: "
                f"the larger one needs {steps} steps an epoch; train them in two calls"
            )
        parts = min(steps, math.ceil(largest / cells_of_part))
        n_steps = settings.steps or max(1, round(settings.epochs * steps))
        return cls(n_steps, steps, parts, settings.learning_rate)

    @property
    def n_parts(self) -> int:
        """Parts of the whole training; the last may be short."""
        epochs, rest = divmod(self.n_steps, self.steps_per_epoch)
        begun = sum(self._first_of_part(part) < rest for part in range(self.parts_per_epoch))
        return epochs * self.parts_per_epoch + begun

    def place(self, part: int) -> tuple[int, int, int]:
        """Return the epoch of a part, from 0, and the steps in it where it begins and ends."""
        epoch, number = divmod(part, self.parts_per_epoch)
        left = self.n_steps - epoch * self.steps_per_epoch
        return epoch, self._first_of_part(number), min(left, self._first_of_part(number + 1))

    def share(self, part: int) -> float:
        """Return a part's share of all steps."""
        _, begin, end = self.place(part)
        return (end - begin) / self.n_steps

    def epochs_after(self, part: int) -> float:
        """Return the epochs that are done after a part; whole ones as int."""
        epoch, _, end = self.place(part)
        return epoch + 1 if end == self.steps_per_epoch else epoch + end / self.steps_per_epoch

    def rates(self, part: int) -> list[float]:
        """Return the learning rate of each step of a part."""
        epoch, begin, end = self.place(part)
        epochs = self.n_steps / self.steps_per_epoch
        done = [(epoch + (n + 1) / self.steps_per_epoch) / epochs for n in range(begin, end)]
        return [self.learning_rate * relative_rate(value) for value in done]

    def batches(self, part: int, orders: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """Return the cells of each network in each step of a part.

        Parameters
        ----------
        part : int
        orders : sequence of ndarray of int
            Cells of each network in the order of the epoch.
        """
        _, begin, end = self.place(part)
        return list(shared_out(orders, self.steps_per_epoch))[begin:end]

    def _first_of_part(self, number: int) -> int:
        return self.steps_per_epoch * number // self.parts_per_epoch


def relative_rate(done: float) -> float:
    """Return the learning rate, relative to its largest, when this part of the steps is done."""
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))


def shared_out(numbers: Sequence[np.ndarray], n_steps: int) -> Iterator[list[np.ndarray]]:
    """Yield the cells of each network in each of so many steps, about equal numbers in each."""
    parts = (np.array_split(part, n_steps) for part in numbers)
    yield from map(list, zip(*parts, strict=True))
