"""Training of tanh networks on energies and forces with AdamW, anew or from a checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from diverse.kernel.device import Device
from diverse.models.network.adamw import AdamW
from diverse.models.network.checkpoint import Checkpoint, Progress
from diverse.models.network.data import TrainingCells
from diverse.models.network.loss import DivergedError, ForceLoss
from diverse.models.network.model import NetworkModel
from diverse.models.network.schedule import Schedule, shared_out
from diverse.models.network.settings import TrainingSettings
from diverse.models.network.stack import NetworkStack, initial_parameters
from diverse.models.network.steps import make_steps
from diverse.progress import Progress as JobProgress

CHECKPOINT_SECONDS = 30.0
VALIDATION_CELLS = 1500  # of those set aside that a curve is drawn from, so that it costs little
CURVES = ("training_loss", "validation_loss", "validation_energy", "validation_forces")

History = list[dict[str, float]]


def train_networks(
    cells: TrainingCells,
    members: Sequence[np.ndarray],
    settings: TrainingSettings,
    seeds: Sequence[int],
    *,
    curves: bool = False,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    device: Device | None = None,
    work: JobProgress | None = None,
) -> list[tuple[NetworkModel, History]]:
    """Train networks of one shape, each on a set of its own, for a fixed number of steps.

    A network is what it is without the others, to the last bit, as long as the number of steps in
    an epoch stays: that which the largest set needs at `settings.batch` cells a step. The same
    seeds give the same bytes on all x86-64 machines with AVX2 for one version of the compiler,
    whatever the number of threads.

    Parameters
    ----------
    cells : TrainingCells
        The pool that all sets are taken from.
    members : sequence of ndarray of int
        Numbers of the cells of each network's set; sets may overlap, and should be of about one
        size.
    settings : TrainingSettings
    seeds : sequence of int
        One for each network: of its first weights, of the order of its cells, and of what is set
        aside.
    curves : bool
        Whether the loss is noted after every part of the training, an epoch or, of large sets, some
        20,000 cells: it takes a little longer, and changes no network.
    checkpoint : Path, optional
        File that an interrupted training left and continues from, to the same networks bit for
        bit as without the interruption; removed at the end.
    checkpoint_seconds : float
        Least time between two writings of it, which is done between parts.
    device : Device, optional
        Card to train on, by the same steps; by default the CPU. There, the same seeds give the
        same bytes on one kind of card with one version of torch.
    work : JobProgress, optional
        Of a job that trains more than these; every network adds 1 to it, bit by bit.

    Returns
    -------
    list of (NetworkModel, list of dict)
        Each network with the weights after the last step, and its history, empty without
        `curves`: of every part the epochs done, ``epoch``, and its mean ``training_loss``; of the
        cells set aside, at most 1,500 of them, ``validation_loss``, the RMSE of energies,
        ``validation_energy`` (eV/atom), and of force components, ``validation_forces`` (eV/Å);
        NaN where no cell is set aside.

    Raises
    ------
    ValueError
        If a set has too few cells or trajectories, a descriptor does not vary over it, or a loss
        grows beyond all bounds.
    """
    training = Training(cells, members, settings, seeds, device)
    schedule = training.schedule
    identity = _identity(cells, members, settings, seeds, curves, device)
    file = checkpoint and Checkpoint(checkpoint, identity)
    progress = file.load(training.parameters, training.optimiser) if file else Progress()
    if work is None:
        left = sum(map(schedule.share, range(progress.parts, schedule.n_parts)))
        work = JobProgress(left * len(members), f"{round(left * schedule.n_steps)} steps")
    saved = time.monotonic()
    for part in range(progress.parts, schedule.n_parts):
        try:
            losses = training.run_part(part)
            if curves:
                progress.history.append(np.vstack([losses, training.validate()]))
        except DivergedError as error:
            raise ValueError(training.divergence(error.network, part)) from None
        progress.parts = part + 1
        work.add(schedule.share(part) * len(members))
        if file and time.monotonic() - saved >= checkpoint_seconds:
            file.save(training.parameters, training.optimiser, progress)
            saved = time.monotonic()
    if file:
        file.remove()
    return [(training.model(k), _history(progress, schedule, k)) for k in range(len(members))]


class Training:
    """Networks of a stack with their sets, loss and optimiser; arguments as of `train_networks`.

    Attributes
    ----------
    training, validation : sequence of ndarray of int
        Numbers of the cells that each network is trained on, and of those set aside.
    schedule : Schedule
    loss : ForceLoss
    stack : NetworkStack
    optimiser : AdamW
    """

    def __init__(
        self,
        cells: TrainingCells,
        members: Sequence[np.ndarray],
        settings: TrainingSettings,
        seeds: Sequence[int],
        device: Device | None = None,
    ) -> None:
        parts = [
            set_aside(numbers, cells.trajectories[numbers], settings.validation_fraction, seed)
            for numbers, seed in zip(members, seeds, strict=True)
        ]
        self.training, self.validation = zip(*parts, strict=True)
        self._watched = [
            some_of(numbers, VALIDATION_CELLS, seed)
            for numbers, seed in zip(self.validation, seeds, strict=True)
        ]
        self.settings, self.seeds = settings, seeds
        self.loss = ForceLoss(cells, self.training, settings, device)
        self.stack = initial_stack(self.loss, seeds)
        self.optimiser = AdamW(self.parameters, settings.weight_decay)
        self._steps = make_steps(self.loss, self.stack, self.optimiser)
        sizes = [len(numbers) for numbers in self.training]
        self.schedule = Schedule.of(sizes, settings, self._steps.cells_of_part)

    @property
    def parameters(self) -> np.ndarray:
        """Weights and biases of all networks, shape (n_networks, n_parameters)."""
        return self.stack.parameters

    def run_part(self, part: int) -> np.ndarray:
        """Take the steps of a part of the schedule; return mean losses, shape (n_networks,).

        Every epoch goes over all cells of each network, in an order of its own.
        """
        epoch, *_ = self.schedule.place(part)
        orders = [
            np.random.default_rng([seed, epoch]).permutation(numbers)
            for seed, numbers in zip(self.seeds, self.training, strict=True)
        ]
        batches, rates = self.schedule.batches(part, orders), self.schedule.rates(part)
        means: np.ndarray = np.mean(self._steps.run(batches, rates), axis=0)
        return means

    def validate(self) -> np.ndarray:
        """Return loss, RMSE of energies and RMSE of forces on cells set aside, at most 1,500.

        The rows, shape (3, n_networks), are those in the history of `train_networks`; NaN for a
        network without such cells.
        """
        sums = np.zeros((5, len(self._watched)))
        n_batches = math.ceil(max(map(len, self._watched)) / self._steps.cells_at_once)
        for batches in shared_out(self._watched, n_batches) if n_batches else ():
            sums += self._steps.sums(batches)
        weighted, squares, rows = sums[0], sums[1:3], np.where(sums[3:] > 0, sums[3:], np.nan)
        return np.vstack([weighted / rows.sum(axis=0), np.sqrt(squares / rows)])

    def model(self, number: int) -> NetworkModel:
        """Return one network as it is now."""
        weights, biases = self.stack.layers(number)
        biases[-1] = biases[-1] + self.loss.mean_energy[number]
        twojmax = self.loss.cells.settings.twojmax
        mean, scale = self.loss.mean[number], self.loss.scale[number]
        return NetworkModel(twojmax, mean, scale, weights, biases)

    def divergence(self, number: int, part: int) -> str:
        """Return the sentence on a network whose loss is not finite in a part of the schedule."""
        epoch, *_ = self.schedule.place(part)
        return (
            f"the training loss of network {number + 1} of {len(self.seeds)} (seed "
            f"{self.seeds[number]}) is not finite in epoch {epoch + 1}: lower the learning rate "
            f"({self.settings.learning_rate})"
        )


def set_aside(
    numbers: np.ndarray, trajectories: np.ndarray, validation_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the training and of the validation cells, which share no trajectory.

    Trajectories are taken at random as long as they fit into the validation part, at least one.

    Raises
    ------
    ValueError
        If nothing would be left to train on.
    """
    room = max(1, round(validation_fraction * len(numbers))) if validation_fraction else 0
    names, sizes = np.unique(trajectories, return_counts=True)
    if len(names) <= (room > 0):
        raise ValueError(
            f"{len(numbers)} labelled training cells of {len(names)} trajectories are too few to "
            f"set a trajectory aside for validation: see tables/failures.csv, make a larger data "
            f"set, or set validation_fraction: 0"
        )
    taken: list[int] = []
    for k in np.random.default_rng(seed).permutation(len(names)):
        if sizes[k] <= room and len(taken) < len(names) - 1:
            taken.append(k)
            room -= sizes[k]
    if validation_fraction and not taken:
        taken.append(int(np.argmin(sizes)))
    aside = np.isin(trajectories, names[taken])
    return numbers[~aside], numbers[aside]


