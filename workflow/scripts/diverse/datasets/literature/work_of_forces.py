"""Published forces against energies: what atoms gain on a short way is the work against the forces.

Forces in the wrong unit or sign read as well as right ones, and so do positions in another unit
than that of the forces. Where a group holds one cell with its atoms at little different places, as
snapshots of dynamics and displaced crystals do, its energies say how large the forces must be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from ase import Atoms

from diverse.datasets.literature.pressure import Verdict, energy_of

LEAST, SHORT = 0.01, 0.5  # Å, of a way: atoms moved at all, and forces change about linearly
NEAR = 5  # cells, in the order of the source, among which such ways are looked for
FEW = 5  # ways from which a group is judged
SIGNAL = 1e-3  # eV, root mean square of the differences of energy, that judge anything
FOLLOWS = 0.95  # correlation of differences of energy with work, without which nothing is said
GRID = 960  # points along a vector, by which places of atoms are told apart
FACTOR = 1.5  # by which forces may miss the energies


def check_forces(cells: Sequence[Atoms]) -> list[Verdict]:
    """Compare the forces of each group with its energies.

    Between cells of the same lattice vectors and species the difference of energies is minus the
    sum over the atoms of the mean force times the way (trapezoidal rule, exact for harmonic
    energies): the work against the forces. Energies are in eV, forces in eV/Å, positions in Å.

    Parameters
    ----------
    cells : sequence of Atoms
        Labelled, with ``config_type``.

    Returns
    -------
    list of Verdict
        One for each group: forces agree where the work is 1/1.5 to 1.5 times the difference, and
        nothing is said where cells are too far apart or energies do not follow the work. Forces
        that are all exactly zero do not agree where as many atoms lie in different ways.
    """
    groups: dict[str, list[Atoms]] = defaultdict(list)
    for cell in cells:
        groups[cell.info["config_type"]].append(cell)
    return [_verdict(name, members) for name, members in groups.items()]


def _verdict(group: str, cells: list[Atoms]) -> Verdict:
    gained, work = np.array(list(_ways(cells))).reshape(-1, 2).T
    if len(work) < FEW or np.sqrt(np.mean(gained**2)) < SIGNAL:
        if _padded(cells):
            return Verdict(group, False, f"the forces of all {len(cells)} cells are exactly zero")
        return Verdict(group, None, "no short ways between cells to check the forces by")
    if not work.any():
        ways = f"{len(work)} short ways between cells on which energies differ"
        return Verdict(group, False, f"the forces are zero on {ways}")
    correlation = gained @ work / np.sqrt((gained @ gained) * (work @ work))
    if abs(correlation) < FOLLOWS:
        return Verdict(
            group, None, "energies follow the work against the forces too loosely to check them"
        )
    slope = gained @ work / (gained @ gained)
    found = (
        f"the work against the forces is {slope:.3g} times the difference of energies "
        f"({len(work)} short ways between cells)"
    )
    return Verdict(group, bool(1 / FACTOR < slope < FACTOR), found)


def _padded(cells: list[Atoms]) -> bool:
    """Return true where zeros stand for forces in all cells, and symmetry explains too few.

    Perfect crystals have no forces, but share their fractional coordinates at all volumes.
    """
    if any(cell.calc.results["forces"].any() for cell in cells):
        return False
    places: dict[str, set[bytes]] = defaultdict(set)
    for cell in cells:
        fractional = cell.get_scaled_positions(wrap=False)
        grid = np.rint((fractional - fractional[0]) * GRID).astype("<i4") % GRID
        places[str(cell.symbols)].add(grid.tobytes())
    return max(map(len, places.values())) >= FEW


def _ways(cells: list[Atoms]) -> Iterator[tuple[float, float]]:
    """Yield difference of energy and work against the forces (eV) between cells that are near."""
    alike: dict[bytes, list[Atoms]] = defaultdict(list)
    for cell in cells:
        alike[_box(cell)].append(cell)
    for members in alike.values():
        for number, start in enumerate(members):
            for end in members[number + 1 : number + 1 + NEAR]:
                way = _way(start, end)
                if LEAST < np.linalg.norm(way, axis=1).max() < SHORT:
                    force = (start.calc.results["forces"] + end.calc.results["forces"]) / 2
                    yield energy_of(end) - energy_of(start), -float(np.sum(force * way))


def _box(cell: Atoms) -> bytes:
    return str(cell.symbols).encode() + np.rint(100 * cell.cell.array).astype("<i4").tobytes()


def _way(start: Atoms, end: Atoms) -> np.ndarray:
    """Return the way of every atom to its nearest image, Å, without what moves all alike."""
    moved = end.get_scaled_positions(wrap=False) - start.get_scaled_positions(wrap=False)
    way = (moved - np.rint(moved)) @ start.cell.array
    return np.asarray(way - way.mean(axis=0))
