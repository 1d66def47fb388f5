"""The descriptor kernel: derivatives, invariances, types, threads, instruction sets, bad input."""

import itertools
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from diverse.kernel import (
    BispectrumSettings,
    Kernel,
    neighbour_pairs,
    position_gradient,
    strain_gradient,
)
from diverse.kernel.library import available_isas
from kernel_cases import CUTOFF, ROUNDING, Case, cases, displaced_bulk, triclinic

EPS = np.finfo(float).eps


def kernel_of(twojmax: int, **options: object) -> Kernel:
    return Kernel(BispectrumSettings(twojmax, CUTOFF), **options)


def components_of(case: Case, twojmax: int = 6) -> np.ndarray:
    pairs = case.pairs()
    return kernel_of(twojmax).forward(pairs.vector, pairs.first)


def random_like(array: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=array.shape)


def assert_slope(function: Callable[[float], float], slope: float) -> None:
    """Assert that `slope` is the derivative of a function at 0.

    Fourth-order differences with steps h and h/2: their difference is 15 times the truncation
    error of the second; twice that, and rounding, is the tolerance.
    """

    def difference(h: float) -> float:
        f = [function(k * h) for k in (-2, -1, 1, 2)]
        return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h)

    h = 5e-4
    coarse, fine = difference(h), difference(h / 2)
    rounding = 100 * EPS * abs(function(0)) / h
    tolerance = 2 * abs(coarse - fine) / 15 + rounding
    assert tolerance < 1e-4 * abs(slope)  # else the comparison would say nothing
    assert abs(fine - slope) < tolerance


def cutoff_in_a_gap(case: Case) -> float:
    """Return a cutoff that no pair is near: there the second derivative of B jumps."""
    distances = np.sort(np.linalg.norm(case.pairs(5.1).vector, axis=1))
    distances = distances[distances > 4.2]
    widest = np.argmax(np.diff(distances))
    return float(distances[widest : widest + 2].mean())


def value_along(
    case: Case, kernel: Kernel, weights: np.ndarray, strain: np.ndarray, direction: np.ndarray
) -> Callable[[float], float]:
    """Return sum(weights * B) as a function of a step along a strain and a displacement."""
    cutoff = kernel.settings.cutoff
    n_pairs = len(case.pairs(cutoff).center)

    def value(step: float) -> float:
        change = np.eye(3) + step * strain
        moved = (case.positions + step * direction) @ change
        pairs = Case(moved, case.cell @ change, case.pbc).pairs(cutoff)
        assert len(pairs.center) == n_pairs
        return float((weights * kernel.forward(pairs.vector, pairs.first)).sum())

    return value


@pytest.mark.parametrize("name", cases())
def test_gradients_are_derivatives(name: str) -> None:
    case = cases()[name]
    kernel = Kernel(BispectrumSettings(4, cutoff_in_a_gap(case)))
    weights = random_like(np.empty((case.n_atoms, 14)), seed=1)
    pairs = case.pairs(kernel.settings.cutoff)
    gradient = kernel.vjp(pairs.vector, pairs.first, weights)

    none, strain = np.zeros_like(case.positions), random_like(case.cell) * 0.2
    by_strain = strain_gradient(pairs, gradient, np.zeros(case.n_atoms, dtype=int), 1)
    assert_slope(value_along(case, kernel, weights, strain, none), (by_strain[0] * strain).sum())

    by_position = position_gradient(pairs, gradient, case.n_atoms)
    if case.n_atoms == 1:  # moving the only atom changes nothing
        assert abs(by_position).max() < ROUNDING * abs(gradient).max()
        return
    direction = random_like(case.positions)
    assert_slope(
        value_along(case, kernel, weights, np.zeros((3, 3)), direction),
        (by_position * direction).sum(),
    )


