"""Point defects: vacancies, divacancies, migration of a vacancy, self-interstitials.

Formation energies are E(defect) - n e with e the energy of an atom of the crystal, at the constant
volume of a supercell with edges of at least 12 Å (128 atoms of bcc tungsten), relaxed.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from ase import Atoms
from ase.mep import NEB

from diverse.generate.expert.defects import DUMBBELLS, with_interstitial
from diverse.physics import Curve, Found, PhysicsError
from diverse.physics.crystal import Crystal
from diverse.physics.relaxation import relaxation, relaxation_curve, relaxed, run_relaxation

EDGE = 12.0  # Å, of supercells
IMAGES = 5  # between the ends of a path
PATH_FORCE = 0.05  # eV/Å, at which a path has converged
DIP = 0.01  # eV, below its ends that a path may go
STRAY = 0.5  # of the nearest-neighbour distance: an atom that has moved so far has left its site
TURN = 15.0  # degrees that the axis of a dumbbell may turn
FORMATION = "formation energy (eV)"


def vacancy_formation(crystal: Crystal) -> Found:
    """Return the formation energy of a vacancy (eV), E(vacancy) - (n - 1) e.

    At the constant volume of a supercell of n atoms with edges of at least 12 Å, e the energy of an
    atom of the crystal, with no correction for finite size. The curve shows the energy along the
    relaxation, until no force exceeds 0.005 eV/Å.
    """
    atoms, energies = _vacancy(crystal)
    excess = energies - len(atoms) * crystal.energy
    curve = relaxation_curve(excess, FORMATION)
    return Found({"vacancy formation": float(excess[-1])}, curve, atoms=len(atoms))


def divacancy_binding(shell: int, crystal: Crystal) -> Found:
    """Return the binding energy (eV) of two vacancies, 2 E(vacancy) - E(divacancy).

    They are neighbours in shell 1 or 2; a positive energy binds. Cells and relaxation are those of
    the vacancy; the curve shows the energy along the relaxation of the pair.
    """
    perfect = crystal.supercell(EDGE)
    atoms = perfect.copy()
    del atoms[[0, _neighbour(perfect, shell)]]
    alone, single = _vacancy(crystal)
    found, pair = relaxation(atoms, crystal.calculator)
    _check_sites(found, atoms, crystal)
    excess = 2 * (single[-1] - len(alone) * crystal.energy) - (pair - len(atoms) * crystal.energy)
    curve = relaxation_curve(excess, "binding energy (eV)")
    return Found({f"divacancy {shell} binding": float(excess[-1])}, curve, atoms=len(alone))


def vacancy_migration(crystal: Crystal) -> Found:
    """Return the barrier (eV) of a vacancy that jumps to the nearest-neighbour site.

    A nudged elastic band of 5 images that climbs at the end (G. Henkelman, B. P. Uberuaga,
    H. Jonsson, J. Chem. Phys. 113, 9901 (2000), by `ase.mep`), in the cell of the vacancy, until no
    force on the band exceeds 0.05 eV/Å.
    """
    perfect = crystal.supercell(EDGE)
    start, end = perfect.copy(), perfect.copy()
    end.positions[_neighbour(perfect, 1)] = perfect.positions[0]
    del start[0], end[0]
    first, last = (relaxed(atoms, copy(crystal.calculator)) for atoms in (start, end))
    for found, atoms in ((first, start), (last, end)):
        _check_sites(found, atoms, crystal)
    images = [first, *(first.copy() for _ in range(IMAGES)), last]
    band = NEB(images, method="improvedtangent", climb=False)
    band.interpolate(mic=True)
    for image in images[1:-1]:
        image.calc = copy(crystal.calculator)  # each remembers its own image
    for band.climb in (False, True):
        run_relaxation(band, images[1:-1], PATH_FORCE)
    energies = np.array([image.get_potential_energy() for image in images])
    return _barrier(energies - energies[0], len(first))


def interstitial(kind: str, crystal: Crystal) -> Found:
    """Return the formation energy (eV) of a self-interstitial of bcc.

    Dumbbells 111, 110 and 100, or an atom on an octahedral or tetrahedral site, added to a
    supercell with edges of at least 12 Å at constant volume, with no correction for finite size;
    what relaxes into another of them has no value of its own. The curve shows the energy along the
    relaxation, until no force exceeds 0.005 eV/Å.
    """
    crystal.need("bcc")
    perfect = crystal.supercell(EDGE)
    start = with_interstitial(crystal.lattice, kind, perfect)
    found, energies = relaxation(start, crystal.calculator)
    if kind in DUMBBELLS:
        turned = _angle(_closest_axis(found), np.array(DUMBBELLS[kind], dtype=float))
        if turned > TURN:
            raise PhysicsError(f"is not stable: the dumbbell turns by {turned:.0f}° as it relaxes")
    elif found.get_distance(-1, 0, mic=True) and _moved(found, start)[-1] > STRAY:
        raise PhysicsError("is not stable: the atom leaves its site as it relaxes")
    excess = energies - len(found) * crystal.energy
    curve = relaxation_curve(excess, FORMATION)
    return Found({f"interstitial {kind}": float(excess[-1])}, curve, atoms=len(found))


def _barrier(path: np.ndarray, atoms: int) -> Found:
    """Return the barrier of a path of energies (eV) above its start, in cells of so many atoms."""
    curve = Curve(np.linspace(0, 1, len(path)).tolist(), [path.tolist()], "path", "energy (eV)")
    if path.min() < -DIP or abs(path[-1]) > DIP:
        raise PhysicsError(
            f"the path slides off: it goes down to {path.min():.2f} eV and ends at "
            f"{path[-1]:.2f} eV above the vacancy it starts from"
        )
    return Found({"vacancy migration": float(path.max())}, curve, atoms=atoms)


def _vacancy(crystal: Crystal) -> tuple[Atoms, np.ndarray]:
    """Return a relaxed cell with a vacancy, and its energies (eV) on the way there."""
    atoms = crystal.supercell(EDGE)
    del atoms[0]
    found, energies = relaxation(atoms, crystal.calculator)
    _check_sites(found, atoms, crystal)
    return found, energies


def _neighbour(perfect: Atoms, shell: int) -> int:
    """Return the number of an atom in a shell of neighbours of the first atom, counted from 1."""
    distances = perfect.get_distances(0, range(1, len(perfect)), mic=True).round(3)
    return 1 + int(np.argmax(distances == sorted(set(distances))[shell - 1]))


def _check_sites(found: Atoms, start: Atoms, crystal: Crystal) -> None:
    """Refuse relaxed atoms of which one has left its site."""
    farthest = float(_moved(found, start).max())
    if farthest > STRAY * crystal.reference.nearest_neighbour:
        raise PhysicsError(f"the vacancy is not stable: an atom moves by {farthest:.1f} Å")


def _moved(found: Atoms, start: Atoms) -> np.ndarray:
    return np.linalg.norm(found.positions - start.positions, axis=1)


def _closest_axis(atoms: Atoms) -> np.ndarray:
    """Return the vector between the two atoms that share a site, the first and the last."""
    return np.asarray(atoms.get_distance(0, -1, mic=True, vector=True))


def _angle(first: np.ndarray, second: np.ndarray) -> float:
    cosine = abs(first @ second) / np.linalg.norm(first) / np.linalg.norm(second)
    return float(np.degrees(np.arccos(min(cosine, 1.0))))
