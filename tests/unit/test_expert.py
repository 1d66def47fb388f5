"""Cells an expert would make, and those no expert would."""

import logging
from collections import Counter

import numpy as np
import pytest
from ase import Atoms, units

from diverse import lammps_library
from diverse.descriptors.environments import environment_descriptors
from diverse.generate.expert import RECIPES, check_groups, dynamics, expert_cells
from diverse.generate.expert.context import Context, values
from diverse.generate.expert.crystals import crystal, debye_amplitude
from diverse.generate.expert.defects import pushed_apart
from diverse.generate.expert.dynamics import Potential, advance
from diverse.kernel import BispectrumSettings
from diverse.neighbours import find_pairs, shortest_distance
from diverse.structures import ReferenceLattice

ZHOU = {"pair_style": "eam/alloy", "pair_coeff": ["* * W_zhou.eam.alloy W"], "timestep": 2}
TIMES = {"equilibration": 400, "interval": 200, "snapshots": 2}
FAULTS = {"planes": [[1, 1, 0], [1, 1, 2]], "layers": 6, "shifts": [2, 4], "displacement": 0.0}
GROUPS = {
    "eos": {"lattices": ["bcc", "fcc", "hcp", "a15", "sc", "diamond"], "volumes": [0.8, 1.2]},
    "elastic": {"strains": [0.03]},
    "distorted": {
        "lattices": ["bcc", "bct"],
        "supercell": [1, 1, 1],
        "strain": 0.15,
        "displacement": 0.05,
        "variants": ["bulk"],
        "repeats": 3,
    },
    "thermal": {
        "temperatures": [300, 3000],
        "repeats": 2,
        "debye_temperature": 310,
        "supercell": [2, 2, 1],
    },
    "md": {
        **ZHOU,
        **TIMES,
        "lattices": ["bcc"],
        "supercell": [2, 2, 1],
        "volumes": [1.0],
        "temperatures": [300, 3000],
    },
    "liquid": {
        **ZHOU,
        **TIMES,
        "supercell": [2, 2, 2],
        "volumes": [1.1],
        "melting": [8000, 400],
        "temperatures": [5000],
    },
    "vacancy": {"supercell": [2, 2, 1], "repeats": 2, "displacement": 0.05},
    "divacancy": {"supercell": [2, 2, 3], "shells": 2, "repeats": 1, "displacement": 0.05},
    "interstitials": {
        "kinds": ["100", "110", "111", "octahedral", "tetrahedral"],
        "supercell": [2, 2, 2],
        "repeats": 1,
        "displacement": 0.02,
    },
    "surfaces": {
        "facets": [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 2]],
        "layers": 4,
        "vacuum": 8.0,
        "repeats": 1,
        "displacement": 0.0,
    },
    "gamma_surface": {**FAULTS, "repeat": [1, 1]},
    "gamma_surface_vacancy": {**FAULTS, "repeat": [2, 1]},
    "boundaries": {
        "planes": [[1, 1, 2], [3, 1, 0]],
        "layers": 5,
        "expansion": 0.5,
        "displacement": 0.02,
        "repeats": 2,
    },
    "dislocation": {
        "elastic_constants": [522, 204, 161],
        "radius": 8,
        "vacuum": 8,
        "repeats": 1,
        "displacement": 0.0,
    },
    "clusters": {"sizes": [2, 5], "vacuum": 8, "repeats": 2},
    "contacts": {
        "lattices": ["bcc"],
        "supercell": [2, 2, 2],
        "displacement": 0.1,
        "longest": 2.5,
        "repeats": 4,
    },
}


@pytest.fixture
def context(lattice):
    return Context(lattice, 2.1, 1, "expert")


def make(context, *names, **changes):
    groups = {name: GROUPS[name] | changes for name in names}
    return expert_cells(context, groups, BispectrumSettings(6, 4.734))


