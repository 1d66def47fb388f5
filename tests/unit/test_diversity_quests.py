"""QUESTS measures: the package's own numbers, its definition of overlap, and its pitfalls."""

import os
import subprocess
import sys

import numpy as np
import pytest
from ase.build import bulk
from quests.descriptor import get_descriptors
from quests.entropy import delta_entropy, diversity, entropy, get_bandwidth

from diverse.diversity import (
    quests_bandwidths,
    quests_descriptors,
    quests_diversity,
    quests_entropy,
    quests_overlap,
)
from diverse.diversity.quests_kernel import kernel_sums, quests_cutoff
from diverse.study.settings import kernel_cutoff
from paths import ROOT

BANDWIDTHS = (0.015, 0.043)


@pytest.fixture(scope="module")
def environments(cells) -> np.ndarray:
    return quests_descriptors([cells["bulk"], cells["triclinic5"], cells["triclinic16"]], 5.0)


def test_entropy_and_diversity_are_those_of_the_package(environments):
    sums = kernel_sums(environments, environments, BANDWIDTHS)
    for column, h in enumerate(BANDWIDTHS):
        direct = entropy(environments, h), diversity(environments, h)
        ours = quests_entropy(sums)[column], quests_diversity(sums)[column]
        assert ours == pytest.approx(direct, rel=1e-9)


def test_overlap_is_that_of_the_command_line(environments):
    points, reference = environments[:20], environments[10:]
    sums = kernel_sums(points, reference, BANDWIDTHS)
    for column, h in enumerate(BANDWIDTHS):
        with np.errstate(divide="ignore"):
            direct = (delta_entropy(points, reference, h=h) < 1e-5).mean()
        assert 0.5 <= direct < 1
        assert quests_overlap(sums)[column] == direct


def test_a_set_covers_itself_and_not_what_is_far_away(environments):
    itself = kernel_sums(environments, environments, BANDWIDTHS)
    apart = kernel_sums(environments, environments + 10, BANDWIDTHS)
    np.testing.assert_array_equal(quests_overlap(itself), 1)
    np.testing.assert_array_equal(quests_overlap(apart), 0)


def test_entropy_of_equal_and_of_distant_environments():
    one, n = np.ones((1, 63)), 8
    equal, distant = np.repeat(one, n, axis=0), np.arange(n)[:, None] * one
    for points, exact in ((equal, 0), (distant, np.log(n))):
        sums = kernel_sums(points, points, (0.015,))
        assert quests_entropy(sums)[0] == pytest.approx(exact, abs=1e-9)
        assert quests_diversity(sums)[0] == pytest.approx(exact, abs=1e-9)


def test_handedness_of_the_cell_does_not_matter(cells):
    cell = cells["triclinic5"].copy()
    mirror = cell.copy()
    mirror.set_cell(cell.cell.array[[1, 0, 2]])  # the same lattice
    assert np.linalg.det(mirror.cell.array) * np.linalg.det(cell.cell.array) < 0
    np.testing.assert_allclose(
        quests_descriptors([mirror], 5.0), quests_descriptors([cell], 5.0), rtol=0, atol=1e-9
    )
    right_handed = cell if cell.cell.volume > 0 else mirror
    np.testing.assert_array_equal(
        quests_descriptors([right_handed], 5.0), get_descriptors([right_handed])
    )


def test_the_cutoff_reaches_the_neighbours_of_the_largest_atoms():
    study = {"element": "Cs", "lattice": {"structure": "bcc", "a": 6.14}}
    cutoff = kernel_cutoff(study)
    assert cutoff == pytest.approx(1.8 * 3**0.5 / 2 * 6.14)
    crystal, loose = (bulk("Cs", "bcc", a=a) for a in (6.14, 6.5))
    described = quests_descriptors([crystal, loose], cutoff)
    assert (described[:, :14] > 0).all()  # 8 nearest and 6 next-nearest neighbours
    sums = kernel_sums(described[:1], described[1:], (0.015,))
    assert quests_overlap(sums)[0] == 0


def test_the_cutoff_of_tungsten_is_that_of_the_package(lattice):
    assert quests_cutoff(lattice.nearest_neighbour) == 5.0
    assert quests_cutoff(3.0) == pytest.approx(5.4)


def test_bandwidths():
    assert quests_bandwidths([0.015, "volume"], 15.85) == (0.015, get_bandwidth(15.85))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are bound on Linux alone")
def test_a_job_that_is_bound_to_one_core_takes_one_thread():
    one = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, [{one}]); "
        "from diverse.diversity import quests_threads; "
        "import numba; print(quests_threads(4), numba.get_num_threads())"
    )
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_NUM_THREADS"}
    environment["PYTHONPATH"] = str(ROOT / "workflow/scripts")
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["1", "1"]
