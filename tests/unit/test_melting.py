"""The melting point by coexistence: what counts as crystal, and how the bracket closes."""

import numpy as np
import pytest

from diverse.physics import PhysicsError, melting
from diverse.physics.melting import REPEATS, crystal_part, melting_range
from physics_cases import crystal_of

LAYERS = REPEATS[2]


@pytest.fixture
def atoms():
    """A perfect supercell of tungsten."""
    return crystal_of("zhou").lattice.conventional().repeat(REPEATS)


def test_layers_that_are_ordered_are_crystal(atoms):
    """Hot ones too (0.2 Å of thermal motion along each axis), wherever the crystal drifts."""
    rng = np.random.default_rng(0)
    assert crystal_part(atoms) == 1
    atoms.positions += rng.normal([0.7, 0.3, 0.0], 0.2, (len(atoms), 3))
    assert crystal_part(atoms) == 1
    upper = atoms.get_scaled_positions()[:, 2] >= 0.5
    places = atoms.get_scaled_positions()
    places[upper] = rng.uniform([0, 0, 0.5], [1, 1, 1], (upper.sum(), 3))
    atoms.set_scaled_positions(places)
    assert crystal_part(atoms) == pytest.approx(0.5, abs=1 / LAYERS)
    atoms.set_scaled_positions(rng.uniform(size=(len(atoms), 3)))
    assert crystal_part(atoms) <= 1 / LAYERS


def test_half_of_the_cell_melts():
    found = melting._half_molten(crystal_of("zhou"), 4000.0, np.random.default_rng(0))
    assert 0.3 < crystal_part(found) < 0.8
    assert found.get_temperature() == pytest.approx(4000, rel=0.2)
    assert not found.constraints


def at(threshold, width=0.0):
    """Return runs of a potential that melts at a temperature, undecided within a width of it."""

    def parts(crystal, temperature, rng):
        if abs(temperature - threshold) < width:
            return [0.5, 0.5]
        return [0.5, 0.4, 0.1] if temperature > threshold else [0.5, 0.9]

    return parts


def test_the_bracket_closes_about_the_melting_point(monkeypatch):
    monkeypatch.setattr(melting, "_crystal_parts", at(3100.0))
    found = melting_range((2000, 4000), crystal_of("zhou"))
    assert found.rows == {"crystal grows": 3000.0, "crystal melts": 3125.0}
    assert found.curve.names == ["3000 K", "3500 K", "3250 K", "3125 K"]
    assert [len(line) for line in found.curve.lines] == [len(found.curve.x)] * 4
    monkeypatch.setattr(melting, "_crystal_parts", at(3240.0, 100.0))
    found = melting_range((2000, 4000), crystal_of("zhou"))
    assert found.rows == {"crystal grows": 3000.0, "crystal melts": 3500.0}


@pytest.mark.parametrize(("threshold", "words"), [(1000, "grows at none"), (5000, "melts at none")])
def test_a_melting_point_outside_the_range_is_none(monkeypatch, threshold, words):
    monkeypatch.setattr(melting, "_crystal_parts", at(threshold))
    with pytest.raises(PhysicsError, match=f"no melting point: the crystal {words} of 3000 K, "):
        melting_range((2000, 4000), crystal_of("zhou"))


def test_lattices_without_such_planes_have_none():
    with pytest.raises(PhysicsError, match="does not apply"):
        melting_range((500, 1500), crystal_of("magnesium"))
