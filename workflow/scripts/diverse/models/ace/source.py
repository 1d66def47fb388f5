"""ACE functions of cells and their derivatives, computed by ace-jax."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from ase import Atoms

from diverse.models.ace.basis import ace_basis
from diverse.models.ace.batches import CELLS, Parts, evaluate
from diverse.models.polynomial.cell_source import CellSource


class AceSource(CellSource):
    """Sums of ACE functions over the atoms of a cell, and their derivatives.

    These are the design rows that ace-jax fits its own models by.

    Parameters
    ----------
    order, degree : int
        Of the basis (`diverse.models.ace.basis.ace_basis`).
    cutoff : float, Å
    element : str
    """

    def __init__(self, order: int, degree: int, cutoff: float, element: str) -> None:
        model, facts = ace_basis(order, degree, cutoff, element)
        super().__init__(int(facts["len_basis"]))
        self._cutoff, self._element = cutoff, element
        from ace_jax.fit.inducing import GPConfig
        from ace_jax.fit.rows import chunked_rows_fn

        sizes = {"n_B": facts["n_B"], "n_pair": facts["n_pair"], "NZ": 1, "C": CELLS}
        self._rows = chunked_rows_fn(model, GPConfig(r0=1.0, rcut=cutoff, **sizes))

    def virials(self, cells: Sequence[Atoms]) -> np.ndarray:
        """Return minus the derivatives of each cell's sums by strain, (n_cells, 6, D).

        In the order xx, yy, zz, yz, xz, xy.
        """
        return np.array([virial for *_, virial in self._evaluate(cells)])

    def _compute(self, cells: Sequence[Atoms]) -> list[np.ndarray]:
        return [
            np.concatenate([sums[None], derivatives.reshape(-1, self.n_components)])
            for sums, derivatives, _ in self._evaluate(cells)
        ]

    def _evaluate(self, cells: Sequence[Atoms]) -> list[Parts]:
        """Return each cell's sums, and minus their derivatives by positions and by strain."""
        return evaluate(cells, self._cutoff, self._element, self._rows)


@lru_cache(maxsize=1)
def ace_source(order: int, degree: int, cutoff: float, element: str) -> AceSource:
    """Return the source of this basis, the one of before where it is the same."""
    return AceSource(order, degree, cutoff, element)
