"""Two runs of one study compared: files with the same bytes, how far numbers of others are."""

import lzma
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from diverse.seals import sealed_files
from diverse.structures import read_cells

# The first pattern that fits decides; what fits none is not compared.
KINDS = {
    "run times": r"structures/chunks\.csv|tables/generation\.csv|report\.html|manifest\.csv",
    "structures": r"structures/.*\.xyz",
    "labels by a reference potential": r"(labels/(?!dft)|references/).*\.xyz(\.xz)?",
    "labels by DFT": r"labels/dft.*\.xyz(\.xz)?",
    "training and test sets": r"datasets/(?!dft).*\.xyz",
    "whitening": r"structures/.*\.npz",
    "descriptors of environments": r"diversity/.*\.npz",
    "measures of diversity": r"tables/diversity\.csv",
    "coefficients": r"models/.*/(linear4|quadratic4|reference4|pod14)/0/trained\.npz",
    "networks": r"models/.*/(stepdown4|expand4)/\d+/trained\.npz",
    "scores": r"tables/scores\.csv",
}
LEFT_OUT = ("run times",)
SCORES = {  # kinds of rows of scores.csv
    "scores of linear, quadratic and POD models": "test != 'dft' and family != 'network'",
    "scores of networks": "test != 'dft' and family == 'network'",
    "scores against labels by DFT": "test == 'dft'",
}
NUMBERS = ["value", "ci_low", "ci_high", "energy_shift"]
SMALLEST = 1e-3  # meV/atom or meV/Å: errors of forces that vanish by symmetry are 1e-11


def kind_of(path: str) -> str:
    """Return the kind of a file of a study by its path below the study's folder, or nothing."""
    return next((kind for kind, form in KINDS.items() if re.fullmatch(form, path)), "")


def compare(one: Path, other: Path) -> pd.DataFrame:
    """Compare two finished runs of a study by kind of file.

    Parameters
    ----------
    one, other : Path
        Folders of results of the study.

    Returns
    -------
    DataFrame
        ``kind``, ``files``, how many are ``identical``, and ``difference``: the largest of a
        number, relative to the largest number of its column or array, of a score to itself.
        Infinite where files hold other words, or arrays of other shapes.
    """
    rows = []
    for path, _ in sealed_files(one):
        name = str(path.relative_to(one))
        if not (kind := kind_of(name)) or kind in LEFT_OUT:
            continue
        same = path.read_bytes() == (other / name).read_bytes()
        found = _differences(kind, same, path, other / name)
        rows += [(part, difference == 0.0, difference) for part, difference in found]
    table = pd.DataFrame(rows, columns=["kind", "same", "difference"])
    groups = table.groupby("kind", sort=False)
    found = pd.DataFrame(
        {
            "files": groups.size(),
            "identical": groups["same"].sum(),
            "difference": groups["difference"].max(),
        }
    )
    order = [kind for kind in (*KINDS, *SCORES) if kind in found.index]
    return found.loc[order].reset_index()


def _differences(kind: str, same: bool, one: Path, other: Path) -> list[tuple[str, float]]:
    if kind == "scores":
        tables = [pd.read_csv(path).drop(columns="data_hash") for path in (one, other)]
        return [
            (part, _of_scores(*(table.query(rows) for table in tables)))
            for part, rows in SCORES.items()
        ]
    return [(kind, 0.0 if same else _difference(_arrays(one), _arrays(other)))]


def _of_scores(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the largest difference of a score or an end of its interval, relative to itself."""
    words = [table.drop(columns=NUMBERS).reset_index(drop=True) for table in (one, other)]
    a, b = one[NUMBERS].to_numpy(), other[NUMBERS].to_numpy()
    if not words[0].equals(words[1]) or (np.isnan(a) != np.isnan(b)).any():
        return float("inf")
    return float(np.nanmax(np.abs(a - b) / np.maximum(np.abs(a), SMALLEST), initial=0.0))


def _difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """Return the largest difference of arrays, each relative to its largest number."""
    if one.keys() != other.keys():
        return float("inf")
    return max(_of_arrays(one[name], other[name]) for name in one)


def _of_arrays(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return float("inf")
    if one.dtype.kind not in "fiu":
        return 0.0 if pd.Series(one).equals(pd.Series(other)) else float("inf")
    if not one.size or np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
        return 0.0
    if one.dtype.kind == "f" and (np.isnan(one) != np.isnan(other)).any():
        return float("inf")
    return float(np.nanmax(np.abs(one - other)) / np.nanmax(np.abs(one)))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Return what a file holds: columns, arrays, or numbers of all cells one after the other."""
    if path.suffix == ".npz":
        with np.load(path) as found:
            return dict(found)
    if path.suffix == ".csv":
        table = pd.read_csv(path)
        return {name: table[name].to_numpy() for name in table}
    return dict(_of_cells(path))


def _of_cells(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    text = path
    if path.suffix == ".xz":
        text = path.with_name(f".unpacked.{path.stem}")
        text.write_bytes(lzma.decompress(path.read_bytes()))
    cells = read_cells(text)
    if text != path:
        text.unlink()
    yield "cell", np.concatenate([cell.cell.array for cell in cells])
    yield "positions", np.concatenate([cell.positions for cell in cells])
    labels = [cell.calc.results for cell in cells if cell.calc]
    for name in ("energy", "free_energy", "forces", "stress"):
        parts = [np.atleast_1d(found[name]) for found in labels if name in found]
        if parts:
            yield name, np.concatenate(parts)
