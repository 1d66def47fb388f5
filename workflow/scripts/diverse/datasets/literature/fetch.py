"""Get a published file: from a path, or from a URL with its SHA-256."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

BLOCK = 1 << 20  # bytes read at a time
TIMEOUT = 60  # seconds without an answer


class SourceError(RuntimeError):
    """A published data set is not at hand, or is not what it should be."""


def locate(source: str, checksum: str | None, cache: Path) -> Path:
    """Return the local path of a source, downloading it into `cache` when it is a URL.

    Parameters
    ----------
    source : str
        Path of a file or folder, or a URL.
    checksum : str or None
        SHA-256 of the file, or of the folder as `file_hash` has it; needed for a URL, checked when
        given.
    cache : Path
        Folder that downloads are kept in; an interrupted one is continued.

    Raises
    ------
    SourceError
        If there is no such path, the network does not answer, or the checksum differs.
    """
    path = Path(source)
    if "://" in source:
        if checksum is None:
            raise SourceError(f"{source}: a URL needs its sha256 beside it in the study file")
        path = _download(source, checksum, cache)
    elif not path.exists():
        raise SourceError(f"there is no file or folder '{source}': check source in the study file")
    if checksum is not None:
        _verify(path, checksum)
    return path


def absence(source: str, checksum: str | None, cache: Path) -> str:
    """Return why a source is not at hand, or an empty string; nothing is downloaded.

    Takes what `locate` takes.
    """
    if "://" not in source:
        return "" if Path(source).exists() else f"there is no file or folder '{source}'"
    if checksum is None or _cached(source, checksum, cache).exists():
        return ""
    try:
        urllib.request.urlopen(
            urllib.request.Request(source, method="HEAD"), timeout=TIMEOUT
        ).close()
    except urllib.error.HTTPError:
        return ""  # a server answers: `locate` says what it says
    except OSError as error:
        return f"{source} cannot be reached ({error})"
    return ""


def source_name(source: str) -> str:
    """Return the name of the file or folder that a path or URL leads to, without a query."""
    path = urlsplit(source).path if "://" in source else source
    return path.rstrip("/").rsplit("/", 1)[-1] or "set"


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's file names and contents."""
    if path.is_file():
        with path.open("rb") as file:
            return _digest(file)
    digest = sha256()
    for member in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{member.relative_to(path)} {file_hash(member)}\n".encode())
    return digest.hexdigest()


def _digest(file: object) -> str:
    digest = sha256()
    while block := file.read(BLOCK):  # type: ignore[attr-defined]
        digest.update(block)
    return digest.hexdigest()


def _verify(path: Path, checksum: str) -> None:
    found = file_hash(path)
    if found != checksum.lower():
        raise SourceError(
            f"{path} has SHA-256 {found}, the study file says {checksum}: it is damaged or another "
            f"version; delete it and try again, or correct sha256"
        )


def _cached(url: str, checksum: str, cache: Path) -> Path:
    """Return where a download is kept."""
    return cache / f"{checksum[:12]}-{source_name(url)}"


def _download(url: str, checksum: str, cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    target = _cached(url, checksum, cache)
    partial = target.with_name(f"{target.name}.part")
    if target.exists():
        return target
    done = partial.stat().st_size if partial.exists() else 0
    length = done  # of the whole file, where the server says it
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            continued = answer.status == 206
            length = int(answer.headers["Content-Length"] or 0) + (done if continued else 0)
            with partial.open("ab" if continued else "wb") as file:
                shutil.copyfileobj(answer, file, BLOCK)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: the whole file is there already
            raise SourceError(f"{url} answered {error.code} {error.reason}") from error
    except OSError as error:
        raise SourceError(
            f"{url} cannot be reached ({error}): go online, or set source to a local copy; "
            f"what was downloaded is kept in {partial}"
        ) from error
    size = partial.stat().st_size
    if size < length:
        raise SourceError(
            f"{url}: the connection broke after {size:,} of {length:,} bytes; run the same command "
            "again, the download goes on from there"
        )
    _verify(partial, checksum)
    partial.rename(target)
    return target
