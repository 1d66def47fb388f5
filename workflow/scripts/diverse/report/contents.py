"""Contents of a study: its folder may hold more, of data sets and models that it had before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from diverse.seals import visible_files


@dataclass(frozen=True)
class Contents:
    """Names of the results of a study that are released with it.

    Attributes
    ----------
    labels : collection of str
        Data sets that the study labels.
    errors : collection of str
        Files of errors, relative to the folder of the study.
    potentials : collection of str
        Folders of exported potentials, such as ``entropy-linear8-0``.
    dynamics : mapping of str to collection of str
        Potentials that are run, such as ``entropy-linear8``, by the folder of the runs: ``nve``,
        ``ramps``.
    physics : collection of str
        Potentials whose physical properties are measured.
    """

    labels: Collection[str]
    errors: Collection[str]
    potentials: Collection[str]
    dynamics: Mapping[str, Collection[str]]
    physics: Collection[str]

    def files_of_labels(self, results: Path) -> list[Path]:
        """Return the data card and the packed labels that lie in the folder of the study."""
        names = ["README.md", *(f"{name}.xyz.xz" for name in sorted(self.labels))]
        return _there(results / "labels", names)

    def files_of_errors(self, results: Path) -> list[Path]:
        """Return the files of errors that lie in the folder of the study."""
        return _there(results, sorted(self.errors))

    def files_of_potentials(self, results: Path) -> Iterator[Path]:
        """Yield the files of every potential in the folder of the study."""
        for name in sorted(self.potentials):
            yield from visible_files(results / "potentials" / name)

    def runs_of(self, kind: str, results: Path) -> list[Path]:
        """Return the tables of the runs of one kind that lie in the folder of the study."""
        names = [f"{name}.csv" for name in sorted(self.dynamics.get(kind, ()))]
        return _there(results / "dynamics" / kind, names)

    def tables_of_physics(self, results: Path) -> list[Path]:
        """Return the tables of physical properties that lie in the folder of the study."""
        return _there(results / "physics/values", [f"{name}.csv" for name in sorted(self.physics)])


def _there(folder: Path, names: Collection[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_file()]
