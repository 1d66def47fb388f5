"""The PyTorch bispectrum against LAMMPS, invariances and finite differences."""

import numpy as np
import pytest
import torch
from ase import Atoms
from scipy.spatial.transform import Rotation

from diverse import lammps_library
from diverse.kernel import BispectrumSettings
from diverse.neighbours import find_pairs
from oracles.bispectrum import bispectrum

CUTOFF = 4.734


def components(atoms: Atoms, twojmax: int) -> np.ndarray:
    pairs = find_pairs([atoms], CUTOFF)
    settings = BispectrumSettings(twojmax, CUTOFF)
    center = torch.tensor(pairs.center)
    return bispectrum(torch.tensor(pairs.vector), center, pairs.n_atoms, settings).numpy()


def lammps_components(atoms: Atoms, twojmax: int) -> np.ndarray:
    instance = lammps_library.start()
    lammps_library.load_cell(instance, atoms, f"zero {CUTOFF}", ["* *"])
    instance.commands_list(
        [f"compute b all sna/atom {CUTOFF} 0.99363 {twojmax} 0.5 1.0 bzeroflag 1", "run 0"]
    )
    result = instance.numpy.extract_compute("b", 1, 2)[: len(atoms)].copy()
    instance.close()
    return result


@pytest.mark.parametrize(("twojmax", "count"), [(2, 5), (4, 14), (6, 30), (8, 55)])
def test_number_of_components(twojmax, count):
    assert BispectrumSettings(twojmax, CUTOFF).n_components == count


@pytest.mark.parametrize("twojmax", [2, 4, 6, 8])
@pytest.mark.parametrize("name", ["bulk", "slab", *[f"triclinic{n}" for n in (1, 2, 5, 16)]])
def test_equals_lammps(cells, name, twojmax):
    reference = lammps_components(cells[name], twojmax)
    scale = np.abs(reference).max()
    np.testing.assert_allclose(components(cells[name], twojmax), reference, atol=1e-10 * scale)


def test_isolated_atom_has_zero_components():
    atoms = Atoms("W", cell=[20, 20, 20], pbc=True)
    np.testing.assert_allclose(components(atoms, 6), 0, atol=1e-12)


def test_rotation_and_permutation(cells):
    atoms = cells["triclinic5"]
    expected = components(atoms, 6)
    matrix = Rotation.random(rng=np.random.default_rng(0)).as_matrix()
    order = [3, 0, 4, 1, 2]
    moved = Atoms(
        "W5", positions=(atoms.positions @ matrix)[order], cell=atoms.cell.array @ matrix, pbc=True
    )
    np.testing.assert_allclose(components(moved, 6), expected[order], rtol=1e-9, atol=1e-9)


def test_gradient_equals_finite_difference(cells):
    pairs = find_pairs([cells["triclinic2"]], CUTOFF)
    settings, center = BispectrumSettings(6, CUTOFF), torch.tensor(pairs.center)
    weights = torch.linspace(-1, 1, settings.n_components, dtype=torch.float64)

    def value(vectors: torch.Tensor) -> torch.Tensor:
        return (bispectrum(vectors, center, pairs.n_atoms, settings) * weights).sum()

    vectors = torch.tensor(pairs.vector, requires_grad=True)
    (gradient,) = torch.autograd.grad(value(vectors), vectors)
    step = torch.zeros_like(vectors)
    step[3, 1] = 1e-5
    with torch.no_grad():
        difference = (value(vectors + step) - value(vectors - step)) / 2e-5
    # the truncation error of a central difference is of order step^2 times the third derivative
    assert gradient[3, 1] == pytest.approx(difference.item(), rel=1e-6, abs=1e-6)
