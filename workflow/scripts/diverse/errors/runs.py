"""Runs of dynamics that a study shows, its own or released ones, and their potentials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from diverse.errors.draws import read_table
from diverse.models.export import digest


def read_runs(
    paths: Sequence[str | Path], columns: Iterable[str], pairs: Iterable[Sequence[str]]
) -> pd.DataFrame:
    """Read the runs of a study's potentials, in the order of these.

    Parameters
    ----------
    paths : sequence of str or Path
        Tables of `diverse.dynamics.runs.runs_table`, of one potential or of many.
    columns : iterable of str
        Columns that they must have.
    pairs : iterable of pairs of str
        Training set and model of the potentials that are taken.

    Raises
    ------
    ValueError
        If a table lacks a column, or none has runs of the potentials.
    """
    rows = pd.concat(read_table(path, ["train", "model", *columns]) for path in paths)
    blocks = dict(list(rows.groupby(["train", "model"], sort=False)))
    wanted = [blocks[pair] for pair in map(tuple, pairs) if pair in blocks]
    if not wanted:
        raise ValueError(
            f"{', '.join(map(str, paths))}: no runs of the potentials that dynamics.models "
            "or dynamics.ramps.models of the study names; run them (snakemake dynamics, ramps)"
        )
    return pd.concat(wanted)


def with_origin(
    table: pd.DataFrame,
    pairs: Iterable[Sequence[str]],
    commands: Iterable[str | Path],
    origin: str,
) -> pd.DataFrame:
    """Return a table of potentials that says whose runs they are.

    Parameters
    ----------
    table : DataFrame
        With ``train``, ``model`` and ``potential``, the digest of the potential that was run.
    pairs : iterable of pairs of str
        Training set and model of the study's potentials.
    commands : iterable of str or Path
        The study's ``potential.lammps`` of each of them.
    origin : str
        ``this study`` or ``released``.

    Returns
    -------
    DataFrame
        `table` with ``same_potential``, whether this study's potential has the same bytes, and
        ``origin``.
    """
    files = zip(map(tuple, pairs), commands, strict=True)
    own = {pair: digest(Path(path).parent) for pair, path in files}
    known = zip(table["train"], table["model"], table["potential"], strict=True)
    same = [own[train, model] == potential for train, model, potential in known]
    return table.assign(same_potential=same, origin=origin)


def origin_sentences(table: pd.DataFrame, target: str) -> list[str]:
    """Return whether runs are released ones, and of which potentials; nothing for own ones.

    Parameters
    ----------
    table : DataFrame
        Of `with_origin`, one row a potential; models are named by ``model``.
    target : str
        The target of the workflow that runs the study's own potentials.
    """
    if not (table["origin"] == "released").any():
        return []
    other = table[~table["same_potential"].astype(bool)]
    if other.empty:
        return ["The runs are released ones, of these very potentials."]
    named = zip(other["model"], other["potential"], strict=True)
    names = ", ".join(f"{model} (released {digest})" for model, digest in named)
    return [
        f"The runs are released ones; this study's potentials have other bytes for {names}: "
        f"`snakemake {target}` runs yours."
    ]
