"""Kill a worker with everything that its calculator started, also when nobody else is left to.

Each worker carries a mark in its environment, which its children inherit. Run as a program, with
the mark of all workers of one run, this file waits until its standard input ends, which it does
when the run ends in whatever way, and kills what is left. It imports the standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "DIVERSE_WORKER"
ROUNDS = 20  # of looking for what is left: it may start new children while it is looked for


def kill_family(mark: str) -> None:
    """Kill every process whose mark is this one or begins with it and a point."""
    for _ in range(ROUNDS):
        members = list(_members(mark))
        if not members:
            return
        for process in members:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.01)


def _members(mark: str) -> Iterator[int]:
    """Yield the processes of a family, where the system has /proc."""
    entry = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # of another user, or over
            continue
        if any(one == entry or one.startswith(entry + b".") for one in variables):
            yield int(folder.name)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    kill_family(sys.argv[1])