def test_every_recipe_gives_its_groups_above_the_floor(context):
    assert set(GROUPS) == set(RECIPES)
    cells = make(context, *GROUPS)
    groups = Counter(cell.info["config_type"] for cell in cells)
    planes = {f"gamma_surface{v}_{p}" for v in ("", "_vacancy") for p in ("110", "112")}
    assert planes <= set(groups)
    assert {name: n for name, n in groups.items() if name not in planes} == {
        **{f"eos_{name}": 2 for name in GROUPS["eos"]["lattices"]},
        **{f"surface_{facet}": 1 for facet in ("100", "110", "111", "112")},
        **{f"interstitial_{kind}": 1 for kind in GROUPS["interstitials"]["kinds"]},
        **{
            "elastic": 3,
            "distorted_bcc": 3,
            "distorted_bct": 3,
            "thermal": 4,
            "md": 4,
            "liquid": 2,
        },
        **{"boundary_112": 2, "boundary_310": 2},
        **{"vacancy": 2, "divacancy": 2, "dislocation_screw": 1, "cluster": 8, "contact": 4},
    }
    assert min(map(shortest_distance, cells)) >= 2.1
    assert max(len(cell) for cell in cells if "screw" not in cell.info["config_type"]) <= 16


def test_more_repeats_and_groups_leave_the_other_cells_as_they_are(context):
    few = {"distorted": {"repeats": 2}, "vacancy": {"repeats": 1}, "clusters": {"repeats": 1}}
    few = [cell for name, changes in few.items() for cell in make(context, name, **changes)]
    many = {cell.info["trajectory"]: cell for cell in make(context, *GROUPS)}
    for cell in few:
        assert np.array_equal(cell.positions, many[cell.info["trajectory"]].positions)


def test_same_stream_same_cells(lattice):
    contexts = [Context(lattice, 2.1, 1, "expert") for _ in range(2)]
    first, second = (make(context, *GROUPS) for context in contexts)
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("structure", "neighbours"),
    [("bcc", 8), ("fcc", 12), ("hcp", 12), ("sc", 6), ("diamond", 4), ("bct", 8)],
)
def test_lattices_have_their_coordination_and_volume(lattice, structure, neighbours):
    atoms = crystal(lattice, structure, 1.1)
    open_by = {"sc": 1.15, "diamond": 1.5}.get(structure, 1.0)
    expected = 1.1 * open_by * lattice.volume_per_atom
    assert atoms.get_volume() / len(atoms) == pytest.approx(expected)
    pairs = find_pairs([atoms], 1.01 * shortest_distance(atoms))
    assert np.diff(pairs.first).tolist() == [neighbours] * len(atoms)


def test_a15_has_chains_and_icosahedra(lattice):
    atoms = crystal(lattice, "a15")
    a = atoms.cell.lengths()[0]
    assert shortest_distance(atoms) == pytest.approx(a / 2)
    shell = np.diff(find_pairs([atoms], 5**0.5 / 4 * a * 1.001).first)
    assert shell.tolist() == [12, 12] + [2 + 4] * 6  # CN14 sites have 8 more, at sqrt(6)/4 a
    wide = np.diff(find_pairs([atoms], 6**0.5 / 4 * a * 1.001).first)
    assert wide.tolist() == [12, 12] + [14] * 6


def test_eos_volumes_and_distances(context, lattice):
    cells = make(context, "eos", lattices=["fcc"], volumes={"from": 0.9, "to": 1.1, "number": 3})
    ratios = [cell.get_volume() / len(cell) / lattice.volume_per_atom for cell in cells]
    np.testing.assert_allclose(ratios, [0.9, 1.0, 1.1], atol=1e-5)
    a = (4 * cells[0].get_volume()) ** (1 / 3)
    assert shortest_distance(cells[0]) == pytest.approx(a / 2**0.5, abs=1e-5)
    assert values([1, 2]) == [1, 2]


