"""Facts of labels that tables and figures are made of, without the structures.

Sets of full size do not fit in memory as ASE objects; their facts do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
from ase import Atoms

from diverse.labels.target import free_energy_per_atom, stress_of
from diverse.structures.frames import labelled_frames

DROPPED = frozenset({"dataset", "config_type", "trajectory", "key", "checksum"})


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """Facts of one row of a ledger.

    Attributes
    ----------
    n_atoms : int
    volume : float, Å^3
        Volume per atom.
    energy : float, eV/atom
        Free energy; NaN where there is no label.
    forces : ndarray, shape (n_atoms, 3), eV/Å
        Of no atom where there is no label.
    has_stress : bool
    info : dict
        Whatever else the row says, but what names the cell.
    """

    n_atoms: int
    volume: float
    energy: float
    forces: np.ndarray
    has_stress: bool
    info: dict[str, Any]

    @property
    def labelled(self) -> bool:
        """Truth of the row having a label."""
        return not np.isnan(self.energy)

    @classmethod
    def of(cls, row: Atoms) -> LabelFacts:
        """Take the facts of a row, labelled or not."""
        labelled = row.calc is not None
        info = {
            intern(key): intern(value) if isinstance(value, str) else value
            for key, value in row.info.items()
            if key not in DROPPED
        }
        return cls(
            len(row),
            row.get_volume() / len(row),
            free_energy_per_atom(row) if labelled else np.nan,
            row.get_forces() if labelled else np.zeros((0, 3)),
            stress_of(row) is not None,
            info,
        )


def facts_by_dataset(
    paths: Iterable[str | Path], datasets: Iterable[str]
) -> dict[str, list[LabelFacts]]:
    """Return the facts of the labelled cells of these data sets; those that have none are left out.

    Raises
    ------
    KeyError
        If a cell is of another data set.
    """
    facts: dict[str, list[LabelFacts]] = {name: [] for name in datasets}
    for frame in labelled_frames(paths):
        facts[frame.dataset].append(LabelFacts.of(frame.cell()))
    return {name: members for name, members in facts.items() if members}
