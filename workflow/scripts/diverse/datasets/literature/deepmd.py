"""DeePMD's NumPy folders: ``type.raw``, ``type_map.raw`` and ``set.*/*.npy``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from diverse.datasets.literature.frame import Array, FrameError, make_atoms, voigt, volume
from diverse.datasets.literature.frames_of_text import TextError, decode
from diverse.datasets.literature.record import Record

MAX_BYTES = 1 << 30  # of one array
Files = Mapping[PurePosixPath, Path]


def deepmd_folders(files: Files) -> list[PurePosixPath]:
    """Return the folders that hold a DeePMD system: a ``type.raw`` beside ``set.*`` folders."""
    sets = {name.parent.parent for name in files if _in_set(name)}
    return sorted(folder for folder in sets if folder / "type.raw" in files)


def _in_set(name: PurePosixPath) -> bool:
    return name.name == "coord.npy" and name.parent.name.startswith("set.")


def read_deepmd(folder: PurePosixPath, files: Files, name: str) -> Iterator[Record]:
    """Yield the frames of a DeePMD system; its virial is minus the stress times the volume.

    Parameters
    ----------
    folder : PurePosixPath
        One of `deepmd_folders`.
    files : mapping of PurePosixPath to Path
        Names inside the source to files.
    name : str
        Group of the frames, and first part of their names.
    """
    try:
        species = _species(folder, files)
    except (FrameError, TextError) as error:
        yield Record(name, name, None, str(error))
        return
    periodic = folder / "nopbc" not in files
    for coordinates in sorted(n for n in files if _in_set(n) and n.parent.parent == folder):
        part = coordinates.parent
        where = f"{name}/{part.name}"
        try:
            arrays = _arrays(part, files, len(species), periodic)
        except FrameError as error:
            yield Record(where, name, None, str(error))
            continue
        for index in range(len(arrays["coord"])):
            frame = {key: values[index] for key, values in arrays.items()}
            try:
                yield _record(frame, f"{where}:{index}", name, species, periodic)
            except FrameError as error:
                yield Record(f"{where}:{index}", name, None, str(error))


def _species(folder: PurePosixPath, files: Files) -> list[str]:
    types = decode(files[folder / "type.raw"].read_bytes()).split()
    if folder / "type_map.raw" not in files:
        raise FrameError("type_map.raw is missing: it says which elements the types are")
    names = decode(files[folder / "type_map.raw"].read_bytes()).split()
    try:
        numbers = [int(kind) for kind in types]
    except ValueError:
        raise FrameError("type.raw is no list of numbers") from None
    if not numbers or not all(0 <= kind < len(names) for kind in numbers):
        raise FrameError(f"type.raw has types that the {len(names)} of type_map.raw do not name")
    return [names[kind] for kind in numbers]


def _arrays(part: PurePosixPath, files: Files, count: int, periodic: bool) -> dict[str, Array]:
    """Return the arrays of one set, one row a frame."""
    if part / "real_atom_types.npy" in files:
        raise FrameError("sets of mixed types cannot be read; write one system for each formula")
    widths = {"coord": 3 * count, "box": 9, "energy": 1, "force": 3 * count, "virial": 9}
    arrays = {
        key: _load(files[part / f"{key}.npy"], f"{key}.npy")
        for key in widths
        if part / f"{key}.npy" in files
    }
    if periodic and "box" not in arrays:
        raise FrameError("box.npy is missing, and there is no nopbc")
    frames = len(arrays["coord"]) if arrays["coord"].ndim else 0
    for key, values in arrays.items():
        if values.size != frames * widths[key] or not frames:
            raise FrameError(
                f"{key}.npy holds {values.size} numbers; {frames} frames of {count} atoms "
                f"need {frames * widths[key]}"
            )
        arrays[key] = values.reshape(frames, widths[key])
    return arrays


def _load(path: Path, name: str) -> Array:
    if path.stat().st_size > MAX_BYTES:
        raise FrameError(f"{name} is larger than {MAX_BYTES:,} bytes; split it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.load(path, mmap_mode="r", allow_pickle=False)
        if found.dtype.kind not in "fiu" or found.nbytes > MAX_BYTES:
            raise ValueError(f"type {found.dtype}, shape {found.shape}")
        values = np.array(found, dtype=float)
    except Exception as error:  # damaged headers raise whatever their parser raises
        raise FrameError(f"{name} is no NumPy array of numbers ({str(error)[:80]})") from None
    return values


def _record(
    frame: dict[str, Array], name: str, group: str, species: list[str], periodic: bool
) -> Record:
    lattice = frame["box"].reshape(3, 3) if periodic else None
    labels: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    if "energy" in frame:
        labels["energy"] = float(frame["energy"][0])
    if "force" in frame:
        labels["forces"] = frame["force"].reshape(-1, 3)
    if "virial" in frame and lattice is not None:
        try:
            labels["stress"] = -voigt(frame["virial"], "virial") / volume(lattice, "virial")
        except FrameError as error:
            notes = (f"{error}: its stress is missing",)
    positions = frame["coord"].reshape(-1, 3)
    atoms = make_atoms(species, positions, lattice, [periodic] * 3, labels)
    return Record(name, group, atoms, notes=notes, holds=tuple(frame))