def test_mirror_images_are_one_cell(context, caplog):
    caplog.set_level(logging.INFO)
    cells = make(context, "elastic", strains=[-0.03, 0.03])
    assert len(cells) == 5  # shear has no sign
    assert "elastic: 1 duplicate" in caplog.text


def test_small_strains_of_opposite_sign_are_two_cells(context):
    cells = make(context, "elastic", strains=[-0.005, 0.005])
    names = [cell.info["trajectory"].removeprefix("elastic_") for cell in cells]
    assert names == [
        *("uniaxial_-0.005", "uniaxial_0.005"),
        *("tetragonal_-0.005", "tetragonal_0.005", "shear_-0.005"),
    ]


def test_copies_by_symmetry_are_one_cell_in_spite_of_rounding(context):
    options = {"planes": [[1, 1, 0]], "layers": 8, "shifts": [4, 4], "displacement": 0.0}
    assert len(make(context, "gamma_surface", **options)) == 6  # of 15


def test_what_is_too_close_is_left_out_unless_the_group_is_lost(context, caplog):
    caplog.set_level(logging.INFO)
    cells = make(context, "eos", lattices=["bcc"], volumes=[0.4, 1.0])
    assert len(cells) == 1
    assert "eos_bcc: 1 too close" in caplog.text
    with pytest.raises(ValueError, match="eos_bcc: every cell has atoms nearer than 2.1 Å"):
        make(context, "eos", lattices=["bcc"], volumes=[0.4])
    with pytest.raises(ValueError, match="distorted_sc_0: none of 200 random cells keeps"):
        make(context, "distorted", lattices=["sc"], displacement=1.0, supercell=[2, 2, 2])


def test_strains_stay_in_their_range(context, lattice):
    cells = make(context, "distorted", lattices=["sc"], repeats=20, displacement=0.0)
    perfect = crystal(lattice, "sc").cell.array
    strains = np.array([np.linalg.inv(perfect) @ cell.cell.array - np.eye(3) for cell in cells])
    np.testing.assert_allclose(strains, strains.transpose(0, 2, 1), atol=1e-6)
    assert 0.12 < np.abs(strains).max() <= 0.15 + 1e-6


def test_slab_spacings_and_vacuum(context, lattice):
    # bcc interlayer distances in a
    spacing = {"100": 0.5, "110": 0.5**0.5, "111": 12**-0.5, "112": 6**-0.5}
    for slab in make(context, "surfaces"):
        normal = np.cross(*slab.cell.array[:2])
        heights = np.sort(slab.positions @ normal / np.linalg.norm(normal))
        expected = lattice.a * spacing[slab.info["config_type"].split("_")[1]]
        np.testing.assert_allclose(np.diff(heights), expected, atol=1e-5)
        height = slab.get_volume() / np.linalg.norm(normal)
        assert height - 3 * expected == pytest.approx(8.0, abs=expected + 1e-5)


@pytest.mark.parametrize(
    ("structure", "shells"),
    [
        ("omega", [[2, 12], [3, 2, 6], [3, 2, 6]]),  # of each site: atoms by distance
        ("beta_tin", [[4, 2, 4], [4, 2, 4]]),
        ("c15", [*[[12, 4]] * 2, *[[6, 6]] * 4]),
        ("dhcp", [[12]] * 4),
        ("9r", [[12]] * 3),
    ],
)
def test_atoms_of_a_prototype_have_its_neighbours(lattice, structure, shells):
    atoms = crystal(lattice, structure)
    assert atoms.cell.angles().min() > 45
    assert atoms.get_volume() / len(atoms) == pytest.approx(lattice.volume_per_atom)
    pairs = find_pairs([atoms], 1.3 * shortest_distance(atoms))
    assert len(atoms) == len(shells)
    for site, expected in enumerate(shells):
        found = np.round(pairs.distance[pairs.center == site], 6)
        assert np.unique(found, return_counts=True)[1].tolist() == expected


