"""Rows of results.csv: stage, what, 2Jmax, type, number of atoms, value, unit."""

import csv
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch

from diverse.kernel.device import Device

Map = Callable[[Callable, Iterable], Iterable]  # `map`, or that of a pool of processes


class Results:
    """Rows of results.csv, written as they come."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self.failures = folder / "results.csv", []
        self._path.unlink(missing_ok=True)
        self._write(["stage", "what", "twojmax", "dtype", "n_atoms", "value", "unit"])

    def _write(self, row: list) -> None:
        with open(self._path, "a", newline="") as file:
            csv.writer(file).writerow(row)

    def add(self, stage, what, value, unit, *, kernel=("", ""), n_atoms="") -> None:
        """Write one row, and show it."""
        row = [stage, what, *kernel, n_atoms, value, unit]
        self._write(row)
        print(*row, flush=True)

    def check(self, holds: bool, sentence: str) -> None:
        """Note what does not hold; the program goes on and ends with an error."""
        if not holds:
            self.failures.append(sentence)
            print("FAILED:", sentence, flush=True)


def seconds(device: Device, function: Callable[[], object], repeats: int) -> float:
    """Return the median time of a call, after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        function()
        if device.hardware is not None:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))
