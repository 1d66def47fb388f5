"""The state of a training, and the file that an interrupted one continues from."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from diverse.models.network.adamw import AdamW


@dataclass
class Progress:
    """State of a training after some of its epochs.

    Attributes
    ----------
    epoch, waited : int
        Epochs done, and done since the lowest validation loss.
    best_loss : float
    best : list of ndarray
        Weights and biases of every layer in turn, at the lowest validation loss, float64.
    history : list of dict
    """

    epoch: int = 0
    waited: int = 0
    best_loss: float = math.inf
    best: list[np.ndarray] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)

    def add(self, training_loss: float, errors: dict[str, float], network: nn.Module) -> None:
        """Take note of one more epoch."""
        self.epoch += 1
        self.waited += 1
        self.history.append({"epoch": self.epoch, "training_loss": training_loss, **errors})
        if errors["validation_loss"] < self.best_loss:
            self.best_loss, self.waited = errors["validation_loss"], 0
            self.best = [p.detach().numpy().astype(float) for p in network.parameters()]


@dataclass(frozen=True)
class Checkpoint:
    """A file that belongs to one training.

    Attributes
    ----------
    path : Path
    identity : dict of str
        Hashes by name; a training must agree in all of them to continue from the file.
    """

    path: Path
    identity: dict[str, str]

    def save(self, network: nn.Module, optimiser: AdamW, progress: Progress) -> None:
        """Write network, optimiser and progress to the file, whole or not at all."""
        state = asdict(progress) | {"best": [torch.from_numpy(array) for array in progress.best]}
        temporary = self.path.with_suffix(".part")
        torch.save(
            {
                "identity": self.identity,
                "network": network.state_dict(),
                "optimiser": [optimiser.means, optimiser.squares, optimiser.steps],
                "progress": state,
            },
            temporary,
        )
        os.replace(temporary, self.path)

    def load(self, network: nn.Module, optimiser: AdamW) -> Progress | None:
        """Set network and optimiser to the state in the file, and return its progress.

        Without a file nothing is set and None is returned.

        Raises
        ------
        ValueError
            If the file comes from another training.
        """
        if not self.path.exists():
            return None
        content = torch.load(self.path, weights_only=True)
        found = content.get("identity", {})
        other = [name for name in self.identity if found.get(name) != self.identity[name]]
        if other:
            raise ValueError(
                f"the checkpoint {self.path} comes from a training with other "
                f"{' and other '.join(other)}: delete it to train from the start"
            )
        network.load_state_dict(content["network"])
        optimiser.means, optimiser.squares, optimiser.steps = content["optimiser"]
        best = [tensor.numpy() for tensor in content["progress"]["best"]]
        return Progress(**content["progress"] | {"best": best})

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self.path.unlink(missing_ok=True)
