"""`Gram` on a card: rows come from the CPU, and one matrix product for each batch sums them."""

from __future__ import annotations

import logging
import sys

import numpy as np
import torch

from diverse.kernel.device import Device
from diverse.models.polynomial.accumulate import Gram
from diverse.models.polynomial.design import Rows

ALL = sys.maxsize

logger = logging.getLogger(__name__)


class CudaGram(Gram):
    """Sums as `Gram` makes them, in float64 on a card, which differ by their order alone.

    Parameters
    ----------
    n_columns : int
    device : Device
    """

    environments = 4096  # of a batch: 160 MB of rows for quadratic SNAP at 2Jmax 8

    def __init__(self, n_columns: int, device: Device) -> None:
        super().__init__(n_columns)
        self._device, self._rows_at_once = device, ALL
        self._matrix, self._vector = (
            torch.zeros(shape, dtype=torch.float64, device=device.place)
            for shape in ((n_columns, n_columns), (n_columns,))
        )

    def add(self, rows: Rows, weights: np.ndarray) -> None:
        """Add rows, scaled by the weights of their targets, shape (n_targets,).

        Raises
        ------
        RuntimeError
            When the card has no room for a single row.
        """
        matrix, target = rows.matrix, rows.target * weights
        begin = 0
        while begin < len(matrix):
            part = slice(begin, min(begin + self._rows_at_once, len(matrix)))
            try:
                self._add_piece(matrix[part], weights[part], target[part])
                begin = part.stop
            except torch.OutOfMemoryError as error:
                self._take_fewer(part.stop - begin, error)
        self.square += float(target @ target)
        self.count += len(target)

    def on_host(self) -> Gram:
        """Return the sums as arrays on the host."""
        gram = Gram(len(self.vector))
        gram.matrix = np.asfortranarray(np.triu(self._matrix.cpu().numpy()))
        gram.vector = self._vector.cpu().numpy()
        gram.square, gram.count = self.square, self.count
        return gram

    def _add_piece(self, matrix: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        scaled = self._tensor(matrix) * self._tensor(weights)[:, None]
        product = scaled.T @ scaled
        self._vector += scaled.T @ self._tensor(target)
        self._matrix += product

    def _take_fewer(self, n_rows: int, error: torch.OutOfMemoryError) -> None:
        if n_rows == 1:
            raise RuntimeError(
                f"{self._device.name} has no memory left for the normal equations of "
                f"{len(self.vector)} columns: end what else runs on it, or use device: cpu."
            ) from error
        self._rows_at_once = n_rows // 2
        logger.warning(
            "%s has no memory for %d rows at once: going on with %d",
            *(self._device.name, n_rows, self._rows_at_once),
        )
        torch.cuda.empty_cache()

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, device=self._device.place)
