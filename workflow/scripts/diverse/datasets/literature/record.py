"""Record: one configuration of a published source."""

from __future__ import annotations

from dataclasses import dataclass

from ase import Atoms


@dataclass(frozen=True)
class Record:
    """One configuration of a source, or why it cannot be used.

    Attributes
    ----------
    name : str
        Where it comes from: file, and number inside the file from 0.
    group : str
    atoms : Atoms or None
        As it is in the source, not repeated where the source does not repeat it, with those
        labels that it has attached (eV, eV/Å, eV/Å^3 in ASE's sign).
    problem : str
        Why `atoms` is None; empty otherwise.
    notes : tuple of str
        What is to be known of a record that is kept.
    holds : tuple of str
        Keys of the source, for the message where labels are missing.
    energy : str
        Key that the energy was taken from, where the source may have several.
    """

    name: str
    group: str
    atoms: Atoms | None
    problem: str = ""
    notes: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    energy: str = ""