def test_variants_of_a_lattice_lack_an_atom_or_have_a_surface(context, lattice):
    options = {"lattices": ["omega"], "strain": 0.0, "displacement": 0.0, "repeats": 1}
    variants = ["bulk", "vacancy", "slab"]
    whole, short, slab = make(context, "distorted", **options, variants=variants)
    assert [len(cell) for cell in (whole, short, slab)] == [3, 2, 3]
    assert np.array_equal(short.cell, whole.cell)
    area = np.linalg.norm(np.cross(*whole.cell.array[:2]))
    assert slab.get_volume() - whole.get_volume() == pytest.approx(8.0 * area, rel=1e-5)
    assert shortest_distance(slab) >= shortest_distance(whole) - 1e-5


def test_grains_are_mirror_images_with_their_boundaries_opened(context):
    for cell in make(context, "boundaries", displacement=0.0, expansion=0.8):
        first, second = cell[: len(cell) // 2], cell[len(cell) // 2 :]
        normal = np.cross(*cell.cell.array[:2])
        normal /= np.linalg.norm(normal)
        turned = first.positions - 2 * np.outer(first.positions @ normal, normal)
        shifts = second.positions - turned
        np.testing.assert_allclose(shifts, np.tile(shifts[0], (len(second), 1)), atol=3e-6)
        heights = np.sort(cell.positions @ normal)
        gaps = np.diff(heights, append=heights[0] + cell.cell.array[2] @ normal)
        within = len(first) - 1
        opened = gaps[[within, -1]] - gaps[0]
        np.testing.assert_allclose(np.delete(gaps, [within, -1]), gaps[0], atol=3e-6)
        assert (opened > -3e-6).all()
        assert (opened < 0.8 + 3e-6).all()


def test_faults_raise_the_energy_where_they_are(context, lattice):
    """Far from the fault atoms feel bulk: no force. The fault costs energy."""
    (fault,) = make(context, "gamma_surface", planes=[[1, 1, 0]], layers=12, shifts=[2, 1])
    perfect = lattice.primitive()
    faulted, bulk = lammps_library.evaluate(
        [fault, perfect], ZHOU["pair_style"], ZHOU["pair_coeff"]
    )
    normal = np.cross(*fault.cell.array[:2])
    excess = (faulted.energy - len(fault) * bulk.energy) / np.linalg.norm(normal)
    assert 0.05 < excess < 0.3  # eV/Å^2: below two surfaces of tungsten, 0.4
    order = np.argsort(fault.positions @ normal)
    assert np.abs(faulted.forces[order[5:7]]).max() < 1e-4
    assert np.abs(faulted.forces[order[[0, -1]]]).max() > 0.1


@pytest.mark.parametrize(
    ("lattice", "plane", "layers", "shifts", "left_out"),
    [
        (("W", "bcc", 3.165), [1, 1, 0], 7, [2, 2], "1_1"),
        (("W", "bcc", 3.165), [1, 1, 0], 8, [2, 2], "0_0"),
        (("W", "bcc", 3.165), [1, 1, 2], 8, [4, 4], "0_0"),  # no point is the crystal
        (("Cu", "fcc", 3.615), [1, 1, 1], 8, [3, 3], "1_1"),
        (("Mg", "hcp", 3.2095, 5.2105), [1, 0, -1, 0], 6, [4, 4], "2_0"),
    ],
)
def test_no_stacking_fault_is_the_perfect_crystal(lattice, plane, layers, shifts, left_out):
    lattice = ReferenceLattice(*lattice)
    context = Context(lattice, 0.5 * lattice.nearest_neighbour, 1, "expert")
    options = {"layers": layers, "repeat": [1, 1], "shifts": shifts, "displacement": 0.0}
    cells = RECIPES["gamma_surface"](context, planes=[plane], **options)
    names = {"_".join(cell.info["trajectory"].split("_")[-2:]) for cell in cells}
    grid = {f"{i}_{j}" for i in range(shifts[0]) for j in range(shifts[1])}
    assert names == grid - {left_out}
    settings = BispectrumSettings(4, 1.8 * lattice.nearest_neighbour)
    bulk = environment_descriptors([lattice.primitive()], settings)[0]
    for cell in cells:
        assert np.abs(environment_descriptors([cell], settings) - bulk).max() > 1


def test_vacancies_take_atoms_away(context):
    whole = RECIPES["gamma_surface"](context, **FAULTS | {"repeat": [2, 1]})
    short = RECIPES["gamma_surface_vacancy"](context, **FAULTS | {"repeat": [2, 1]})
    assert [len(a) - len(b) for a, b in zip(whole, short, strict=True)] == [1] * len(whole)
    assert {len(cell) for cell in make(context, "divacancy")} == {2 * 2 * 3 - 2}


@pytest.mark.parametrize(
    ("lattice", "supercell", "distances"),
    [  # pairs at distances that differ in the last digits of a 3-decimal number are one shell
        (("Mg", "hcp", 3.2095, 5.2105), [5, 5, 4], [3.1970, 3.2095, 4.5302]),
        (("Po", "sc", 2.5805), [3, 3, 3], [2.5805, 2.5805 * 2**0.5, 2.5805 * 3**0.5]),
    ],
)
def test_divacancies_are_of_the_first_shells(lattice, supercell, distances):
    context = Context(ReferenceLattice(*lattice), 1.0, 1, "expert")
    options = {"supercell": supercell, "shells": 3, "repeats": 1, "displacement": 0.0}
    perfect = context.lattice.primitive().repeat(tuple(supercell))
    found = []
    for cell in RECIPES["divacancy"](context, **options):
        apart = np.linalg.norm(perfect.positions[:, None] - cell.positions, axis=2).min(axis=1)
        found.append(perfect.get_distance(*np.flatnonzero(apart > 0.1), mic=True))
    np.testing.assert_allclose(found, distances, atol=2e-4)


def test_interstitials_are_pushed_to_where_they_relax(context, lattice):
    for cell in make(context, "interstitials", supercell=[3, 3, 3]):
        assert len(cell) == 28
        nearest = shortest_distance(cell) / lattice.nearest_neighbour
        assert 0.85 - 1e-5 < nearest < 0.88


def test_two_atoms_are_pushed_apart_along_their_line():
    atoms = Atoms("W2", positions=[[0, 0, 0], [1.0, 0, 0]], cell=[9, 9, 9], pbc=True)
    apart = pushed_apart(atoms, 2.0).positions
    assert 2.0 <= apart[1, 0] - apart[0, 0] <= 2.02 + 1e-12
    assert apart[:, 0].mean() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="do not fit 5.00 Å apart"):
        pushed_apart(Atoms("W2", positions=[[0, 0, 0], [1, 1, 0]], cell=[4] * 3, pbc=True), 5.0)


