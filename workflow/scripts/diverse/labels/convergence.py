"""Convergence of labels: how far variants of a labeller are from better ones on the same cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from ase import Atoms
from ase.units import GPa

from diverse.labels.target import free_energy_per_atom, stress_of

MEASURES = {
    "energy": "energy (meV/atom)",
    "force": "force (meV/Å)",
    "stress": "stress (GPa)",
    "stress_corrected": "stress, Pulay corrected (GPa)",
}
PARTED = 20  # cells of a variant; the parts of fewer say little
SIZES = {"1-2 atoms": 2, "3-4 atoms": 4, "5-8 atoms": 8, "9 atoms or more": np.inf}  # the largest
NOISE = ["labeller", "energy", "force", "stress", "cells", "smallest", "largest", "against"]


def compare(
    labels: Mapping[str, Sequence[Atoms]], against: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return one line per variant and cell: its differences from the reference.

    Parameters
    ----------
    labels : dict of str to list of Atoms
        Labelled cells of every variant; a variant may have fewer cells than another.
    against : dict of str to list of str
        Reference of each variant: one variant, or three (a, b, c) that stand for a + b - c.
        Variants without one are not in the table.

    Returns
    -------
    DataFrame
        ``energy``: difference of the free energies less its mean over the cells, meV/atom;
        ``force``, ``stress``: root mean square over the components, meV/Å and GPa;
        ``stress_corrected``: after the fitted Pulay correction, ``pulay_energy`` (eV/atom);
        ``seconds``: core seconds per atom. What needs a stress is NaN where a label has none.

    Raises
    ------
    ValueError
        If two cells of a variant have the same ``trajectory``, by which cells are told apart.
    """
    cells = {name: _by_trajectory(members) for name, members in labels.items()}
    tables = [
        _differences(variant, cells[variant], [cells[name] for name in names]).assign(
            against=" ".join(names)
        )
        for variant, names in against.items()
        if names
    ]
    return pd.concat(tables, ignore_index=True)