def test_gradients_of_a_batch_are_those_of_its_cells() -> None:
    first, second = triclinic(5), triclinic(2)
    pairs = neighbour_pairs(
        np.concatenate([first.positions, second.positions]),
        np.stack([first.cell, second.cell]),
        np.array([0, 5, 7]),
        cutoff=CUTOFF,
    )
    gradient = random_like(pairs.vector)
    split = pairs.first[5]
    by_strain = strain_gradient(pairs, gradient, np.repeat([0, 1], [5, 2]), 2)
    by_position = position_gradient(pairs, gradient, 7)
    for part, cell, atoms in (
        (slice(None, split), 0, slice(5)),
        (slice(split, None), 1, slice(5, 7)),
    ):
        outer = np.einsum("px,py->xy", pairs.vector[part], gradient[part])
        np.testing.assert_allclose(by_strain[cell], outer, atol=1e-12 * abs(outer).max())
        expected = np.zeros((7, 3))
        np.add.at(expected, pairs.neighbour[part], gradient[part])
        np.subtract.at(expected, pairs.center[part], gradient[part])
        np.testing.assert_allclose(by_position[atoms], expected[atoms], atol=1e-12)


@pytest.mark.parametrize("twojmax", [2, 5, 8])
def test_jvp_and_jacobian_agree_with_vjp(twojmax: int) -> None:
    pairs, kernel = displaced_bulk().pairs(), kernel_of(twojmax)
    cotangent = random_like(kernel.forward(pairs.vector, pairs.first))
    tangent = random_like(pairs.vector, seed=1)
    gradient = kernel.vjp(pairs.vector, pairs.first, cotangent)
    change = kernel.jvp(pairs.vector, pairs.first, tangent)
    rows = kernel.jacobian(pairs.vector, pairs.first)

    from_rows = np.einsum("pkx,pk->px", rows, cotangent[pairs.center])
    np.testing.assert_allclose(from_rows, gradient, atol=ROUNDING * abs(gradient).max())
    sums = np.zeros_like(change)
    np.add.at(sums, pairs.center, np.einsum("pkx,px->pk", rows, tangent))
    np.testing.assert_allclose(change, sums, atol=ROUNDING * abs(change).max())
    both = (gradient * tangent).sum(), (cotangent * change).sum()
    assert abs(both[0] - both[1]) < ROUNDING * abs(cotangent * change).sum()


def test_kept_sums_change_nothing() -> None:
    pairs, kernel = triclinic(16).pairs(), kernel_of(8)
    components, pull_back = kernel.forward_vjp(pairs.vector, pairs.first)
    cotangent = random_like(components)
    np.testing.assert_array_equal(components, kernel.forward(pairs.vector, pairs.first))
    expected = kernel.vjp(pairs.vector, pairs.first, cotangent)
    for _ in range(2):
        np.testing.assert_array_equal(pull_back(cotangent), expected)


@pytest.mark.parametrize("bzero", [True, False])
@pytest.mark.parametrize("twojmax", [2, 3, 8])
def test_a_contraction_comes_with_its_gradient(twojmax: int, bzero: bool) -> None:
    pairs, kernel = triclinic(16).pairs(), Kernel(BispectrumSettings(twojmax, CUTOFF, bzero=bzero))
    components = kernel.forward(pairs.vector, pairs.first)
    cotangent = random_like(components)
    sums, gradient = kernel.contracted_vjp(pairs.vector, pairs.first, cotangent)
    expected = (cotangent * components).sum(axis=1)
    scale = abs(cotangent * components).sum(axis=1).max()
    np.testing.assert_allclose(sums, expected, atol=ROUNDING * scale)
    np.testing.assert_array_equal(gradient, kernel.vjp(pairs.vector, pairs.first, cotangent))


def test_isolated_atom_has_components_zero() -> None:
    first = np.array([0, 0, 1])  # two atoms, one without neighbours, one with a far one
    vectors = np.array([[0.0, 0.0, 10 * CUTOFF]])
    assert abs(kernel_of(8).forward(vectors, first)).max() < ROUNDING
    raw = Kernel(BispectrumSettings(8, CUTOFF, bzero=False))
    levels = np.array([j + 1 for *_, j in raw.settings.components()])
    np.testing.assert_allclose(raw.forward(vectors, first), np.tile(levels, (2, 1)), rtol=ROUNDING)
    assert (raw.vjp(vectors, first, np.ones((2, 55))) == 0).all()


