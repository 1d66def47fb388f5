"""Random and entropy-maximised cells: from a study to a chunk, and from chunks to a set."""

import copy
import logging
from collections import Counter

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.statistics import SetStatistics, sum_statistics
from diverse.generate.batch import equal_sizes
from diverse.generate.entropy import CellEntropy
from diverse.generate.random_cells import (
    SamplerSettings,
    check_packing,
    default_floor,
    random_cell,
)
from diverse.kernel.library import available_isas
from diverse.neighbours import shortest_distance
from diverse.structures import ReferenceLattice
from diverse.study.check import load_study
from diverse.study.chunks import cell_statistics, fit_whitening, sampled_chunk
from diverse.study.rounds import chunk_round, chunks_made, chunks_of_round
from diverse.study.settings import descriptor_settings
from paths import ROOT

RANDOM = {"family": "random", "cells": 24, "chunks": 2}
SET = {"family": "entropy", "estimator": "set", "cells": 24, "chunks": 2}
CELL = {"family": "entropy", "estimator": "cell", "cells": 24, "chunks": 2}


@pytest.fixture(scope="module")
def study():
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    config["sampler"] = {"atoms": [3, 6]}
    config["optimiser"] = {"twojmax": 4, "steps": 30}
    return load_study(config, str(ROOT / "workflow/schemas/study.schema.yaml"))


@pytest.fixture(scope="module")
def whitening(study):
    return fit_whitening(study)


@pytest.fixture(scope="module")
def make(study, whitening):
    def make(dataset, chunk=0, **options):
        return sampled_chunk(
            study, name="test", dataset=dataset, chunk=chunk, whitening=whitening, **options
        )

    return make


@pytest.mark.parametrize("dataset", [SET, CELL], ids=["set", "cell"])
def test_cells_are_the_same_under_every_instruction_set(make, dataset, monkeypatch):
    """Kernels differ in the last digits, which thirty steps do not carry to the sixth decimal."""
    found = {}
    for isa in available_isas():
        monkeypatch.setenv("DIVERSE_KERNEL_ISA", isa)
        found[isa] = make(dataset).cells
    for cells in found.values():
        for cell, other in zip(cells, found["baseline"], strict=True):
            assert cell == other


@pytest.mark.parametrize("dataset", [RANDOM, SET, CELL], ids=["random", "set", "cell"])
def test_floor_sizes_and_volumes_hold(make, lattice, dataset):
    sample = make(dataset)
    assert sample.outcome["accepted"] == len(sample.cells) == 12
    assert isinstance(sample.outcome, Counter)
    for cell in sample.cells:
        assert shortest_distance(cell) >= 2.1
        assert 3 <= len(cell) <= 6
        ratio = cell.get_volume() / len(cell) / lattice.volume_per_atom
        assert 0.8 - 1e-4 <= ratio <= 2.0 + 1e-4


@pytest.mark.parametrize("dataset", [RANDOM, SET], ids=["random", "set"])
def test_a_set_may_have_larger_cells_than_the_sampler(make, dataset):
    cells = make({**dataset, "atoms": [9, 11]}).cells
    assert len(cells) == 12
    assert {len(cell) for cell in cells} == {9, 10, 11}


def test_set_entropy_rises_above_random(make):
    # the same stream, so the same first cells in pairs: every chunk must gain
    gains = [
        make(SET, c).statistics.entropy() - make(RANDOM, c).statistics.entropy() for c in (0, 1)
    ]
    assert min(gains) > 2


def test_cell_entropy_rises_above_random(make, study, whitening):
    def mean_entropy(dataset):
        cells = [cell for chunk in (0, 1) for cell in make(dataset, chunk).cells]
        white = whitening(environment_descriptors(cells, descriptor_settings(study)))
        sizes = np.array([len(cell) for cell in cells])
        return sum(CellEntropy()(white[a])[0].sum() for _, a in equal_sizes(sizes)) / sizes.sum()

    # nats per environment: each of the 14 components' spread grows by a few per cent at least
    assert mean_entropy(CELL) > mean_entropy(RANDOM) + 1


def test_a_chunk_depends_only_on_its_stream(make):
    first = make(SET, 0).cells
    other = make(SET, 1).cells
    again = make(SET, 0, threads=2).cells
    assert all((a.positions == b.positions).all() for a, b in zip(first, again, strict=True))
    assert all((a.cell.array == b.cell.array).all() for a, b in zip(first, again, strict=True))
    assert any(
        len(a) != len(b) or (a.positions != b.positions).any()
        for a, b in zip(first, other, strict=True)
    )