def test_dislocations_are_in_elastic_equilibrium_outside_their_core(context, lattice):
    (cell,) = make(context, "dislocation", radius=14)
    assert cell.cell.lengths()[2] == pytest.approx(lattice.nearest_neighbour, abs=1e-5)
    (result,) = lammps_library.evaluate([cell], ZHOU["pair_style"], ZHOU["pair_coeff"])
    forces = np.linalg.norm(result.forces, axis=1)
    from_axis = np.linalg.norm((cell.positions - cell.positions.mean(axis=0))[:, :2], axis=1)
    between = (from_axis > 4) & (from_axis < from_axis.max() - 5)  # core and surface have forces
    assert between.sum() > 20
    assert forces[between].max() < 0.1 < forces[from_axis < 4].max()


def test_groups_for_bcc_only_say_so():
    with pytest.raises(
        ValueError, match="dislocation are made for bcc only, the reference lattice is fcc"
    ):
        check_groups({"dislocation": {}}, "fcc")
    check_groups(GROUPS, "bcc")


def test_debye_amplitude_of_tungsten(lattice):
    # <u^2> of one coordinate of W at 300 K, Debye temperature 310 K
    # (the high-temperature Debye formula evaluated by hand with hbar^2/(k_B amu) = 48.5 Å^2 K)
    variance = debye_amplitude(lattice.primitive(), 300, 310) ** 2
    assert variance == pytest.approx(3 * 48.5087 * 300 / (183.84 * 310**2), rel=1e-3)