random_cells = st.builds(triclinic, st.integers(1, 6), st.integers(0, 10**6))


@settings(max_examples=15, deadline=None)
@given(random_cells, st.integers(0, 10**6))
def test_rotation(case: Case, seed: int) -> None:
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    kernel, pairs = kernel_of(6), case.pairs()
    turned = pairs.vector @ rotation
    expected = kernel.forward(pairs.vector, pairs.first)
    components = kernel.forward(turned, pairs.first)
    np.testing.assert_allclose(components, expected, atol=ROUNDING * abs(expected).max())
    cotangent = random_like(expected)
    gradient = kernel.vjp(pairs.vector, pairs.first, cotangent) @ rotation
    np.testing.assert_allclose(
        kernel.vjp(turned, pairs.first, cotangent), gradient, atol=ROUNDING * abs(gradient).max()
    )


@settings(max_examples=15, deadline=None)
@given(random_cells, st.randoms(use_true_random=False))
def test_permutation(case: Case, random: object) -> None:
    order = np.array(random.sample(range(case.n_atoms), case.n_atoms))
    expected = components_of(case)[order]
    components = components_of(Case(case.positions[order], case.cell))
    np.testing.assert_allclose(components, expected, atol=ROUNDING * abs(expected).max())


@settings(max_examples=15, deadline=None)
@given(random_cells, st.tuples(*[st.floats(-20, 20)] * 3))
def test_translation(case: Case, shift: tuple[float, float, float]) -> None:
    expected = components_of(case)
    components = components_of(Case(case.positions + np.array(shift), case.cell))
    np.testing.assert_allclose(components, expected, atol=4 * ROUNDING * abs(expected).max())


@settings(max_examples=15, deadline=None)
@given(random_cells, st.tuples(*[st.integers(1, 3)] * 3))
def test_supercell(case: Case, repeats: tuple[int, int, int]) -> None:
    shifts = np.array(list(itertools.product(*(range(n) for n in repeats)))) @ case.cell
    positions = (shifts[:, None] + case.positions).reshape(-1, 3)
    cell = case.cell * np.array(repeats)[:, None]
    expected = np.tile(components_of(case), (len(shifts), 1))
    components = components_of(Case(positions, cell))
    np.testing.assert_allclose(components, expected, atol=4 * ROUNDING * abs(expected).max())