def some_of(numbers: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return all of some cells, or, if they are more than `most`, so many taken at random."""
    if len(numbers) <= most:
        return numbers
    return np.random.default_rng(seed).choice(numbers, most, replace=False)


def initial_stack(loss: ForceLoss, seeds: Sequence[int]) -> NetworkStack:
    """Return networks that have learned nothing yet, with the standardisation of their sets."""
    widths = [loss.mean.shape[1], *loss.settings.widths, 1]
    parameters = [initial_parameters(widths, seed, loss.settings.precision) for seed in seeds]
    given = widths, np.stack(parameters), loss.mean, loss.scale
    if loss.device is None:
        return NetworkStack(*given)
    from diverse.models.network.cuda_stack import CudaNetworkStack  # imports torch

    return CudaNetworkStack(*given, loss.device)


def _identity(
    cells: TrainingCells,
    members: Sequence[np.ndarray],
    settings: TrainingSettings,
    seeds: Sequence[int],
    curves: bool,
    device: Device | None,
) -> dict[str, str]:
    """Return the hashes that a checkpoint and a training must agree in."""
    sets = b"".join(sha256(np.ascontiguousarray(part).data).digest() for part in members)
    where = () if device is None else (device.name,)
    return {
        "settings": sha256(repr((settings, list(seeds), curves, *where)).encode()).hexdigest(),
        "data": sha256(cells.fingerprint().encode() + sets).hexdigest(),
    }


def _history(progress: Progress, schedule: Schedule, number: int) -> History:
    return [
        {
            "epoch": schedule.epochs_after(part),
            **dict(zip(CURVES, values[:, number].tolist(), strict=True)),
        }
        for part, values in enumerate(progress.history)
    ]
