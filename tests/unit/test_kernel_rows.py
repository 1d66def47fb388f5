"""Rows of force fits: compiled sums against the formula, threads, instruction sets, derivatives."""

import numpy as np
import pytest
from ase.build import bulk

from diverse.kernel.jacobian_sums import merged_jacobian, quadratic_rows
from diverse.kernel.library import available_isas
from diverse.labels.labellers import Label
from diverse.labels.ledger import attach
from diverse.models.polynomial.basis import Basis
from diverse.models.polynomial.design import design_rows
from diverse.models.polynomial.forms import SnapForm
from diverse.structures import tagged
from diverse.zbl import ZBL

CUTOFF, NO_ZBL = 4.734, ZBL("W", 0.1, 0.2)


@pytest.fixture
def moved():
    """Entries of 6 atoms, one of which moves nothing, of 11 components."""
    rng = np.random.default_rng(0)
    first = np.array([0, 3, 3, 12, 13, 20, 24])
    center = rng.integers(0, 6, first[-1])
    return first, center, rng.normal(size=(first[-1], 3, 11)), rng.normal(size=(6, 11))


def formula(first, center, gradient, value):
    """T = sum of g (x) x; its symmetric part, twice, above the diagonal."""
    k, m = np.triu_indices(value.shape[1])
    rows = []
    for entries in map(slice, first[:-1], first[1:]):
        product = np.einsum("eak,em->akm", gradient[entries], value[center[entries]])
        linear = gradient[entries].sum(axis=0)
        quadratic = (product + product.transpose(0, 2, 1))[:, k, m]
        rows.append(np.concatenate([np.zeros((3, 1)), linear, quadratic], axis=1))
    return np.array(rows)


@pytest.mark.parametrize("isa", available_isas())
def test_quadratic_rows_are_those_of_the_formula(moved, isa, monkeypatch):
    monkeypatch.setenv("DIVERSE_KERNEL_ISA", isa)
    np.testing.assert_allclose(quadratic_rows(*moved), formula(*moved), rtol=1e-13, atol=1e-13)


def test_threads_change_no_bit(moved, monkeypatch):
    one = quadratic_rows(*moved)
    monkeypatch.setattr("diverse.kernel.library.n_threads", lambda threads: 3)
    np.testing.assert_array_equal(quadratic_rows(*moved), one)


def test_merged_jacobian_adds_ends_and_takes_away_beginnings():
    rng = np.random.default_rng(1)
    jacobian, to, start = rng.normal(size=(50, 7, 3)), *rng.integers(0, 9, (2, 50))
    expected = np.zeros((9, 3, 7))
    np.add.at(expected, to, jacobian.transpose(0, 2, 1))
    np.subtract.at(expected, start, jacobian.transpose(0, 2, 1))
    found = merged_jacobian(jacobian, to, start, 9)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("quadratic", [False, True])
def test_force_rows_are_minus_derivatives_of_energy_rows(quadratic):
    """In a cell so small that atoms see their own images, and those of others, many times."""
    rng, source = np.random.default_rng(2), SnapForm(4, quadratic).source(CUTOFF, "W")
    atoms = bulk("W", a=3.165).repeat((2, 1, 1))
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    cell = tagged(atoms, "bulk", "0")
    attach(cell, Label(-8.0, -8.0, np.zeros((2, 3)), np.zeros(6)))
    n = source.n_components
    basis = Basis(rng.normal(size=n), rng.normal(size=(n, n)) / 100, quadratic)
    _, forces = design_rows([cell], source, basis, NO_ZBL)

    def columns(axis, step):
        moved = cell.copy()
        moved.positions[1, axis] += step
        return len(moved) * source.energy_rows([moved], basis)[0]

    for axis in range(3):
        h = 1e-3  # fourth-order differences
        slope = (columns(axis, -2 * h) - columns(axis, 2 * h)) / 12 / h
        slope += (columns(axis, h) - columns(axis, -h)) / 1.5 / h
        scale = np.abs(slope).max()
        np.testing.assert_allclose(forces.matrix[3 + axis], -slope, rtol=0, atol=1e-8 * scale)
