"""Cells an expert would make."""

from collections import Counter

import numpy as np
import pytest

from diverse.generate.expert import RECIPES, debye_amplitude, expert_cells
from diverse.neighbours import shortest_distance
from diverse.structures import random_stream

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
    # <u^2> of one coordinate of W at 300 K, Debye temperature 310 K
    # (the high-temperature Debye formula evaluated by hand with hbar^2/(k_B amu) = 48.5 Å^2 K)
    variance = debye_amplitude(lattice.primitive(), 300, 310) ** 2
    assert variance == pytest.approx(3 * 48.5087 * 300 / (183.84 * 310**2), rel=1e-3)
