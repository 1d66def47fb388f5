"""The state of a training, and the file that an interrupted one continues from."""

from __future__ import annotations

import io
import logging
import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from diverse.models.network.adamw import AdamW

logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """State of a training after some of its parts, beside parameters and optimiser.

    Attributes
    ----------
    parts : int
        Parts of the schedule that are done.
    history : list of ndarray
        What was noted after every part.
    """

    parts: int = 0
    history: list[np.ndarray] = field(default_factory=list)


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

    def save(self, parameters: np.ndarray, optimiser: AdamW, progress: Progress) -> None:
        """Write the file with its SHA-256 before it, whole or not at all, and wait for the disk."""
        content = io.BytesIO()
        np.savez(
            content,
            allow_pickle=False,
            names=np.array(list(self.identity)),
            hashes=np.array(list(self.identity.values())),
            parameters=parameters,
            means=optimiser.means,
            squares=optimiser.squares,
            steps=optimiser.steps,
            parts=progress.parts,
            history=np.array(progress.history),
        )
        temporary = self.path.with_suffix(".part")
        with temporary.open("wb") as file:
            file.write(sha256(content.getvalue()).digest() + content.getvalue())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)

    def load(self, parameters: np.ndarray, optimiser: AdamW) -> Progress:
        """Set parameters and optimiser to the state in the file, if there is one.

        A file that is damaged, or of another training, is put aside (``.aside``) with a warning.

        Returns
        -------
        Progress
            That of a training that has not begun, if there is no file to continue from.
        """
        content = self._read() if self.path.exists() else None
        if content is None:
            return Progress()
        parameters[:] = content["parameters"]
        optimiser.means[:], optimiser.squares[:] = content["means"], content["squares"]
        optimiser.steps = int(content["steps"])
        return Progress(int(content["parts"]), list(content["history"]))

    def _read(self) -> dict[str, np.ndarray] | None:
        """Return the content of the file, or put it aside and return None."""
        data = self.path.read_bytes()
        digest, payload = data[:32], data[32:]
        if sha256(payload).digest() != digest:
            self._put_aside("is damaged")
            return None
        with np.load(io.BytesIO(payload), allow_pickle=False) as file:
            content = dict(file)
        names, hashes = (content.get(part, np.empty(0)).tolist() for part in ("names", "hashes"))
        found = dict(zip(names, hashes, strict=True))
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
