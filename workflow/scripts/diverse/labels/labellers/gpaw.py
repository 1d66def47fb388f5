"""Labels from density-functional theory: GPAW, plane waves, PAW."""

from __future__ import annotations

import gzip
import re
import traceback
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import kpts2sizeandoffsets

from diverse.labels.labellers import Label, LabelError, LabellerError
from diverse.labels.labellers.parallel import check_launcher, label_in_parallel, launcher
from diverse.labels.target import free_energy

DAVIDSON = {"name": "davidson", "niter": 1}
SLOW_MIXER = {"name": "pulay", "beta": 0.02, "nmaxold": 5, "weight": 100.0}
FEWEST_BANDS = 8  # beyond the occupied ones, where a rung takes more
# Times the protocol's cutoff, for energies of strained cells: plane waves enter and leave a basis
# of fixed cutoff shell by shell, which at 350 eV moves a finite strain of 0.5 % by 0.2 GPa.
STRAIN_CUTOFF = 1.5

# What a cell that does not become self-consistent is tried with, one rung after the other. None of
# it changes what is converged to: bands beyond GPAW's own are empty, the last rung starts from the
# density of a wider smearing, and every rung ends at the protocol's own settings.
LADDER: tuple[dict[str, Any], ...] = (
    {"eigensolver": DAVIDSON},
    {"eigensolver": DAVIDSON, "more_bands": True},  # what clusters need
    {"eigensolver": DAVIDSON, "mixer": SLOW_MIXER, "more_bands": True},
    {"eigensolver": {**DAVIDSON, "niter": 3}, "mixer": SLOW_MIXER, "more_bands": True},
    {"eigensolver": {**DAVIDSON, "niter": 3}, "more_bands": True, "widen": 3.0},
)


@dataclass(frozen=True)
class Settings:
    """The DFT protocol; any change makes other labels.

    Attributes
    ----------
    xc : str
    setup : str
        Type of the PAW setup: ``paw`` is the element's usual one, ``6`` stands for ``W.6.PBE``.
    cutoff_energy : float, eV
        Plane-wave cutoff.
    kpoint_density : dict of str to float, Å
        Gamma-centred k-points per 1/Å of reciprocal cell vector, by the largest number of atoms a
        density holds for: ``{"2": 3.0, "4": 2.5}`` takes 3.0 up to 2 atoms, 2.5 for more.
    kpoint_mesh : list of int
        Gamma-centred mesh instead of a density, for derivatives; empty for the density.
    smearing : float, eV
        Width of the Fermi-Dirac distribution.
    point_group : bool
        Whether the cell's point group reduces the k-points (time reversal always does).
    magnetic_moment : float, Bohr magnetons
        Moment every atom starts with; 0 stands for paired spins.
    energy_tolerance, density_tolerance, eigenstates_tolerance : float
        GPAW's convergence criteria (eV/electron, electrons, eV^2/electron).
    maxiter : int
        Self-consistency iterations after which an attempt has failed.
    pulay_energy : float, eV
        -2/3 dE / d ln(cutoff_energy) per atom: the stress of a fixed plane-wave cutoff is
        the computed one less this over the volume per atom.
    protocol_version : int
        Raised by hand when this file changes what a label is.
    """

    xc: str
    setup: str
    cutoff_energy: float
    kpoint_density: dict[str, float]
    kpoint_mesh: list[int]
    smearing: float
    point_group: bool
    magnetic_moment: float
    energy_tolerance: float
    density_tolerance: float
    eigenstates_tolerance: float
    maxiter: int
    pulay_energy: float
    protocol_version: int


def provenance(settings: Settings, element: str) -> dict[str, str]:
    """Return GPAW's version, and the name and SHA-256 of the PAW setup.

    Raises
    ------
    LabellerError
        If GPAW's data set package has no such setup.
    """
    file = setup_file(settings, element)
    if not file.is_file():
        raise LabellerError(
            f"GPAW has no PAW setup for element '{element}' (type '{settings.setup}', functional "
            f"'{settings.xc}'); choose another element, setup, functional or labeller"
        )
    digest = sha256(file.read_bytes()).hexdigest()
    return {"code": f"gpaw {version('gpaw')}", "setup": file.name, "setup_sha256": digest}


def setup_file(settings: Settings, element: str) -> Path:
    """Return where the PAW setup of an element lies, if there is one."""
    import gpaw_data

    kind = "" if settings.setup == "paw" else f"{settings.setup}."
    return Path(gpaw_data.__path__[0]) / "setups" / f"{element}.{kind}{settings.xc}.gz"


def valence(symbol: str, settings: Settings) -> int:
    """Return the number of valence electrons of the PAW setup of an element.

    Raises
    ------
    LabellerError
        If the setup's file is damaged or of an unknown form.
    """
    return _read_valence(str(setup_file(settings, symbol)))


@cache
def _read_valence(path: str) -> int:
    with gzip.open(path, "rt") as file:
        found = re.search(r'valence="(\d+)"', file.read(2000))
    if found is None:
        raise LabellerError(
            f"the PAW setup {path} does not say its valence: install GPAW's data set again "
            "(gpaw-data of envs/requirements.txt), or name another setup in the study file"
        )
    return int(found[1])


