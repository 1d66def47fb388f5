"""Exported potentials against the models they came from, in the stock LAMMPS where it runs them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from ase.data import chemical_symbols

from diverse import lammps_library
from diverse.models import Model, Predictions, load_model, predict
from diverse.zbl import ZBL

ENERGY_TOLERANCE = 1e-8  # eV/atom
FORCE_TOLERANCE = 1e-6  # eV/Å
CUTOFF_WORDS = {  # by file
    **{"snapparam": "rcutfac", "descriptor": "rcutfac"},
    **{"podparam": "rcut", "yace": "rcut:"},
}


class ExportError(RuntimeError):
    """The exported potential does not reproduce the model that was trained."""


def lammps_commands(model: Model, folder: str, zbl: ZBL) -> tuple[str, list[str]]:
    """Return the pair style and the ``pair_coeff`` lines of an exported model with its ZBL."""
    style, files = model.lammps_pair(folder)
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


def digest(folder: str | Path) -> str:
    """Return the first 16 digits of the SHA-256 over what the LAMMPS files of a potential hold."""
    files = sorted(path for path in Path(folder).glob("potential.*") if path.is_file())
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def read_cutoff(folder: str | Path) -> float:
    """Return the radius (Å) of a model's environments, from its LAMMPS files."""
    for end, word in CUTOFF_WORDS.items():
        path = Path(folder) / f"potential.{end}"
        if path.exists():
            words = path.read_text().split()
            return float(words[words.index(word) + 1])
    raise FileNotFoundError(f"{folder} holds no potential.{', potential.'.join(CUTOFF_WORDS)}")


def check_export(
    trained: Model, folder: str | Path, cells: Sequence[Atoms], *, cutoff: float, zbl: ZBL
) -> tuple[pd.DataFrame, Predictions]:
    """Compare the files of a potential, run by LAMMPS and by Python, with the trained model.

    LAMMPS is left out where it does not run the model's family.

    Parameters
    ----------
    trained : Model
        The model as it left training, not read from the files.
    folder : str or Path
        Folder of the exported files.
    cells : sequence of Atoms
    cutoff : float, Å
    zbl : ZBL

    Returns
    -------
    differences : DataFrame
        One row a cell: ``key``, ``energy_difference`` (eV/atom), ``force_difference`` (eV/Å,
        largest component), each the larger one of LAMMPS and Python.
    predictions : Predictions
        Predictions of the exported files, read by Python.

    Raises
    ------
    ExportError
        If a difference exceeds 1e-8 eV/atom or 1e-6 eV/Å.
    """
    truth, in_python = (
        predict(model, cells, cutoff=cutoff, zbl=zbl, stresses=stresses)
        for model, stresses in ((trained, False), (load_model(folder), True))
    )
    energies, forces = in_python.energies[None], in_python.forces[None]
    if trained.in_lammps:
        found = lammps_library.evaluate(cells, *lammps_commands(trained, str(folder), zbl))
        energies = np.array([*energies, [result.energy for result in found]])
        forces = np.stack([*forces, np.concatenate([result.forces for result in found])])
    first = np.cumsum([0, *(len(cell) for cell in cells)])
    energy_off = np.abs(energies - truth.energies).max(axis=0) / np.diff(first)
    force_off = np.abs(forces - truth.forces).max(axis=(0, 2))
    differences = pd.DataFrame(
        {
            "key": [cell.info["key"] for cell in cells],
            "energy_difference": energy_off,
            "force_difference": np.maximum.reduceat(force_off, first[:-1]),
        }
    )
    worst = differences[["energy_difference", "force_difference"]].max(skipna=False)
    if not (worst.iloc[0] <= ENERGY_TOLERANCE and worst.iloc[1] <= FORCE_TOLERANCE):
        raise ExportError(
            f"the potential in {folder} differs from the model that was trained by "
            f"{worst.iloc[0]:.1e} eV/atom and {worst.iloc[1]:.1e} eV/Å (allowed: "
            f"{ENERGY_TOLERANCE:.0e} and {FORCE_TOLERANCE:.0e}): its files were changed, or the "
            "export is wrong; remove them and train again"
        )
    return differences, in_python
