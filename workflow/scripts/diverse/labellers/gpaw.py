"""Labels from density-functional theory: GPAW, plane waves, PAW."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import kpts2sizeandoffsets

from diverse.labellers import Label, LabelError, LabellerError


@dataclass(frozen=True)
class Settings:
    """The DFT protocol; any change makes other labels.

    Attributes
    ----------
    xc : str
    cutoff_energy : float, eV
        Plane-wave cutoff.
    kpoint_density : dict of str to float, Å
        Gamma-centred k-points per 1/Å of reciprocal cell vector, by the largest number of atoms a
        density holds for: ``{"2": 3.0, "4": 2.5}`` takes 3.0 up to 2 atoms, 2.5 for more.
    smearing : float, eV
        Width of the Fermi-Dirac distribution.
    energy_tolerance, density_tolerance, eigenstates_tolerance : float
        GPAW's convergence criteria (eV/electron, electrons, eV^2/electron).
    maxiter : int
        Self-consistency iterations after which a cell has failed.
    pulay_energy : float, eV
        -2/3 dE / d ln(cutoff_energy) per atom: the stress of a fixed plane-wave cutoff is
        the computed one less this over the volume per atom.
    protocol_version : int
        Raised by hand when this file changes what a label is.
    """

    xc: str
    cutoff_energy: float
    kpoint_density: dict[str, float]
    smearing: float
    energy_tolerance: float
    density_tolerance: float
    eigenstates_tolerance: float
    maxiter: int
    pulay_energy: float
    protocol_version: int = 1


def check(settings: Settings, element: str) -> None:
    """Raise LabellerError unless GPAW's data set package has a PAW setup for the element."""
    import gpaw_data

    folder = Path(gpaw_data.__path__[0]) / "setups"
    if not (folder / f"{element}.{settings.xc}.gz").is_file():
        raise LabellerError(
            f"GPAW has no PAW setup for element '{element}' and functional '{settings.xc}'; "
            f"choose another element, functional or labeller"
        )


def label(atoms: Atoms, settings: Settings, log: Path) -> Label:
    """Run one self-consistent calculation; GPAW's own output goes to `log`."""
    from gpaw import KohnShamConvergenceError
    from gpaw.new.ase_interface import GPAW

    calculation = atoms.copy()
    calculation.calc = GPAW(
        mode={"name": "pw", "ecut": settings.cutoff_energy},
        xc=settings.xc,
        kpts={"size": kpoint_mesh(atoms, settings.kpoint_density), "gamma": True},
        occupations={"name": "fermi-dirac", "width": settings.smearing},
        eigensolver={"name": "davidson", "niter": 1},
        symmetry={"point_group": False},
        convergence={
            "energy": settings.energy_tolerance,
            "density": settings.density_tolerance,
            "eigenstates": settings.eigenstates_tolerance,
        },
        maxiter=settings.maxiter,
        txt=str(log),
    )
    try:
        free_energy = calculation.get_potential_energy(force_consistent=True)
        forces, stress = calculation.get_forces(), calculation.get_stress()
    except KohnShamConvergenceError as error:
        raise LabelError(f"not self-consistent after {settings.maxiter} iterations") from error
    except (ArithmeticError, RuntimeError, ValueError, np.linalg.LinAlgError) as error:
        raise LabelError(traceback.format_exception_only(error)[-1].strip()) from error
    stress[:3] -= settings.pulay_energy * len(atoms) / atoms.get_volume()
    return Label(
        free_energy=float(free_energy),
        energy=float(calculation.get_potential_energy()),
        forces=forces,
        stress=stress,
        iterations=int(calculation.calc.get_number_of_iterations()),
    )


def kpoint_mesh(atoms: Atoms, density: dict[str, float]) -> tuple[int, int, int]:
    """Return the Gamma-centred mesh for the density (Å) that belongs to this number of atoms."""
    sizes = sorted(int(size) for size in density)
    size = next((size for size in sizes if len(atoms) <= size), sizes[-1])
    mesh, _ = kpts2sizeandoffsets(density=density[str(size)], gamma=True, atoms=atoms)
    return int(mesh[0]), int(mesh[1]), int(mesh[2])