def everything(kernel: Kernel, vectors: np.ndarray, first: np.ndarray) -> list[np.ndarray]:
    """Return the results of all methods, with fixed random arguments."""
    components = kernel.forward(vectors, first)
    return [
        components,
        kernel.vjp(vectors, first, random_like(components)),
        kernel.jvp(vectors, first, random_like(vectors)),
        kernel.jacobian(vectors, first),
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_number_of_threads_gives_the_same_bits(dtype: str) -> None:
    pairs = displaced_bulk().pairs()
    one = everything(kernel_of(6, dtype=dtype, threads=1), pairs.vector, pairs.first)
    for threads in (2, 3, 8):
        many = everything(kernel_of(6, dtype=dtype, threads=threads), pairs.vector, pairs.first)
        for a, b in zip(one, many, strict=True):
            np.testing.assert_array_equal(a, b)


def test_other_atoms_in_the_batch_change_no_bit() -> None:
    pairs, kernel = displaced_bulk().pairs(), kernel_of(6)
    components = kernel.forward(pairs.vector, pairs.first)
    for atom in (0, 17, 53):
        own = pairs.vector[pairs.first[atom] : pairs.first[atom + 1]]
        np.testing.assert_array_equal(kernel.forward(own, [0, len(own)])[0], components[atom])


def test_instruction_sets_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, results = displaced_bulk().pairs(), {}
    for isa in available_isas():
        monkeypatch.setenv("DIVERSE_KERNEL_ISA", isa)
        kernel = kernel_of(8)
        assert kernel.isa == isa
        results[isa] = everything(kernel, pairs.vector, pairs.first)
    for result in results.values():
        for a, b in zip(result, results["baseline"], strict=True):
            np.testing.assert_allclose(a, b, atol=ROUNDING * abs(b).max())


@pytest.mark.parametrize("name", cases())
def test_float32_is_float64_but_for_rounding(name: str) -> None:
    pairs = cases()[name].pairs()
    single = everything(kernel_of(8, dtype="float32"), pairs.vector, pairs.first)
    double = everything(kernel_of(8), pairs.vector, pairs.first)
    tolerance = ROUNDING / EPS * np.finfo(np.float32).eps  # the same number of roundings
    for a, b in zip(single, double, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * abs(b).max())
        assert abs(a - b).max() > 0


def test_components_are_those_of_lammps() -> None:
    numbers = [BispectrumSettings(twojmax, CUTOFF).n_components for twojmax in (4, 6, 8)]
    assert numbers == [14, 30, 55]
    assert BispectrumSettings(2, CUTOFF).components() == [
        *((0, 0, 0), (1, 0, 1), (1, 1, 2), (2, 0, 2), (2, 2, 2))
    ]


def test_pickled_kernel_computes_the_same() -> None:
    pairs, kernel = triclinic(5).pairs(), kernel_of(4, dtype="float32", threads=1)
    copy = pickle.loads(pickle.dumps(kernel))
    for a, b in zip(
        *(everything(k, pairs.vector, pairs.first) for k in (kernel, copy)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


VECTORS, FIRST = np.array([[0.0, 0.0, 2.5], [0.0, 2.5, 0.0]]), np.array([0, 1, 2])
BAD_PAIRS = {
    "vectors has the shape .2, 2.": (VECTORS[:, :2], FIRST),
    "never decrease": (VECTORS, np.array([0, 2, 1])),
    "from 0 to 1; it must run from 0 to the number of vectors, 2": (VECTORS, np.array([0, 1])),
    "of pair 1, of atom 1, is .* must be finite": (VECTORS * [[1], [np.nan]], FIRST),
    "of pair 0, of atom 0, is .* longer than 0.001": (VECTORS * [[1e-4], [1]], FIRST),
}


@pytest.mark.parametrize("message", BAD_PAIRS)
def test_bad_pairs_give_a_sentence(message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kernel_of(4).forward(*BAD_PAIRS[message])


def test_bad_cotangents_and_tangents_give_a_sentence() -> None:
    kernel, cotangent = kernel_of(4), np.ones((2, 14))
    with pytest.raises(ValueError, match=r"cotangent has the shape \(2, 13\); it must be \(2, 14"):
        kernel.vjp(VECTORS, FIRST, cotangent[:, 1:])
    cotangent[1, 3] = np.inf
    with pytest.raises(ValueError, match=r"cotangent .* not finite, at index \(1, 3\)"):
        kernel.vjp(VECTORS, FIRST, cotangent)
    with pytest.raises(ValueError, match="tangent has the shape"):
        kernel.jvp(VECTORS, FIRST, VECTORS[:1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"twojmax": 1}, "twojmax is 1; it must be between 2 and 14"),
        ({"twojmax": 15}, "twojmax is 15"),
        ({"cutoff": float("nan")}, "cutoff is nan"),
        ({"rmin0": 5.0}, "0 <= rmin0 < cutoff"),
        ({"rfac0": 1.5}, "rfac0 is 1.5"),
    ],
)
def test_bad_settings_give_a_sentence(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BispectrumSettings(**{"twojmax": 4, "cutoff": CUTOFF, **options})


def test_bad_kernel_options_give_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="dtype is 'float16'"):
        kernel_of(4, dtype="float16")
    with pytest.raises(ValueError, match="threads is 0"):
        kernel_of(4, threads=0)
    monkeypatch.setenv("DIVERSE_KERNEL_ISA", "avx1024")
    with pytest.raises(RuntimeError, match="'avx1024', but this CPU can run only: baseline"):
        kernel_of(4)
