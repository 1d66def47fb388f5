"""The state of a training, and the file that an interrupted one continues from."""

from __future__ import annotations

import io
import logging
import math
import os
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from diverse.models.network.adamw import AdamW

logger = logging.getLogger(__name__)


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
        """Write the file with its SHA-256 before it, whole or not at all, and wait for the disk."""
        state = asdict(progress) | {"best": [torch.from_numpy(array) for array in progress.best]}
        content = io.BytesIO()
        torch.save(
            {
                "identity": self.identity,
                "network": network.state_dict(),
                "optimiser": [optimiser.means, optimiser.squares, optimiser.steps],
                "progress": state,
            },
            content,
        )
        temporary = self.path.with_suffix(".part")
        with temporary.open("wb") as file:
            file.write(sha256(content.getvalue()).digest() + content.getvalue())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)

    def load(self, network: nn.Module, optimiser: AdamW) -> Progress | None:
        """Set network and optimiser to the state in the file.

        A file that is damaged, or of another training, is put aside (``.aside``) with a warning.

        Returns
        -------
        Progress or None
            None if there is no file to continue from.
        """
        if not self.path.exists():
            return None
        content = self._read()
        if content is None:
            return None
        network.load_state_dict(content["network"])
        optimiser.means, optimiser.squares, optimiser.steps = content["optimiser"]
        best = [tensor.numpy() for tensor in content["progress"]["best"]]
        return Progress(**content["progress"] | {"best": best})

    def _read(self) -> dict[str, Any] | None:
        """Return the content of the file, or put it aside and return None."""
        data = self.path.read_bytes()
        digest, payload = data[:32], data[32:]
        if sha256(payload).digest() != digest:
            self._put_aside("is damaged")
            return None
        content: dict[str, Any] = torch.load(io.BytesIO(payload), weights_only=True)
        found = content["identity"]
        other = [name for name in self.identity if found.get(name) != self.identity[name]]
        if other:
            self._put_aside(f"comes from a training with other {' and other '.join(other)}")
            return None
        return content

    def _put_aside(self, cause: str) -> None:
        aside = self.path.with_name(f"{self.path.name}.aside")
        os.replace(self.path, aside)
        logger.warning(
            "the checkpoint %s %s: it is kept as %s, training starts anew", self.path, cause, aside
        )

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self.path.unlink(missing_ok=True)
