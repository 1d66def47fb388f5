"""The one writer of a ledger: the job that began to write last.

A cluster that loses sight of a node starts its jobs elsewhere, while the node may still run them
and write. Locks do not hold on every shared file system, so that a name beside the ledger says who
its writer is, and a writer that finds another name there stops.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from uuid import uuid4


class ReplacedError(RuntimeError):
    """Another job has begun to write the ledger; the message names it."""


class Writer:
    """A job that writes a ledger, by the file ``.<ledger>.writer`` beside it.

    Parameters
    ----------
    ledger : Path
        File that is written; its folder exists.
    """

    def __init__(self, ledger: Path) -> None:
        number = os.environ.get("SLURM_JOB_ID")
        job = f"Slurm job {number}" if number else f"process {os.getpid()}"
        self._ledger, self._path = ledger, ledger.with_name(f".{ledger.name}.writer")
        self._name = f"{job} on {platform.node()} ({uuid4().hex})"
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        temporary.write_text(self._name)
        os.replace(temporary, self._path)

    def check(self) -> None:
        """Refuse to write once another job has begun to.

        Raises
        ------
        ReplacedError
        """
        found = self._read()
        if found != self._name:  # no name is left where the other has ended
            other = found.rpartition(" (")[0] or "another job"
            raise ReplacedError(
                f"{other} has taken {self._ledger} over: this job stops; what it labelled is kept"
            )

    def end(self) -> None:
        """Remove the name, unless it is another's."""
        if self._read() == self._name:
            self._path.unlink(missing_ok=True)

    def _read(self) -> str:
        return self._path.read_text() if self._path.exists() else ""