def further_bands(atoms: Atoms, settings: Settings) -> int:
    """Return how many bands beyond the occupied ones a cell gets where more are taken.

    As many as are occupied, and never fewer than GPAW takes by itself, 0.1 N + 4 for N electrons:
    a cell of few electrons needs them at the width of the smearing.
    """
    electrons = sum(valence(symbol, settings) for symbol in atoms.symbols)
    return max(FEWEST_BANDS, electrons // 2)


def fixed(settings: Settings, atoms: Atoms) -> Settings:
    """Return the settings with the k-point mesh of this cell for every cell."""
    return replace(settings, kpoint_mesh=list(kpoint_mesh(atoms, settings.kpoint_density)))


def strained(settings: Settings, atoms: Atoms) -> Settings:
    """Return `fixed` settings with a practically complete basis, in which energies are smooth.

    The computed stress is there the slope of the energies as it stands: the correction
    ``pulay_energy`` belongs to the protocol's own cutoff, and is left out.
    """
    held = fixed(settings, atoms)
    return replace(held, cutoff_energy=STRAIN_CUTOFF * settings.cutoff_energy, pulay_energy=0.0)


def prepare(settings: Settings) -> None:
    """Try the launcher, where cells are labelled by several processes."""
    check_launcher()


def label(atoms: Atoms, settings: Settings, log: Path) -> Label:
    """Label a cell, by the launcher's processes where there is one."""
    return label_in_parallel(atoms, settings, log) if launcher() else climb(atoms, settings, log)


def climb(atoms: Atoms, settings: Settings, log: Path) -> Label:
    """Climb the ladder until a calculation is self-consistent; GPAW's output goes to `log`."""
    from gpaw import KohnShamConvergenceError

    for attempt, rung in enumerate(LADDER, start=1):
        try:
            return _calculate(atoms, settings, rung, log, attempt)
        except KohnShamConvergenceError:
            cause = f"not self-consistent after {settings.maxiter} iterations"
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            cause = _last_line(error)
        except (RuntimeError, ValueError) as error:  # other settings would not help
            raise LabelError(_last_line(error), attempt) from error
    raise LabelError(cause, len(LADDER))


def kpoint_mesh(atoms: Atoms, density: dict[str, float]) -> tuple[int, int, int]:
    """Return the Gamma-centred mesh for the density (Å) that belongs to this number of atoms."""
    sizes = sorted(int(size) for size in density)
    size = next((size for size in sizes if len(atoms) <= size), sizes[-1])
    mesh, _ = kpts2sizeandoffsets(density=density[str(size)], gamma=True, atoms=atoms)
    return int(mesh[0]), int(mesh[1]), int(mesh[2])


def _calculate(
    atoms: Atoms, settings: Settings, rung: dict[str, Any], log: Path, attempt: int
) -> Label:
    from gpaw.new.ase_interface import GPAW

    options = dict(rung)
    widen = options.pop("widen", None)
    if options.pop("more_bands", False):
        options["nbands"] = -further_bands(atoms, settings)
    calculation = atoms.copy()
    if settings.magnetic_moment:
        calculation.set_initial_magnetic_moments([settings.magnetic_moment] * len(atoms))
    calculation.calc = GPAW(**_parameters(atoms, settings), **options, txt=str(log))
    if widen:
        _start_wider(calculation, widen * settings.smearing)
    consistent = free_energy(calculation)
    stress = calculation.get_stress()
    stress[:3] -= settings.pulay_energy * len(atoms) / atoms.get_volume()
    moment = float(calculation.get_magnetic_moment()) if settings.magnetic_moment else None
    return Label(
        free_energy=consistent,
        energy=float(calculation.get_potential_energy()),
        forces=calculation.get_forces(),
        stress=stress,
        iterations=int(calculation.calc.get_number_of_iterations()),
        attempts=attempt,
        magnetic_moment=moment,
    )


def _parameters(atoms: Atoms, settings: Settings) -> dict[str, Any]:
    mesh = settings.kpoint_mesh or kpoint_mesh(atoms, settings.kpoint_density)
    return {
        "mode": {"name": "pw", "ecut": settings.cutoff_energy},
        "xc": settings.xc,
        "setups": settings.setup,
        "kpts": {"size": mesh, "gamma": True},
        "occupations": {"name": "fermi-dirac", "width": settings.smearing},
        "symmetry": {"point_group": settings.point_group},
        "convergence": {
            "energy": settings.energy_tolerance,
            "density": settings.density_tolerance,
            "eigenstates": settings.eigenstates_tolerance,
        },
        "maxiter": settings.maxiter,
    }


def _start_wider(calculation: Atoms, width: float) -> None:
    """Converge with a wider smearing (eV); the calculator then goes on from there with its own."""
    from gpaw.occupations import create_occ_calc

    calculation.calc.create_new_calculation(calculation)
    dft = calculation.calc.dft
    occupations = dft.scf_loop.occ_calc
    own, wide = occupations.occ, {"name": "fermi-dirac", "width": width}
    occupations.occ = create_occ_calc(wide, parallel_layout=own.parallel_layout)
    dft.converge()
    occupations.occ = own


def _last_line(error: Exception) -> str:
    return traceback.format_exception_only(error)[-1].strip()
