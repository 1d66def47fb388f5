"""Records of published data sets, of whatever form they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from diverse.datasets.literature.ase_files import read_ase
from diverse.datasets.literature.containers import Files, opened, stem
from diverse.datasets.literature.deepmd import deepmd_folders, read_deepmd
from diverse.datasets.literature.extxyz import read_extxyz
from diverse.datasets.literature.fetch import SourceError
from diverse.datasets.literature.json_files import read_json
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
}

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
        where they are none of the known spellings.
    name : str, optional
        Of the source, where it is not that of `path` (a download has another).

    Raises
    ------
    SourceError
        If the source is damaged as a whole, or of no form that can be read.
    """
    name = name or path.name
    with opened(path) as (files, damaged):
        if not path.is_dir() and list(files.values()) == [path]:
            files = {PurePosixPath(name): path}
        for inside, cause in damaged.items():
            group = inside.parent.name or stem(name)
            yield Record(str(inside), group, None, f"it cannot be unpacked ({cause})")
        if files or not damaged:
            yield from _read(files, stem(name), keys or {}, str(path))


def _read(files: Files, source: str, keys: Mapping[str, str], path: str) -> Iterator[Record]:
    single = len(files) == 1
    found = False
    systems = deepmd_folders(files)
    for folder in systems:
        found = True
        yield from read_deepmd(folder, files, folder.name or source)
    for name in sorted(files, key=_natural):
        if any(folder in name.parents for folder in systems):
            continue
        form = _form(name) or (_sniffed(files[name]) if single else "")
        folder_name = name.parent.name or source
        group = folder_name if form in ("vasprun", "outcar") else stem(name.name)
        if form in WITHOUT:
            if single:
                raise SourceError(f"{path}: {WITHOUT[form]}; {FORMS} can be read")
            yield Record(str(name), folder_name, None, f"{WITHOUT[form]}; it is not read")
        elif form == "xyz":
            found = True
            yield from read_extxyz(files[name], str(name), group, keys)
        elif form == "json":
            found = True
            yield from read_json(files[name], name.name, group, folder_name)
        elif form == "vasprun":
            found = True
            yield from read_vasprun(files[name], str(name), group)
        elif form == "outcar" and any(_form(n) == "vasprun" for n in files if _beside(n, name)):
            yield Record(str(name), group, None, "the calculation of the vasprun.xml beside it")
        elif form:
            found = True
            yield from read_ase(files[name], str(name), group, form)
    if not found:
        raise SourceError(f"{path} holds no file of a form that can be read: {FORMS}")


def _beside(name: PurePosixPath, other: PurePosixPath) -> bool:
    return name.parent == other.parent


def _form(name: PurePosixPath) -> str:
    """Return the form that a file's name says, or an empty string."""
    low = name.name.lower()
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
