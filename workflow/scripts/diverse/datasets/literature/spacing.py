"""Published positions beside the reference lattice: bohr that were read as Å, or another metal.

Positions in bohr with energies in hartree and forces in hartree/bohr contradict nothing in
themselves; only what is known of the metal tells them from positions in Å.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from diverse.neighbours import shortest_distance

SPARSE = 1.25  # times the reference lattice's nearest distance, which no cohering cell keeps
EXAMINED = 200  # cells, spread over the set, from which it is judged


def sparse_sentence(cells: Sequence[Atoms], nearest: float) -> str:
    """Return a sentence if atoms of most cells are farther apart than in the reference lattice.

    Parameters
    ----------
    cells : sequence of Atoms
        Periodic; those of a single atom, which may stand alone, do not count.
    nearest : float, Å
        Distance of nearest neighbours in the reference lattice.

    Returns
    -------
    str
        Empty unless the median over the cells of the shortest distance is over 1.25 `nearest`.
    """
    several = [cell for cell in cells if len(cell) > 1]
    if not several:
        return ""
    places = np.linspace(0, len(several) - 1, min(EXAMINED, len(several))).astype(int)
    found = float(np.median([shortest_distance(several[place]) for place in places]))
    if found <= SPARSE * nearest:
        return ""
    return (
        f"set whose nearest atoms are {found:.2f} Å apart (median), {found / nearest:.2f} times as "
        f"far as in the reference lattice ({nearest:.2f} Å): positions are in bohr (1.89 times), "
        "energies in hartree, or the study file has the lattice of another metal"
    )
