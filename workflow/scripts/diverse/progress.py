"""Progress of long jobs: how much is done, and about how long the rest takes.

Lines go to the logger of this module, one in `EVERY` seconds: a job that ends sooner says nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

logger = logging.getLogger(__name__)

EVERY = 30.0  # s between two lines

Item = TypeVar("Item")


class Progress:
    """Counts the work of a job and tells, from time to time, how long the rest takes.

    The rest is taken to go as fast as what is done.

    Parameters
    ----------
    total : float
        Work of the whole job, in any unit.
    what : str
        Words for the whole job, as "300 epochs".
    """

    def __init__(self, total: float, what: str) -> None:
        self._total, self._what, self._done = total, what, 0.0
        self._start = self._told = time.monotonic()

    def add(self, work: float = 1.0) -> None:
        """Count work that was done, and tell if there was no line for a while."""
        self._done += work
        now = time.monotonic()
        if now - self._told >= EVERY and 0 < self._done < self._total:
            self._told = now
            part, left = 100 * self._done / self._total, duration(self.seconds_left())
            logger.info("%.0f %% of %s done, about %s left", part, self._what, left)

    def seconds_left(self) -> float:
        """Return about how long the rest takes, s; infinity before anything is done."""
        if not self._done:
            return float("inf")
        elapsed = time.monotonic() - self._start
        return max(0.0, elapsed * (self._total - self._done) / self._done)


def tracked(items: Iterable[Item], number: int, what: str) -> Iterator[Item]:
    """Yield items of equal work, and tell how many of this number are done.

    Parameters
    ----------
    items : iterable
    number : int
        How many there are.
    what : str
        Noun behind the number.
    """
    progress = Progress(number, f"{number} {what}")
    for item in items:
        yield item
        progress.add()


def duration(seconds: float) -> str:
    """Return a time (s) in words: seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
