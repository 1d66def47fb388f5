"""Exported potentials against the models they came from, in the stock LAMMPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols

from diverse import lammps_library
from diverse.models import Model, network, predict
from diverse.models.polynomial import model as polynomial
from diverse.zbl import ZBL

ENERGY_TOLERANCE = 1e-8  # eV/atom
FORCE_TOLERANCE = 1e-6  # eV/Å


class ExportError(RuntimeError):
    """The exported potential does not reproduce the model."""


def lammps_commands(model: Model, folder: str, zbl: ZBL) -> tuple[str, list[str]]:
    """Return the pair style and the ``pair_coeff`` lines of an exported model with its ZBL."""
    family = network if model.family == "network" else polynomial
    style, files = family.lammps_pair(folder)
    coeff = f"* * {style.split()[0]} {files} {zbl.element}".replace("  ", " ")
    return f"hybrid/overlay {zbl.lammps_style} {style}", [f"* * zbl {zbl.lammps_coeff}", coeff]


def write_commands(model: Model, folder: str | Path, zbl: ZBL) -> None:
    """Write ``potential.lammps``: the lines that use the potential, run from its folder."""
    style, coeff = lammps_commands(model, ".", zbl)
    lines = [f"pair_style {style}", *(f"pair_coeff {line}" for line in coeff)]
    (Path(folder) / "potential.lammps").write_text("\n".join(lines).replace("./", "") + "\n")


def read_zbl(folder: str | Path) -> ZBL:
    """Return the repulsion that ``potential.lammps`` names."""
    style, charges, _ = (Path(folder) / "potential.lammps").read_text().splitlines()
    words = style.split()
    start = words.index("zbl")
    return ZBL(
        chemical_symbols[int(charges.split()[-1])],
        float(words[start + 1]),
        float(words[start + 2]),
    )


def read_cutoff(folder: str | Path) -> float:
    """Return the radius (Å) of a model's environments, from its LAMMPS files."""
    files = [Path(folder) / f"potential.{end}" for end in ("snapparam", "descriptor")]
    text = next(path for path in files if path.exists()).read_text()
    words = text.split()
    return float(words[words.index("rcutfac") + 1])


def check_export(
    model: Model, folder: str | Path, cells: Sequence[Atoms], *, cutoff: float, zbl: ZBL
) -> pd.DataFrame:
    """Compare LAMMPS and Python on each cell.

    Returns
    -------
    DataFrame
        One row a cell: ``key``, ``energy_difference`` (eV/atom), ``force_difference`` (eV/Å,
        largest component).

    Raises
    ------
    ExportError
        If a difference exceeds 1e-8 eV/atom or 1e-6 eV/Å.
    """
    predictions = predict(model, cells, cutoff=cutoff, zbl=zbl)
    forces = np.split(predictions.forces, np.cumsum([len(cell) for cell in cells])[:-1])
    results = lammps_library.evaluate(cells, *lammps_commands(model, str(folder), zbl))
    rows = [
        {
            "key": cell.info["key"],
            "energy_difference": abs(result.energy - energy) / len(cell),
            "force_difference": np.abs(result.forces - force).max(),
        }
        for cell, result, energy, force in zip(
            cells, results, predictions.energies, forces, strict=True
        )
    ]
    differences = pd.DataFrame(rows)
    worst = differences[["energy_difference", "force_difference"]].max()
    if not (worst.iloc[0] <= ENERGY_TOLERANCE and worst.iloc[1] <= FORCE_TOLERANCE):
        raise ExportError(
            f"the potential in {folder} differs from its model by {worst.iloc[0]:.1e} eV/atom and "
            f"{worst.iloc[1]:.1e} eV/Å in LAMMPS (allowed: 1e-8 and 1e-6)"
        )
    return differences
