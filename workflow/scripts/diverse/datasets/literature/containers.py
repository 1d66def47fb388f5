"""The files of a source: of a folder, of an archive, or the file itself, with limits on sizes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

from diverse.datasets.literature.fetch import SourceError
from diverse.datasets.literature.memory import bounded_memory

BLOCK = 1 << 20  # bytes unpacked at a time
FREE = 1 << 28  # bytes that any archive may unpack to
RATIO = 60  # more than this many times its packed size, beyond `FREE`, is no honest archive
MAX_FILES = 500_000
PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
MAGIC = {b"\x1f\x8b\x08": ".gz", b"BZh": ".bz2", b"\xfd7z": ".xz"}
DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(RuntimeError, NotImplementedError, ValueError, OverflowError, MemoryError),
)
Files = dict[PurePosixPath, Path]
Damaged = dict[PurePosixPath, str]


@contextmanager
def opened(path: Path) -> Iterator[tuple[Files, Damaged]]:
    """Give the files of a source, by their names inside it; archives are unpacked for the while.

    Beside them come the names of files that are damaged inside a sound archive, with the cause.

    Files that are packed inside a folder or archive are unpacked; archives inside it are not.

    Hidden files, among them the ``._*`` that macOS adds to archives, are passed over.

    Parameters
    ----------
    path : Path
        A folder; a tar (packed or not) or zip archive; or a file. Files, also those inside, may be
        packed by gzip, bzip2 or xz.

    Raises
    ------
    SourceError
        If an archive is damaged, encrypted or without any file, or would unpack to far more than
        its size.
    """
    if path.is_dir():
        with _folder(path) as found:
            yield found
        return
    with TemporaryDirectory(prefix="diverse-") as folder:
        room = _Room(path, Path(folder), path.stat().st_size)
        try:
            with bounded_memory():
                files = _unpacked(path, room)
        except SourceError:
            raise
        except DAMAGE as error:
            raise SourceError(
                f"{path} cannot be unpacked ({type(error).__name__}: {error}): it is damaged, "
                "encrypted, or no archive; fetch it again"
            ) from None
        yield files, room.damaged


@contextmanager
def _folder(path: Path) -> Iterator[tuple[Files, Damaged]]:
    """Give the files of a folder, those that are packed unpacked, as an archive's are."""
    found = (file for file in path.rglob("*") if file.is_file())
    files = {
        name: file
        for file in found
        if not _is_hidden(name := PurePosixPath(file.relative_to(path).as_posix()))
    }
    packed = [file for name, file in files.items() if name.suffix.lower() in PACKED]
    if not packed:
        yield files, {}
        return
    with TemporaryDirectory(prefix="diverse-") as folder:
        room = _Room(path, Path(folder), sum(file.stat().st_size for file in packed))
        room.files |= files
        with bounded_memory():
            _unpack_members(room)
        yield room.files, room.damaged


class _Room:
    """The folder an archive is unpacked to, and how much of it may be."""

    def __init__(self, archive: Path, folder: Path, size: int) -> None:
        self._archive, self._folder, self._size = archive, folder, size
        self._left = max(FREE, RATIO * size)
        self._count = 0
        self.files: Files = {}
        self.damaged: Damaged = {}

    def add(self, name: str, source: IO[bytes]) -> None:
        """Unpack one file; of two with one name the later counts, as in tar."""
        inside = _inside(name)
        if _is_hidden(inside) or not inside.parts:
            return
        if self._count >= MAX_FILES:
            raise SourceError(f"{self._archive} holds more than {MAX_FILES:,} files; split it")
        self._count += 1
        target = self._folder / str(self._count)
        with target.open("wb") as file:
            while block := source.read(BLOCK):
                self._left -= len(block)
                if self._left < 0:
                    raise SourceError(
                        f"{self._archive} unpacks to over {RATIO} times its size of "
                        f"{self._size:,} bytes: it is no honest archive, or "
                        "should be given unpacked, as a folder"
                    )
                file.write(block)
        self.files[inside] = target

    def try_to_add(self, name: str, opener: Callable[[], IO[bytes]]) -> None:
        """Unpack one file; if it is damaged, note why."""
        try:
            with opener() as source:
                self.add(name, source)
        except SourceError:
            raise
        except DAMAGE as error:
            self.files.pop(_inside(name), None)
            self.damaged[_inside(name)] = f"{type(error).__name__}: {error}"


def _inside(name: str) -> PurePosixPath:
    """Return a name inside an archive that leads nowhere outside."""
    return PurePosixPath(*(part for part in PurePosixPath(name).parts if part not in ("/", "..")))


def _unpacked(path: Path, room: _Room) -> Files:
    with path.open("rb") as file:
        packing = MAGIC.get(file.read(3))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    room.try_to_add(entry.filename, partial(archive.open, entry))
    elif _is_tar(path):
        with tarfile.open(path) as tar:
            for count, info in enumerate(tar):
                if count > 2 * MAX_FILES:
                    raise SourceError(f"{path} holds more than {MAX_FILES:,} files; split it")
                source = tar.extractfile(info) if info.isfile() else None
                if source is not None:
                    room.add(info.name, source)
    elif packing:
        with PACKED[packing](path) as packed:
            room.add(_without(path.name, packing), packed)
    else:
        return {PurePosixPath(path.name): path}
    if not room.files and not room.damaged:
        raise SourceError(f"{path} holds no file")
    _unpack_members(room)
    return room.files


def _unpack_members(room: _Room) -> None:
    """Put what packed files hold in their place; one that lies unpacked beside stays packed."""
    for name in [name for name in room.files if name.suffix.lower() in PACKED]:
        inside = name.with_suffix("")
        if inside in room.files or inside.suffix.lower() == ".tar":
            continue
        packed_file = room.files.pop(name)
        opener = partial(PACKED[name.suffix.lower()], packed_file)
        room.try_to_add(str(inside), opener)


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except (zlib.error, lzma.LZMAError, EOFError):
        return False


def _is_hidden(name: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.parts)


def _without(name: str, ending: str) -> str:
    return name[: -len(ending)] if name.lower().endswith(ending) else name


def stem(name: str) -> str:
    """Return a file's name without its endings: ``js_flat.tar.gz`` gives ``js_flat``."""
    bare = re.sub(r"(\.(tar|tgz|tbz2?|txz|zip|gz|bz2|xz))+$", "", name, flags=re.IGNORECASE)
    return bare.split(".")[0] or name
