"""Records of published data sets, of whatever form they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from diverse.datasets.literature.ase_files import read_ase
from diverse.datasets.literature.containers import Files, opened, stem
from diverse.datasets.literature.deepmd import deepmd_folders, read_deepmd
from diverse.datasets.literature.extxyz import read_extxyz
from diverse.datasets.literature.fetch import SourceError
from diverse.datasets.literature.json_files import read_json
from diverse.datasets.literature.keys import contradiction
from diverse.datasets.literature.record import Record
from diverse.datasets.literature.vasp_xml import read_vasprun

FORMS = (
    "(extended) XYZ, FitSNAP JSON groups, pymatgen JSON as MAML ships it, ASE trajectories and "
    "databases, vasprun.xml, OUTCAR and DeePMD's NumPy folders, each as a file, in a folder or in "
    "a tar or zip archive"
)
WITHOUT = {  # forms that are known and cannot be read
    "cfg": "MTP's cfg names no elements",
    "n2p2": "the units of n2p2's input.data are not written in it",
    "poscar": "a POSCAR has no energies and forces",
    "lammps": "a LAMMPS data or dump file has no energies",
    "table": "its form is unknown",
    "packed": "it is an archive, or packed in another way than by gzip, bzip2 or xz: unpack it",
    "twin": "the packed form of the file beside it",
    "unnamed": "its content can be read, its name cannot: call it .xyz, .json, .traj or .db",
}
ARCHIVES = (
    *(".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".zip", ".gz", ".bz2", ".xz", ".7z", ".rar"),
    *(".zst", ".lz4", ".lzma", ".z"),
)

__all__ = ["FORMS", "Record", "read_records"]


def read_records(
    path: Path, keys: Mapping[str, str] | None = None, name: str | None = None
) -> Iterator[Record]:
    """Yield every configuration of a source, or why it cannot be used.

    Parameters
    ----------
    path : Path
        File, folder or archive: see `FORMS`.
    keys : mapping of str to str, optional
        Keys of ``energy``, ``free_energy``, ``forces``, ``stress`` or ``virial`` in XYZ files,
        where they are none of the known spellings; other forms have none to choose from.
    name : str, optional
        Of the source, where it is not that of `path` (a download has another).

    Raises
    ------
    SourceError
        If the source is damaged as a whole, or of no form that can be read, or if `keys` exclude
        each other or no file is an XYZ file.
    """
    name, keys = name or path.name, keys or {}
    if why := contradiction(keys):
        raise SourceError(f"{path}: keys in the study file cannot be followed: {why}")
    with opened(path) as (files, damaged):
        if not path.is_dir() and list(files.values()) == [path]:
            files = {PurePosixPath(name): path}
        for inside, cause in damaged.items():
            group = inside.parent.name or stem(name)
            yield Record(str(inside), group, None, f"it cannot be unpacked ({cause})")
        if files or not damaged:
            yield from _read(files, stem(name), keys, str(path))


def _read(files: Files, source: str, keys: Mapping[str, str], path: str) -> Iterator[Record]:
    systems = deepmd_folders(files)
    loose = [name for name in files if not any(folder in name.parents for folder in systems)]
    forms = {name: _form_of(name, files) for name in sorted(loose, key=_natural)}
    if len(files) == 1:
        for form in set(forms.values()) & set(WITHOUT):
            raise SourceError(f"{path}: {WITHOUT[form]}; {FORMS} can be read")
    if not systems and not {form for form in forms.values() if form} - set(WITHOUT):
        raise SourceError(f"{path} holds no file of a form that can be read: {FORMS}")
    if keys and "xyz" not in forms.values():
        raise SourceError(
            f"{path} holds no XYZ file, which alone has keys to choose: leave out keys"
        )
    calculations = {name.parent for name, form in forms.items() if form == "vasprun"}
    for folder in systems:
        read = read_deepmd(folder, files, folder.name or source)
        yield from map(_without_keys, read) if keys else read
    for name, form in forms.items():
        if form == "xyz":
            yield from read_extxyz(files[name], str(name), stem(name.name), keys)
        elif form:
            again = form == "outcar" and name.parent in calculations
            read = _read_file(files[name], name, form, source, again)
            yield from map(_without_keys, read) if keys else read


def _read_file(
    file: Path, name: PurePosixPath, form: str, source: str, again: bool
) -> Iterator[Record]:
    """Yield the records of a file that is none of XYZ; `again` if another holds its calculation."""
    folder = name.parent.name or source
    group = folder if form in ("vasprun", "outcar") else stem(name.name)
    if form in WITHOUT:
        yield Record(str(name), folder, None, f"{WITHOUT[form]}; it is not read")
    elif form == "json":
        yield from read_json(file, name.name, group, folder)
    elif form == "vasprun":
        yield from read_vasprun(file, str(name), group)
    elif again:
        yield Record(str(name), group, None, "the calculation of the vasprun.xml beside it")
    else:
        yield from read_ase(file, str(name), group, form)


def _without_keys(record: Record) -> Record:
    note = "it is no XYZ: keys in the study file choose nothing here"
    return replace(record, notes=(*record.notes, note))


def _form_of(name: PurePosixPath, files: Files) -> str:
    """Return the form of a file among others, or an empty string for what is no data."""
    form = _form(name)
    if form and form != "packed":
        return form
    if len(files) == 1:
        return _sniffed(files[name]) or form
    if form:
        return "twin" if name.with_suffix("") in files else form
    known = _sniffed(files[name]) in ("db", "traj") or _counts_atoms(files[name])
    return "unnamed" if known else ""


def _counts_atoms(path: Path) -> bool:
    """Return true where a file begins as XYZ does: a number, then a line with Properties."""
    with path.open("rb") as file:
        first, _, second = file.read(4096).partition(b"\n")
    return first.strip().isdigit() and b"properties=" in second.partition(b"\n")[0].lower()


def _form(name: PurePosixPath) -> str:
    """Return the form that a file's name says, or an empty string."""
    low = name.name.lower()
    if low.endswith(ARCHIVES):
        return "packed"
    endings = {".xyz": "xyz", ".extxyz": "xyz", ".exyz": "xyz", ".json": "json", ".traj": "traj"}
    endings |= {".db": "db", ".cfg": "cfg"}
    for ending, form in endings.items():
        if low.endswith(ending):
            return form
    if low.startswith("vasprun") or low.endswith("vasprun.xml"):
        return "vasprun"
    if low.startswith("outcar") or low.endswith("outcar"):
        return "outcar"
    if low.startswith(("poscar", "contcar")):
        return "poscar"
    if low in ("input.data", "input.nn.data"):
        return "n2p2"
    return "lammps" if low.endswith((".lmp", ".lammps", ".dump", ".lammpstrj")) else ""


def _sniffed(path: Path) -> str:
    """Return the form that the beginning of a file says, or an empty string."""
    with path.open("rb") as file:
        head = file.read(4096)
    words = head.removeprefix(b"\xef\xbb\xbf").split(None, 1)
    first = words[0] if words else b""
    if first.isdigit():
        return "xyz"
    signs = {b"SQLite format 3": "db", b"- of Ulm": "traj", b"<?xml": "vasprun", b"{": "json"}
    signs |= {b"[": "json", b"BEGIN_CFG": "cfg", b"begin": "n2p2", b"ITEM:": "lammps"}
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for sign, form in signs.items():
        if start.startswith(sign):
            return form
    if b'{"Dataset"' in head or b'"Dataset":' in head:
        return "json"
    return "lammps" if b"xlo xhi" in head else ""


def _natural(path: PurePosixPath) -> list[tuple[int, int | str]]:
    """Return a sort key that puts frame 10 after frame 9."""
    parts = re.split(r"([0-9]+)", str(path))
    return [(0, int(p)) if place % 2 else (1, p) for place, p in enumerate(parts)]
