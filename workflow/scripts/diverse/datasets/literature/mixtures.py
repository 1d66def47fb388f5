"""Energies of several kinds in one published set: none is left unsaid."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from diverse.datasets.literature.keys import spelled
from diverse.datasets.literature.record import Record

SAME = 1e-5  # eV, between a free energy and an energy that are one number


class Kind(NamedTuple):
    """Facts of the energy of one record.

    Attributes
    ----------
    key : str
        Key that it was taken from; empty where its form has only one.
    free : bool or None
        Whether models train on a free energy that is none of the energies without it; None where
        the two are one number, so that it does not matter.
    """

    key: str
    free: bool | None


def kind_of(record: Record) -> Kind:
    """Return the kind of energy that a labelled record has."""
    atoms = record.atoms
    results = {} if atoms is None or atoms.calc is None else atoms.calc.results
    if not {"energy", "free_energy"} <= set(results):
        return Kind(record.energy, "free_energy" in results)
    differ = abs(results["free_energy"] - results["energy"]) > SAME
    return Kind(record.energy, True if differ else None)


def mixtures(kinds: Iterable[Kind]) -> list[str]:
    """Return what is to be known of a set whose energies are of several kinds, or nothing.

    Energies of two sources (``REF_energy`` in some records, ``energy`` in others) may have
    different zeros; free energies and energies extrapolated to zero smearing differ by the
    entropy of the electrons.
    """
    counts = Counter(kinds)
    sources: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, count in counts.items():
        if kind.key:
            quantity, source = spelled(kind.key)
            sources[source if quantity else kind.key][kind.key] += count
    said = []
    if len(sources) > 1:
        parts = [f"{next(iter(keys))} in {keys.total():,} records" for keys in sources.values()]
        said.append(
            f"energies are of several sources, which may have different zeros: {', '.join(parts)}; "
            "choose one with keys in the study file, or import each as a data set of its own"
        )
    free, without = (
        sum(counts[k] for k in counts if k.free is is_free) for is_free in (True, False)
    )
    if free and without:
        said.append(
            f"{free:,} records have a free energy, which models train on, and {without:,} another "
            "energy alone: choose one that all have with keys in the study file, or import each "
            "as a data set of its own"
        )
    return said