def summarise_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Return one line per variant: root mean squares over the cells, and the largest energy."""
    groups = errors.groupby(["variant", "against"], sort=False)
    squares = groups[list(MEASURES)].agg(lambda values: float(np.sqrt((values**2).mean())))
    return squares.assign(
        largest_energy=groups["energy"].agg(lambda values: values.abs().max()),
        pulay_energy=groups["pulay_energy"].first(),
        seconds=groups["seconds"].mean(),
        cells=groups.size(),
    ).reset_index()


def summarise_parts(errors: pd.DataFrame) -> pd.DataFrame:
    """Return root mean squares over the cells of each data set, and of each size, of a variant.

    Parameters
    ----------
    errors : DataFrame
        What `compare` returns; variants of fewer than `PARTED` cells are left out.

    Returns
    -------
    DataFrame
        One line a variant and part: ``cells``, ``energy`` (meV/atom, less the constant of the whole
        variant), ``force`` (meV/Å), ``stress`` (GPa), and the ``largest_energy``.
    """
    number = errors.groupby("variant")["cell"].transform("size")
    known = errors[number >= PARTED]
    by_size = known.sort_values("atoms", kind="stable")
    named = [
        known.assign(against=known["dataset"].fillna("of no data set")),
        by_size.assign(against=size_class(by_size["atoms"]).astype(str)),
    ]
    parts = [summarise_errors(rows).rename(columns={"against": "part"}) for rows in named]
    table = pd.concat(parts, ignore_index=True).sort_values("variant", kind="stable")
    return table[["variant", "part", "cells", "energy", "largest_energy", "force", "stress"]]


def size_class(atoms: pd.Series) -> pd.Series:
    """Return which of `SIZES` numbers of atoms belong to, an ordered category."""
    return pd.cut(atoms, [0, *SIZES.values()], labels=list(SIZES))


def label_noise(errors: pd.DataFrame | None, variants: Mapping[str, str]) -> pd.DataFrame:
    """Return what errors of models are read against: one line per labeller.

    Parameters
    ----------
    errors : DataFrame or None
        What `compare` returns; None where no convergence was measured.
    variants : dict of str to str
        The variant with the settings of each labeller; empty where there is none.

    Returns
    -------
    DataFrame
        ``energy`` (meV/atom), ``force`` (meV/Å), ``stress`` (GPa): root mean squares over ``cells``
        cells of ``smallest`` to ``largest`` atoms, against ``against``; NaN where not measured.
    """
    lines = []
    for labeller, variant in variants.items():
        part = errors[errors["variant"] == variant] if errors is not None else pd.DataFrame()
        line: dict[str, Any] = {"labeller": labeller, "cells": len(part)}
        if len(part):
            known = {name: part[name].dropna().to_numpy() for name in ("energy", "force", "stress")}
            line |= {name: _rms(values) for name, values in known.items() if len(values)}
            line |= {"smallest": part["atoms"].min(), "largest": part["atoms"].max()}
            line["against"] = part["against"].iloc[0]
        lines.append(line)
    return pd.DataFrame(lines, columns=NOISE)


def _differences(
    variant: str, cells: Mapping[str, Atoms], references: Sequence[Mapping[str, Atoms]]
) -> pd.DataFrame:
    names = [name for name in cells if all(name in reference for reference in references)]
    signs = [1.0, 1.0, -1.0][: len(references)]
    energy, force, stress = [], [], []
    for name in names:
        reference = [members[name] for members in references]
        energy.append(_difference(cells[name], reference, signs, free_energy_per_atom))
        force.append(_difference(cells[name], reference, signs, lambda cell: cell.get_forces()))
        stress.append(_difference(cells[name], reference, signs, _stress))
    density = np.array([len(cells[name]) / cells[name].get_volume() for name in names])
    pulay = _pulay_energy(np.array(stress), density)
    corrected = np.array(stress)
    corrected[:, :3] -= pulay * density[:, None]
    return pd.DataFrame(
        {
            "variant": variant,
            "cell": names,
            "dataset": [cells[name].info.get("dataset") for name in names],
            "atoms": [len(cells[name]) for name in names],
            "volume": 1 / density,
            "d_min": [cells[name].info["d_min"] for name in names],
            "energy": 1000 * (np.array(energy) - np.mean(energy)),
            "force": [1000 * _rms(difference) for difference in force],
            "stress": [_rms(difference) / GPa for difference in stress],
            "stress_corrected": [_rms(difference) / GPa for difference in corrected],
            "pulay_energy": pulay,
            "seconds": [cells[name].info["seconds"] / len(cells[name]) for name in names],
        }
    )


def _pulay_energy(stress: np.ndarray, density: np.ndarray) -> float:
    """Fit p in: mean diagonal stress = p * density (atoms per volume), over cells with a stress."""
    known = np.isfinite(stress).all(axis=1)
    if not known.any():
        return float("nan")
    pressure, density = stress[known, :3].mean(axis=1), density[known]
    return float(pressure @ density / (density @ density))


def _stress(cell: Atoms) -> np.ndarray:
    stress = stress_of(cell)
    return np.full(6, np.nan) if stress is None else stress


def _difference(
    cell: Atoms,
    references: Sequence[Atoms],
    signs: Sequence[float],
    read: Callable[[Atoms], Any],
) -> Any:
    """Return a label of `cell` less the signed sum of the references'; `read` takes it out."""
    known = sum(sign * read(other) for sign, other in zip(signs, references, strict=True))
    return read(cell) - known


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


def _by_trajectory(cells: Sequence[Atoms]) -> dict[str, Atoms]:
    names = [str(cell.info["trajectory"]) for cell in cells]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"the cells of a study of convergence are told apart by their trajectory, and several "
            f"are called {', '.join(twice)}: give them names of their own in the file of the cells"
        )
    return dict(zip(names, cells, strict=True))