def test_statistics_of_chunks_add_up_to_those_of_all_cells(make, study, whitening):
    first = make(SET, 0)
    second = make(SET, 1, earlier=first.statistics)
    total = sum_statistics([first.statistics, second.statistics])
    whole = cell_statistics(first.cells + second.cells, study=study, whitening=whitening)
    assert total.count == whole.count == sum(map(len, first.cells + second.cells))
    np.testing.assert_allclose(total.mean, whole.mean, atol=1e-9)
    scale = abs(whole.scatter).max()
    np.testing.assert_allclose(total.scatter, whole.scatter, atol=1e-9 * scale)


def test_earlier_statistics_change_what_is_made_and_help_the_union(make):
    earlier = make(RANDOM).statistics
    aware, blind = make(SET, 1, earlier=earlier), make(SET, 1)
    assert any(
        (a.positions != b.positions).any()
        for a, b in zip(aware.cells, blind.cells, strict=True)
        if len(a) == len(b)
    )
    assert earlier.merged(aware.statistics).entropy() > earlier.entropy()


def test_progress_is_logged(make, caplog):
    with caplog.at_level(logging.INFO):
        make(SET)
    last = caplog.messages[-1]
    for part in ("accepted 12 of 12", "rejected", "entropy so far", "environments/s"):
        assert part in last


def test_complement_of_another_element_is_refused(study, whitening):
    with pytest.raises(ValueError, match="holds Ta; a study of W"):
        cell_statistics([bulk("Ta")], study=study, whitening=whitening)
    assert cell_statistics([], study=study, whitening=whitening).count == 0


def test_rounds_deal_out_all_chunks_in_order():
    dataset = {"chunks": 7, "rounds": 3}
    dealt = [chunks_of_round(dataset, number) for number in range(3)]
    assert dealt == [[0, 1, 2], [3, 4], [5, 6]]
    assert [chunk_round(dataset, c) for c in range(7)] == [0, 0, 0, 1, 1, 2, 2]
    assert chunks_of_round({"chunks": 2}, 0) == [0, 1]


def test_only_the_first_chunks_are_made_where_a_study_says_so():
    made = [list(chunks_made({"chunks": 3} | more)) for more in ({}, {"first_chunks": None})]
    assert made == [[0, 1, 2]] * 2
    assert list(chunks_made({"chunks": 3, "first_chunks": 2})) == [0, 1]
    assert list(chunks_made({"chunks": 3, "first_chunks": 9})) == [0, 1, 2]


def sampler(**options):
    defaults = {
        "atoms": (3, 4),
        "sizes": "uniform",
        "volume": (0.8, 2.0),
        "aspect": 1.6,
        "angles": (60, 120),
        "d_min": 2.1,
        "core": (0.8, 1.02),
        "core_stiffness": 10.0,
    }
    return SamplerSettings(**(defaults | options))


def test_floors_of_elements():
    assert default_floor(ReferenceLattice("W", "bcc", 3.165)) == 2.1
    for symbol, structure, a in [("Al", "fcc", 4.05), ("Si", "diamond", 5.43), ("Po", "sc", 3.35)]:
        lattice = ReferenceLattice(symbol, structure, a)
        floor = default_floor(lattice)
        assert floor == pytest.approx(0.766 * lattice.nearest_neighbour, abs=0.005)
        check_packing(sampler(d_min=floor), lattice)


def test_a_floor_that_no_cell_can_satisfy_is_said(lattice):
    with pytest.raises(ValueError, match=r"spheres of d_min = 3.0 Å would fill 111% of a cell"):
        check_packing(sampler(d_min=3.0), lattice)


def test_hopeless_settings_end(study, whitening):
    hopeless = copy.deepcopy(study)
    hopeless["sampler"] |= {"atoms": [8, 8], "volume": [0.8, 0.82], "d_min": 2.45}
    hopeless["optimiser"]["steps"] = 1
    with pytest.raises(ValueError, match=r"only \d+ of \d+ random cells could be used"):
        sampled_chunk(
            hopeless,
            name="test",
            dataset={"family": "random", "cells": 400, "chunks": 1},
            chunk=0,
            whitening=whitening,
        )


def test_equal_environments_draw_small_cells_more_often(lattice):
    rng = np.random.default_rng(0)
    settings = sampler(atoms=(2, 8), sizes="equal_environments", d_min=1.0)
    sizes = np.array([len(random_cell(settings, lattice, rng)[0]) for _ in range(4000)])
    environments = np.bincount(sizes, weights=sizes, minlength=9)[2:]
    expected = environments.sum() / 7
    # a multinomial count of cells of size n varies by its root, n * sqrt(expected / n)
    assert abs(environments - expected).max() < 5 * np.sqrt(8 * expected)


def test_empty_statistics_are_the_start(make):
    start = SetStatistics.empty(14)
    a, b = make(SET), make(SET, earlier=start)
    assert all((x.positions == y.positions).all() for x, y in zip(a.cells, b.cells, strict=True))
    assert isinstance(a.cells[0], Atoms)
