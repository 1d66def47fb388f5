"""Audit of labels: recomputed from nothing, and forces and stress against finite differences.

Labels without a stress are audited without it, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.units import GPa

from diverse.labels.labellers import Labeller
from diverse.labels.target import free_energy, stress_of

# Å, of the displaced atom; truncation below 2 meV/Å where the force bends by 100 eV/Å^3.
STEP = 0.01
WEAK = 0.1  # eV/Å: a force that symmetry holds at zero says nothing about derivatives
STRAIN = 0.005  # linear; truncation below 0.1 GPa for tungsten
LIMITS = {"energy": 0.5, "force": 5.0, "stress": 0.05, "force as derivative": 10.0}
LIMITS |= {"pressure as derivative": 0.3, "shear as derivative": 0.3}
UNITS = {"energy": "meV/atom", "force": "meV/Å", "stress": "GPa", "force as derivative": "meV/Å"}
UNITS |= {"pressure as derivative": "GPa", "shear as derivative": "GPa"}
PROBES = 6  # calculations for the derivatives of one cell, of which the first two
FORCE_PROBES = 2  # are for its force, all there is to check where the label has no stress
COLUMNS = ["dataset", "check", "cell", "atoms", "difference", "limit", "unit", "within"]


def sample(rows: Sequence[Atoms], number: int, rng: np.random.Generator) -> list[Atoms]:
    """Draw labelled rows at random, without replacement; all of them if there are fewer."""
    labelled = [row for row in rows if row.calc is not None]
    drawn = rng.permutation(len(labelled))[:number]
    return [labelled[index] for index in sorted(drawn)]


def cheapest(rows: Sequence[Atoms], number: int) -> list[Atoms]:
    """Return the labelled rows whose derivatives cost least core time to check.

    Cells in which every force is weak come after all others: their zero would prove nothing.
    """
    labelled = [row for row in rows if row.calc is not None]

    def price(row: Atoms) -> tuple[bool, float, int]:
        weak = bool(np.abs(row.get_forces()).max() < WEAK)
        return weak, row.info["seconds"], len(row)

    return sorted(labelled, key=price)[:number]


def expected_cost(again: Sequence[Atoms], derived: Sequence[Atoms]) -> tuple[int, float]:
    """Return the number of calculations of an audit and their core seconds, as first labelled.

    A probe of a symmetrical cell is less symmetrical and takes longer than that, and so does one
    in a larger basis.
    """
    seconds = sum(row.info["seconds"] for row in again)
    seconds += sum(_probes_of(row) * row.info["seconds"] for row in derived)
    return len(again) + sum(map(_probes_of, derived)), float(seconds)


def audit(
    again: Sequence[Atoms],
    derived: Sequence[Atoms],
    labeller: Labeller,
    compute: Callable[[Sequence[Atoms], Labeller], Sequence[Atoms]],
) -> pd.DataFrame:
    """Compare shipped labels of one data set with recomputed ones and with finite differences.

    Parameters
    ----------
    again : sequence of Atoms
        Labelled cells whose labels are computed anew.
    derived : sequence of Atoms
        Labelled cells whose forces and stresses are compared with finite differences of the free
        energy, the k-points of each held fixed and strained cells in a larger basis; of labels
        without a stress, only forces.
    labeller : Labeller
    compute : callable
        Labels cells with a labeller.

    Returns
    -------
    DataFrame
        One line per cell and check: ``difference`` and ``limit`` in ``unit``.
    """
    lines = []
    for row, new in zip(again, compute([*map(bare, again)], labeller), strict=True):
        lines += compare_labels(row, new)
    for row in derived:
        cells = probes(row)
        moved, strained = cells[:FORCE_PROBES], cells[FORCE_PROBES : _probes_of(row)]
        found = [*compute(moved, labeller.fixed(row)), *compute(strained, labeller.strained(row))]
        lines += compare_derivatives(row, found)
    return pd.DataFrame(lines, columns=COLUMNS)


class AuditError(RuntimeError):
    """Some checks of an audit are beyond their limits; the message is the verdict."""


def verdict(table: pd.DataFrame) -> str:
    """Return in a sentence what an audit found, and in another where no stress was checked."""
    wrong = table[~table["within"].astype(bool)]
    without = _without_stress(table)
    stress = f" Labels without a stress: {', '.join(without)}." if without else ""
    if wrong.empty:
        return f"All {len(table)} checks of the audit are within their limits.{stress}"
    names = sorted({f"{row.dataset} ({row.check})" for row in wrong.itertuples()})
    return (
        f"{len(wrong)} of {len(table)} checks of the audit are beyond their limits: "
        f"{', '.join(names)}.{stress}"
    )


def demand_limits(table: pd.DataFrame) -> None:
    """Raise `AuditError` with the verdict if a check of an audit is beyond its limit."""
    if not table["within"].astype(bool).all():
        raise AuditError(verdict(table))


def _without_stress(table: pd.DataFrame) -> list[str]:
    """Return the data sets of an audit with labels whose stress was not checked, and how many."""
    counts = pd.crosstab(table["dataset"], table["check"]).reindex(
        columns=["energy", "stress"], fill_value=0
    )
    absent = (counts["energy"] - counts["stress"]).loc[lambda number: number > 0]
    return [f"{number} of {counts['energy'][name]} of {name}" for name, number in absent.items()]


def compare_labels(shipped: Atoms, again: Atoms) -> list[dict[str, Any]]:
    """Return the largest differences of energy, forces and stress between two labels of a cell."""
    checks, stress = ["energy", "force", "stress"], stress_of(shipped)
    if again.calc is None:
        return _lines(shipped, dict.fromkeys(checks[: 2 + (stress is not None)], float("inf")))
    energy = free_energy(again) - free_energy(shipped)
    force = np.abs(again.get_forces() - shipped.get_forces()).max()
    found = {"energy": 1000 * energy / len(shipped), "force": 1000 * force}
    if stress is not None:
        new = stress_of(again)
        found["stress"] = np.inf if new is None else np.abs(new - stress).max() / GPa
    return _lines(shipped, found)


def probes(shipped: Atoms) -> list[Atoms]:
    """Return the cells whose energies give derivatives: a displaced atom, volume, shear; -/+ each.

    The atom and the direction are those of the largest force.
    """
    cells = []
    atom, axis = _largest_force(shipped)
    for sign in (-1, 1):
        cells.append(bare(shipped))
        cells[-1].positions[atom, axis] += sign * STEP
    for pattern in (np.eye(3), np.array([[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]])):
        for sign in (-1, 1):
            cells.append(bare(shipped))
            deformation = np.eye(3) + sign * STRAIN * pattern
            cells[-1].set_cell(shipped.cell.array @ deformation, scale_atoms=True)
    return cells


def compare_derivatives(shipped: Atoms, probed: Sequence[Atoms]) -> list[dict[str, Any]]:
    """Return the differences of one force, the pressure and one shear from finite differences."""
    stress, volume = stress_of(shipped), shipped.get_volume()
    if any(cell.calc is None for cell in probed):
        checks = list(LIMITS)[3:] if stress is not None else ["force as derivative"]
        return _lines(shipped, dict.fromkeys(checks, float("inf")))
    minus, plus = probed[0::2], probed[1::2]
    energy = [free_energy(b) - free_energy(a) for a, b in zip(minus, plus, strict=True)]
    force = shipped.get_forces()[_largest_force(shipped)] + energy[0] / (2 * STEP)
    found = {"force as derivative": 1000 * force}
    if stress is not None:
        pressure = energy[1] / (2 * STRAIN * 3 * volume)
        shear = energy[2] / (2 * STRAIN * volume)
        found["pressure as derivative"] = (stress[:3].mean() - pressure) / GPa
        found["shear as derivative"] = (stress[5] - shear) / GPa
    return _lines(shipped, found)


def _probes_of(row: Atoms) -> int:
    return FORCE_PROBES if stress_of(row) is None else PROBES


def _lines(shipped: Atoms, found: dict[str, float]) -> list[dict[str, Any]]:
    return [
        {
            "dataset": shipped.info["dataset"],
            "check": check,
            "cell": shipped.info["trajectory"],
            "atoms": len(shipped),
            "difference": difference,
            "limit": LIMITS[check],
            "unit": UNITS[check],
            "within": abs(difference) <= LIMITS[check],
        }
        for check, difference in found.items()
    ]


def _largest_force(cell: Atoms) -> tuple[int, int]:
    atom, axis = np.unravel_index(np.abs(cell.get_forces()).argmax(), (len(cell), 3))
    return int(atom), int(axis)


def bare(cell: Atoms) -> Atoms:
    """Return a copy without its label and without what the ledger wrote about it."""
    copy = Atoms(cell.symbols, positions=cell.positions, cell=cell.cell, pbc=True)
    copy.info = {name: cell.info[name] for name in ("dataset", "config_type", "trajectory")}
    return copy
