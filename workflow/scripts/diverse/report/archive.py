"""Archive of a study for a repository of data: it explains itself, and its files can be checked."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import yaml

from diverse.report.contents import Contents
from diverse.report.version import Version
from diverse.seals import visible_files

FOLDERS = ("tables", "figures")  # that are packed as they are
LEGAL = ("LICENSE", "CITATION.cff")  # of the repository
CHECKSUMS = "SHA256SUMS"
TEXT = """# Study {study}: tables, labels, potentials and figures

Made by *diverse*, {version}.

| file or folder | what it holds |
|---|---|
| `config.yaml` | the whole study file, with every default |
| `labels/` | labelled structures of every data set (packed extended XYZ) and their data card |
| `tables/` | every table behind the claims; `scores.csv` has one row a number |
| `errors/` | errors of every cell by every model, from which the claims follow |
| `figures/` | every figure |
| `potentials/` | every potential, each with a model card and a LAMMPS input that runs |
| `LICENSE`, `CITATION.cff` | the terms, and how to cite |

Energies are in eV, lengths in Å, forces in eV/Å, stresses in eV/Å³ unless a column says otherwise.

- Check the files: `sha256sum --check SHA256SUMS`.
- Make them again: clone the repository at that commit, then
  `./envs/run snakemake --cores all --configfile PATH/config.yaml`.
- Compare what you made with what the repository released:
  `./envs/run snakemake --cores all reproduce`.
"""


def pack_archive(results: Path, archive: Path, contents: Contents, version: Version) -> Path:
    """Pack a finished study into one folder of an archive, whole or not at all.

    The same study and version give the same bytes. The folder, ``diverse-<version>-<study>``, has a
    README and a list of checksums of its own.

    Parameters
    ----------
    results : Path
        Folder of the study.
    archive : Path
        The file to write, ``.tar.xz``.
    contents : Contents
        What the study has, of all that lies in its folder.
    version : Version
        Version of the repository that made the study.
    """
    study = str(yaml.safe_load((results / "config.yaml").read_text())["study"])
    packed = {"README.md": TEXT.format(study=study, version=version).encode()}
    packed |= {name: (version.folder / name).read_bytes() for name in LEGAL}
    files = _packed(results, contents)
    packed |= {str(path.relative_to(results)): path.read_bytes() for path in files}
    sums = (f"{sha256(data).hexdigest()}  {name}\n" for name, data in packed.items())
    packed[CHECKSUMS] = "".join(sums).encode()
    temporary = archive.with_suffix(".part")
    with tarfile.open(temporary, "w:xz") as file:
        for name, data in packed.items():
            entry = tarfile.TarInfo(f"diverse-{version.number}-{study}/{name}")
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
    os.replace(temporary, archive)
    return archive


def _packed(results: Path, contents: Contents) -> Iterator[Path]:
    """Return the paths of what is packed of a study, in the order of the archive."""
    yield results / "config.yaml"
    yield from contents.files_of_labels(results)
    for folder in FOLDERS:
        yield from visible_files(results / folder)
    yield from contents.files_of_potentials(results)
    yield from contents.files_of_errors(results)
