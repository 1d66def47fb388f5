"""The two ends of every script of the workflow: inputs are checked first, outputs sealed last.

In between, the seals of the outputs say that they are being written.
"""

from __future__ import annotations

import errno
import logging
import os
import shlex
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from diverse.progress import logger as progress
from diverse.seals import DamagedFileError, check_seals, mark_unfinished, seal
from diverse.study.requests import request_line

FULL = (errno.ENOSPC, errno.EDQUOT)


def begin(snakemake: Any) -> None:
    """Check the seals of a job's inputs, mark its outputs, let a failure say its sentence.

    Inputs that were written while the clock was ahead get the time of now: Snakemake refuses
    outputs that are older than their inputs.

    An exception that ends the script is written to the job's log with its traceback, and its
    sentence is the last line on the terminal. Lines about the progress of the job go to both.

    Parameters
    ----------
    snakemake : object
        What Snakemake gives a script.
    """

    def last_words(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the disk may be full: the sentence below must come out
            _append(snakemake.log, "".join(traceback.format_exception(kind, error, trace)))
        sys.__excepthook__(kind, error, trace)
        print(f"{snakemake.rule}: {_sentence(error)}", file=sys.stderr)

    sys.excepthook = last_words
    progress.setLevel(logging.INFO)
    progress.propagate = False  # to what a script makes of other lines
    progress.addHandler(_Told(snakemake))
    try:
        check_seals(_paths(snakemake.input))
    except DamagedFileError as error:
        raise DamagedFileError(error.path, f"{_cause(error)}. {_mend(error, snakemake)}") from None
    _leave_the_future(_paths(snakemake.input))
    mark_unfinished(_paths(snakemake.output))


def finish(snakemake: Any) -> None:
    """Seal what a job has written; `snakemake` is what Snakemake gives a script.

    The log of a job that was started again ends with the number of the attempt, and what it had.
    """
    seal(_paths(snakemake.output))
    if snakemake.resources.get("attempt", 1) > 1:
        _append(snakemake.log, f"{request_line(snakemake.resources)}\n")


class _Told(logging.Handler):
    """Writes lines about the progress of a job on the terminal, with its name, and to its log."""

    def __init__(self, snakemake: Any) -> None:
        super().__init__()
        self._name = " ".join([snakemake.rule, *snakemake.wildcards])
        self._logs = snakemake.log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        print(f"{self._name}: {record.getMessage()}", file=sys.stderr)
        with suppress(OSError):
            _append(self._logs, f"{record.getMessage()}\n")


def _leave_the_future(paths: Iterable[Path]) -> None:
    """Set the time of files that is yet to come to now, where that may be done."""
    for path in paths:
        if path.exists() and path.stat().st_mtime > time.time():
            with suppress(OSError):
                os.utime(path)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in FULL:
        return (
            f"the disk or a quota is full ({error}): free some space, or run in another folder "
            "(--directory), and run the same command again"
        )
    return str(error).strip() or type(error).__name__


def _append(logs: Iterable[str], text: str) -> None:
    for log in logs:
        with open(log, "a") as file:
            file.write(text)


def _paths(files: Iterable[Any]) -> Iterator[Path]:
    return map(Path, files)


def _cause(error: DamagedFileError) -> str:
    return str(error).removeprefix(f"{error.path} ")


def _mend(error: DamagedFileError, snakemake: Any) -> str:
    """Return the command that makes a damaged file anew."""
    study = Path("results", snakemake.config["study"], "config.yaml")
    options = f" --configfile {shlex.quote(str(study))} --" if study.exists() else ""
    file = shlex.quote(str(error.path))
    return (
        "Make it again, then run your own command once more: "
        f"rm {file} && ./envs/run snakemake --cores all{options} {file}"
    )