@pytest.fixture
def instance():
    lammps = lammps_library.start()
    yield lammps
    lammps.close()


def test_dynamics_has_its_temperature(context, instance):
    atoms, rng = crystal(context.lattice, "bcc").repeat(3), np.random.default_rng(3)
    potential = Potential(ZHOU["pair_style"], ZHOU["pair_coeff"], 2.0)
    temperatures = []
    for _ in range(45):
        advance(instance, atoms, potential, 1000, 200, rng)
        temperatures.append(atoms.get_kinetic_energy() / (1.5 * len(atoms) * units.kB))
    # 30 snapshots of 27 atoms: 2.9 % is one standard error if they are independent
    assert np.mean(temperatures[15:]) == pytest.approx(1000, rel=4 * 0.029)


def test_dynamics_forgets_the_last_digits(context, instance):
    """What differs between processors, a last digit, is gone at the next snapshot."""
    potential = Potential(ZHOU["pair_style"], ZHOU["pair_coeff"], 2.0)
    final = []
    for noise in (0.0, 1e-14):
        atoms, rng = crystal(context.lattice, "bcc").repeat(2), np.random.default_rng(3)
        atoms.positions += noise * np.random.default_rng(0).normal(size=(8, 3))
        for _ in range(10):
            advance(instance, atoms, potential, 5000, 500, rng)
        final.append(atoms.positions)
    assert np.array_equal(*final)


def test_stages_last_as_long_as_they_are_asked_to(context, monkeypatch):
    run = []

    def note(instance, atoms, potential, temperature, time, rng):
        run.append((temperature, time))

    monkeypatch.setattr(dynamics, "advance", note)
    times = {"melting": [8000, 400], "equilibration": 2500, "interval": 1000, "snapshots": 2}
    RECIPES["liquid"](context, **GROUPS["liquid"] | times)
    assert run == [(8000, 400), *((5000, time) for time in (1000, 1000, 500, 1000, 1000))]
    run.clear()
    RECIPES["liquid"](context, **GROUPS["liquid"] | times | {"melting": [8000, 2000.5]})
    assert run[:3] == [(8000, 1000), (8000, 1000), (5000, 1000)]  # 0.5 fs is no time step


def test_dynamics_that_falls_below_the_floor_is_said(lattice):
    strict = Context(lattice, 2.7, 1, "expert")
    with pytest.raises(ValueError, match="only . of 20 snapshots at 5000 K keep their atoms 2.7 Å"):
        make(strict, "liquid")


def test_clusters_hang_together_in_vacuum(context, lattice):
    for cell in make(context, "clusters", sizes=[2, 8]):
        size = int(cell.info["trajectory"].split("_")[1])
        distances = cell.get_all_distances()
        bonds = (distances < 1.3 * lattice.nearest_neighbour + 1e-5).astype(int)
        assert len(cell) == size
        assert (np.linalg.matrix_power(bonds, size) > 0).all()  # all atoms are connected
        spans = np.ptp(cell.positions, axis=0)
        np.testing.assert_allclose(cell.cell.lengths() - spans, 8, atol=1e-5)


def test_contacts_are_between_floor_and_their_limit(context):
    shortest = [shortest_distance(cell) for cell in make(context, "contacts", repeats=30)]
    assert min(shortest) >= 2.1
    assert max(shortest) <= 2.5
    assert np.ptp(shortest) > 0.2
