"""Random, entropy-maximised and expert cells."""

from collections import Counter

import numpy as np
import pytest
import torch

from diverse.bispectrum import bispectrum
from diverse.generate.entropy import Whitening, gaussian_entropy
from diverse.generate.expert import RECIPES, debye_amplitude, expert_cells
from diverse.generate.optimiser import OptimiserSettings, generate_cells
from diverse.generate.random_cells import SamplerSettings
from diverse.kernel import BispectrumSettings
from diverse.neighbours import find_pairs, shortest_distance
from diverse.structures import random_stream

SAMPLER = SamplerSettings(
    atoms=(3, 4), volume=(0.8, 2.0), aspect=1.6, angles=(60, 120), d_min=2.1, core=(0.8, 1.02)
)
DESCRIPTOR = BispectrumSettings(4, 4.734)


def describe(cells):
    pairs = find_pairs(cells, DESCRIPTOR.cutoff)
    center = torch.tensor(pairs.center)
    return bispectrum(torch.tensor(pairs.vector), center, pairs.n_atoms, DESCRIPTOR).numpy()


def generate(lattice, weight, chunk=0, n_cells=6, whitening=None, sampler=SAMPLER, steps=40):
    optimiser = OptimiserSettings(entropy_weight=weight, steps=steps, step_size=0.05)
    rng = random_stream(1, "test", chunk)
    return generate_cells(n_cells, lattice, sampler, optimiser, DESCRIPTOR, whitening, rng)


@pytest.fixture(scope="module")
def whitening(lattice):
    return Whitening.of(describe(generate(lattice, 0, chunk=99, n_cells=60)[0]))


def test_floor_sizes_and_volumes_hold(lattice):
    cells, outcome = generate(lattice, 0, n_cells=20)
    assert outcome["accepted"] == len(cells) == 20
    for cell in cells:
        assert shortest_distance(cell) >= SAMPLER.d_min
        assert 3 <= len(cell) <= 4
        ratio = cell.get_volume() / len(cell) / lattice.volume_per_atom
        assert 0.8 - 1e-4 <= ratio <= 2.0 + 1e-4


def test_optimiser_raises_the_entropy_above_random(lattice, whitening):
    def entropies(weight):
        return [
            gaussian_entropy(
                torch.tensor(whitening(describe(generate(lattice, weight, chunk, 6, whitening)[0])))
            ).item()
            for chunk in range(4)
        ]

    # the same starting cells in pairs: every chunk must gain
    gains = np.subtract(entropies(0.1), entropies(0.0))
    assert (gains > 1).all()


def test_entropy_cells_respect_the_floor(lattice, whitening):
    cells, outcome = generate(lattice, 0.5, n_cells=8, whitening=whitening)
    assert min(map(shortest_distance, cells)) >= SAMPLER.d_min
    assert isinstance(outcome, Counter)


def test_a_chunk_depends_only_on_its_stream(lattice, whitening):
    first = generate(lattice, 0.1, 3, whitening=whitening)[0]
    generate(lattice, 0.1, 4, whitening=whitening)
    again = generate(lattice, 0.1, 3, whitening=whitening)[0]
    other = generate(lattice, 0.1, 4, whitening=whitening)[0]
    assert all((a.positions == b.positions).all() for a, b in zip(first, again, strict=True))
    assert any(
        len(a) != len(b) or (a.positions != b.positions).any()
        for a, b in zip(first, other, strict=True)
    )


def test_impossible_floor_is_said(lattice):
    tight = SamplerSettings((3, 4), (0.8, 0.9), 1.6, (60, 120), 3.6, (0.8, 1.02))
    with pytest.raises(ValueError, match=r"3\.6 Å"):
        generate(lattice, 0, sampler=tight, steps=5)


GROUPS = {
    "eos": {"lattices": ["bcc", "fcc", "sc", "diamond"], "volumes": [0.9, 1.1]},
    "elastic": {"strains": [-0.03, 0.03]},
    "thermal": {
        "temperatures": [300, 3000],
        "repeats": 2,
        "debye_temperature": 310,
        "supercell": [2, 2, 1],
    },
    "vacancy": {"supercell": [2, 2, 1], "repeats": 2, "displacement": 0.05},
    "surfaces": {
        "facets": [[1, 0, 0], [1, 1, 0], [1, 1, 1]],
        "layers": 4,
        "vacuum": 8.0,
        "repeats": 1,
        "displacement": 0.0,
    },
}


def test_expert_groups(lattice):
    cells = expert_cells(lattice, GROUPS, random_stream(1, "expert", 0))
    groups = Counter(cell.info["config_type"] for cell in cells)
    assert groups == {
        **{f"eos_{name}": 2 for name in ("bcc", "fcc", "sc", "diamond")},
        "elastic": 6,
        "thermal": 4,
        "vacancy": 2,
        "surface_100": 1,
        "surface_110": 1,
        "surface_111": 1,
    }
    assert set(GROUPS) == set(RECIPES)
    assert min(map(shortest_distance, cells)) > 2.1


def test_eos_volumes_and_distances(lattice):
    cells = expert_cells(lattice, {"eos": GROUPS["eos"]}, random_stream(1, "expert", 0))
    for cell in cells:
        ratio = cell.get_volume() / len(cell) / lattice.volume_per_atom
        assert ratio == pytest.approx(float(cell.info["trajectory"].split("_")[-1]), abs=1e-5)
    fcc = next(c for c in cells if c.info["config_type"] == "eos_fcc")
    a = (4 * fcc.get_volume()) ** (1 / 3)
    assert shortest_distance(fcc) == pytest.approx(a / 2**0.5, abs=1e-5)


def test_slab_spacings_and_vacuum(lattice):
    slabs = expert_cells(lattice, {"surfaces": GROUPS["surfaces"]}, random_stream(1, "e", 0))
    spacing = {"100": 0.5, "110": 0.5**0.5, "111": 12**-0.5}  # bcc interlayer distances in a
    for slab in slabs:
        normal = np.cross(*slab.cell.array[:2])
        heights = np.sort(slab.positions @ normal / np.linalg.norm(normal))
        expected = lattice.a * spacing[slab.info["config_type"].split("_")[1]]
        np.testing.assert_allclose(np.diff(heights), expected, atol=1e-5)
        height = slab.get_volume() / np.linalg.norm(normal)
        assert height - 3 * expected == pytest.approx(8.0, abs=expected + 1e-5)


def test_debye_amplitude_of_tungsten(lattice):
    # <u^2> of one coordinate of W at 300 K, Debye temperature 310 K: B = 8 pi^2 <u^2> = 0.16 Å^2
    # (the high-temperature Debye formula evaluated by hand with hbar^2/(k_B amu) = 48.5 Å^2 K)
    variance = debye_amplitude(lattice.primitive(), 300, 310) ** 2
    assert variance == pytest.approx(3 * 48.5087 * 300 / (183.84 * 310**2), rel=1e-3)
