"""Spellings of energy, forces, stress and virial in published files, with sign and unit.

All are in eV, eV/Å and eV/Å^3. ``stress`` is in ASE's sign (positive when the cell wants to
shrink); ``virial`` is minus the stress times the volume (eV): the convention of QUIP and GAP, of
NEP, of DeePMD and of MACE alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from diverse.datasets.literature.frame import FrameError

QUANTITIES = {
    "energy": (
        *("energy", "energies", "totalenergy", "totenergy", "etot", "toten", "potentialenergy"),
    ),
    "free_energy": ("freeenergy", "energyfree"),
    "forces": ("forces", "force"),
    "stress": ("stress", "stresses"),
    "virial": ("virial", "virials"),
}
# who says so, in the order in which they are believed; "" is a key without any prefix
REFERENCES = (
    *("ref", "reference", "dft", "qm", "vasp", "castep", "qe", "espresso", "aims", "cp2k", "gpaw"),
    *("abinit", "siesta", "pbe", "pbesol", "lda", "scan", "r2scan", "target", "true"),
)
MODELS = (
    *("mace", "nep", "gap", "ace", "snap", "mtp", "dp", "deepmd", "nequip", "allegro", "chgnet"),
    *("m3gnet", "sevennet", "pred", "predicted", "model"),
)
SOURCES = (*REFERENCES, "", *MODELS)
ENERGIES, TENSORS = ("energy", "free_energy"), ("stress", "virial")


def _table() -> dict[str, tuple[str, str]]:
    """Return quantity and source of each spelling, in small letters without separators."""
    table = {}
    for (quantity, words), source in product(QUANTITIES.items(), reversed(SOURCES)):
        for word in words:
            table[word + source] = table[source + word] = (quantity, source)
    return table


TABLE = _table()


@dataclass(frozen=True)
class Choice:
    """Keys that the labels of one frame are taken from.

    Attributes
    ----------
    keys : dict of str to str
        Name of each quantity that the frame holds (``energy``, ``free_energy``, ``forces``,
        ``stress``, ``virial``) to its key in the file.
    note : str
        What a reader should know of the choice; empty where it is the usual one.
    """

    keys: dict[str, str]
    note: str = ""


def choose(
    in_comment: Iterable[str], in_columns: Iterable[str], wanted: Mapping[str, str]
) -> Choice:
    """Choose the keys that labels are taken from.

    Labels that belong together are taken together: of one reference, else those without a prefix,
    else those of a model. Where the study file names an energy or forces, what it does not name
    and may be another source's is left aside, with a note.

    Parameters
    ----------
    in_comment : iterable of str
        Keys of the frame as a whole.
    in_columns : iterable of str
        Keys of each atom; forces are looked for here alone, all else in the former.
    wanted : mapping of str to str
        Key of a quantity, where the study file names it.

    Raises
    ------
    FrameError
        If the frame does not hold a key that the study file names.
    """
    of_frame, of_atoms = list(in_comment), list(in_columns)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for key in of_frame + of_atoms:
        quantity, source = spelled(key)
        if quantity and (quantity == "forces") == (key in of_atoms):
            found[source].setdefault(quantity, key)
    for quantity, key in wanted.items():
        here = of_atoms if quantity == "forces" else of_frame
        if key not in here:
            raise FrameError(
                f"it has no '{key}', which keys in the study file names as {quantity}; it holds "
                f"{', '.join(sorted({*here})) or 'nothing'}"
            )
    return _as_wanted(found, wanted) if wanted else Choice(*_best(found))


def spelled(key: str) -> tuple[str, str]:
    """Return quantity and source that a key spells, or two empty strings."""
    return TABLE.get("".join(c for c in key.casefold() if c.isalnum()), ("", ""))


def contradiction(wanted: Mapping[str, str]) -> str:
    """Return why the study file's names of labels exclude each other, or an empty string."""
    if not set(TENSORS) <= set(wanted):
        return ""
    return (
        f"it names both stress ('{wanted['stress']}') and virial ('{wanted['virial']}'), which are "
        "one label in two units; name one of them"
    )


def _as_wanted(found: Mapping[str, dict[str, str]], wanted: Mapping[str, str]) -> Choice:
    """Return labels as the study file names them, with what else belongs to them, and a note."""
    best, note = _best(found)
    if set(wanted) <= set(TENSORS):
        usual = {quantity: key for quantity, key in best.items() if quantity not in TENSORS}
        return Choice(usual | dict(wanted), note)
    sources = {spelled(key) for key in wanted.values()}
    known = {source for _, source in sources}
    own = found.get(known.pop(), {}) if len(known) == 1 and ("", "") not in sources else {}
    keys = best | own | dict(wanted)
    aside = set(TENSORS) - (set() if set(TENSORS) & set(wanted) else set(own))
    if set(ENERGIES) & set(wanted):
        aside |= set(ENERGIES)
    elif set(ENERGIES) & set(own):
        aside |= set(ENERGIES) - set(own)
    dropped = [keys.pop(name) for name in sorted((aside - set(wanted)) & set(keys))]
    notes = [_joined(best, own, wanted)]
    if dropped:
        named = ", ".join(f"{quantity} ({key})" for quantity, key in wanted.items())
        notes.append(
            f"{', '.join(dropped)} left aside: keys in the study file names {named}, and what is "
            "not named may be another source's"
        )
    return Choice(keys, "; ".join(filter(None, notes)))


def _joined(best: Mapping[str, str], own: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Say that energy or forces, of which one is named, are joined with another source's."""
    for named, others in ((("forces",), ENERGIES), (ENERGIES, ("forces",))):
        chosen = [wanted[quantity] for quantity in named if quantity in wanted]
        rivals = {best[quantity] for quantity in named if quantity in best} - set(chosen)
        joined = [best[quantity] for quantity in others if quantity in best]
        if chosen and rivals and joined and not set(others) & (set(wanted) | set(own)):
            return f"labels are joined from {', '.join([*chosen, *joined])}; keys can name both"
    return ""


def _best(found: Mapping[str, dict[str, str]]) -> tuple[dict[str, str], str]:
    """Return the labels of the best source that has energy and forces, and a note."""
    known = [source for source in SOURCES if source in found]
    for source in known:
        keys = found[source]
        if "forces" in keys and ("energy" in keys or "free_energy" in keys):
            return dict(keys), _note(source, known)
    merged: dict[str, str] = {}
    for source in known:
        for quantity, key in found[source].items():
            merged.setdefault(quantity, key)
    sources = {source for source in known if set(found[source].values()) & set(merged.values())}
    mixed = len(sources) > 1 and "forces" in merged
    return merged, f"labels are joined from {', '.join(merged.values())}" if mixed else ""


def _note(source: str, known: list[str]) -> str:
    if source in MODELS:
        return f"labels are those of a model, {source}: there are no others"
    return ""
