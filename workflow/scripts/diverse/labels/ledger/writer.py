"""The one writer of a ledger: the job that opened it last.

A cluster that loses sight of a node starts its jobs elsewhere, while the node may still run them
and write. Locks do not hold on every shared file system, so that a name beside the ledger says who
its writer is, and a writer that finds another name there stops.

A writer looks before every row, and may be late by one. That row then stands behind those of the
other, as sound as they, or on them, where the file system of a network appends at an end that has
moved on: the checksum of a row tells, and the other writes its own once more when it sorts.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


class ReplacedError(RuntimeError):
    """Another job has taken the ledger over; the message names it."""


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
        """Refuse to write once another job has taken the ledger over.

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
        with suppress(FileNotFoundError):
            return self._path.read_text()
        return ""
