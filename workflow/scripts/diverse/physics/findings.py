"""Sentences that the table of physical properties says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from diverse.physics.properties import STRUCTURES
from diverse.physics.references import EXPERIMENT, KINDS
from diverse.physics.vibrations import UNSTABLE

CLOSE = 0.1  # of the reference: a value within it is close
CLOSE_LENGTH = 0.01  # the same of lattice constants: within a tenth are all
OTHERS = "Not trained here"
Values = Mapping[str, float]


def physics_findings(table: pd.DataFrame) -> list[str]:
    """Return what a table of physical properties says, as sentences.

    Each training set has the number of values of its potentials that are close to the labeller's,
    or to DFT-PBE of the literature where the labeller has none: within 10 %, lattice constants
    within 1 %. A missing value is not close. Further sentences name the potentials that are
    unphysical: imaginary phonons, elastic constants that break M. Born's conditions (Proc.
    Cambridge Philos. Soc. 36, 160 (1940)), another lattice below the reference lattice, a vacancy
    that costs no energy.

    Parameters
    ----------
    table : DataFrame
        Of `diverse.physics.table.collect_properties`.
    """
    table = table.fillna({"train": "", "model": "", "against": ""})
    judged = table[~table["potential"].isin({*KINDS, *table["against"]})]
    return [*_agreement(judged), *_unphysical(judged)]


def _agreement(table: pd.DataFrame) -> list[str]:
    """Return how many values of each training set's potentials are close to their reference."""
    compared = table[(table["reference"].abs() > 0) & ~table["against"].isin(["", EXPERIMENT])]
    limits = compared["unit"].map(lambda unit: CLOSE_LENGTH if unit == "Å" else CLOSE)
    close = compared["difference"].abs() <= limits * compared["reference"].abs()
    names = compared["model"].where(compared["train"] != "", compared["potential"])
    compared = compared.assign(close=close, name=names)
    sentences = []
    for train, rows in compared.groupby("train", sort=False):
        whose = " or ".join(dict.fromkeys(rows["against"]))
        counts = rows.groupby("name", sort=False)["close"].agg(["sum", "size"])
        listed = ", ".join(f"{name} {n} of {size}" for name, n, size in counts.itertuples())
        sentences.append(
            f"{f'Trained on {train}' if train else OTHERS}: {rows['close'].sum()} of {len(rows)} "
            f"values lie within {100 * CLOSE:.0f} % of {whose}, lattice constants within "
            f"{100 * CLOSE_LENGTH:.0f} % ({listed})."
        )
    return sentences


def _unphysical(table: pd.DataFrame) -> list[str]:
    """Return which potentials are unphysical, one sentence for each kind of it."""
    values = {
        str(name): dict(zip(rows["property"], rows["value"], strict=True))
        for name, rows in table[table["value"].notna()].groupby("potential", sort=False)
    }
    checks: dict[str, Callable[[Values], bool]] = {
        "The lattice is not stable, phonons are imaginary": _has_imaginary_phonons,
        "The lattice is not stable, elastic constants break Born's conditions": _breaks_born,
        "Another lattice lies below the reference lattice": _prefers_another_lattice,
        "A vacancy costs no energy": lambda found: found.get("vacancy formation", 1.0) <= 0,
    }
    sentences = []
    for words, is_so in checks.items():
        names = [name for name, found in values.items() if is_so(found)]
        if names:
            sentences.append(f"{words}: {', '.join(names)}.")
    return sentences or ["No lattice is unstable, none lies below the reference lattice."]


def _has_imaginary_phonons(found: Values) -> bool:
    return found.get("phonon lowest", 0.0) < UNSTABLE


def _breaks_born(found: Values) -> bool:
    """Return whether constants break C11 > |C12|, C44 > 0 and C33 (C11 + C12) > 2 C13^2.

    Of cubic lattices C33 is C11 and C13 is C12, so that the last is C11 + 2 C12 > 0.
    """
    if not {"C11", "C12", "C44"} <= set(found):
        return False
    c11, c12, c44 = (found[name] for name in ("C11", "C12", "C44"))
    c13, c33, c66 = found.get("C13", c12), found.get("C33", c11), found.get("C66", 1.0)
    return min(c11 - abs(c12), c44, c33 * (c11 + c12) - 2 * c13**2, c66) <= 0


def _prefers_another_lattice(found: Values) -> bool:
    return any(found.get(f"{name} energy", 0.0) < 0 for name in STRUCTURES)
