"""Reference lattices of every metal, and the expert's cells of a hexagonal one."""

from collections import Counter

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.io import write

from diverse.generate.expert import RECIPES, check_groups, expert_cells
from diverse.generate.expert.context import Context
from diverse.generate.expert.crystals import CLOSE_PACKED, crystal
from diverse.generate.expert.surfaces import primitive_slab
from diverse.kernel import BispectrumSettings
from diverse.neighbours import find_pairs, shortest_distance
from diverse.structures import ReferenceLattice
from diverse.structures.lattices import LatticeError, primitive_cell, read_lattice
from paths import ROOT

A, C = 3.184, 5.184
MAGNESIUM = ReferenceLattice("Mg", "hcp", A, C)
LATTICES = {  # constants, atoms of the primitive and conventional cell, neighbours, their distance
    "bcc": ((3.0, None), (1, 2), 8, 3**0.5 / 2 * 3.0),
    "fcc": ((3.0, None), (1, 4), 12, 3.0 / 2**0.5),
    "sc": ((3.0, None), (1, 1), 6, 3.0),
    "diamond": ((3.0, None), (2, 8), 4, 3**0.5 / 4 * 3.0),
    "hcp": ((3.0, 4.8), (2, 4), 6, np.hypot(3.0 / 3**0.5, 2.4)),
    "bct": ((3.0, 3.3), (1, 2), 8, np.sqrt(3.0**2 / 2 + 3.3**2 / 4)),
}


@pytest.fixture(params=LATTICES)
def structure(request):
    return request.param


@pytest.fixture
def reference(structure):
    return ReferenceLattice("Mg", structure, *LATTICES[structure][0])


def test_lattices_have_their_cells_and_neighbours(structure, reference):
    _, sizes, neighbours, shell = LATTICES[structure]
    cells = reference.primitive(), reference.conventional()
    assert tuple(map(len, cells)) == sizes
    assert reference.nearest_neighbour == pytest.approx(shell)
    for atoms in cells:
        assert atoms.get_volume() / len(atoms) == pytest.approx(reference.volume_per_atom)
        pairs = find_pairs([atoms], 1.001 * shell)
        assert np.diff(pairs.first).tolist() == [neighbours] * len(atoms)
    assert np.allclose(cells[1].cell.angles(), 90)


def test_the_reference_lattice_is_a_crystal_of_its_own_at_volume_one(structure, reference):
    for name in (structure, "reference"):
        atoms = crystal(reference, name)
        assert atoms.get_volume() / len(atoms) == pytest.approx(reference.volume_per_atom)
        assert shortest_distance(atoms) == pytest.approx(reference.nearest_neighbour)


@pytest.mark.parametrize("element", ["Sn", "In", "W"])
def test_bct_has_one_atom_whatever_the_element_is(element):
    lattice = ReferenceLattice(element, "bct", 3.0, 3.3)
    conventional = lattice.conventional()
    volume = conventional.get_volume() / len(conventional)
    assert lattice.volume_per_atom == pytest.approx(volume)
    other = crystal(ReferenceLattice(element, "bcc", 3.0), "bct")
    assert len(lattice.primitive()) == len(other) == 1


@pytest.mark.parametrize("element", ["Ti", "Zn", "W"])
def test_hcp_as_another_lattice_is_close_packed_whatever_the_element_is(element):
    a, _, c = crystal(ReferenceLattice(element, "bcc", 3.0), "hcp").cell.lengths()
    assert c / a == pytest.approx(CLOSE_PACKED)


@pytest.mark.parametrize("given", ["primitive", "conventional"])
def test_a_structure_file_stands_for_the_lattice(structure, reference, given, tmp_path):
    path = tmp_path / "POSCAR"
    write(path, getattr(reference, given)(), format="vasp")
    read = ReferenceLattice("Mg", file=str(path))
    assert read.structure == "reference"
    assert len(read.primitive()) == len(reference.primitive())
    assert len(read.conventional()) == len(getattr(reference, given)())
    assert read.volume_per_atom == pytest.approx(reference.volume_per_atom)
    assert read.nearest_neighbour == pytest.approx(reference.nearest_neighbour)
    distances = [
        np.sort(find_pairs([crystal(it, "reference", 1.1)], 6.0).distance)
        for it in (read, reference)
    ]
    np.testing.assert_allclose(*distances, atol=1e-6)


def test_the_primitive_cell_of_a_large_supercell_is_found():
    shaken = bulk("Mg", "hcp", a=A, c=C).repeat((2, 3, 2))
    shaken.positions += [0.3, -0.2, 0.1]
    found = primitive_cell(shaken)
    assert len(found) == 2
    assert shortest_distance(found) == pytest.approx(MAGNESIUM.nearest_neighbour)
    whole = bulk("Mg", "hcp", a=A, c=C)
    assert primitive_cell(whole) == whole


@pytest.mark.parametrize("decimals", [4, 5, 8])
@pytest.mark.parametrize("repeats", [(1, 1, 3), (1, 3, 3), (3, 3, 3)])
def test_a_supercell_may_have_its_atoms_to_few_decimals(decimals, repeats):
    large = bulk("W", "bcc", a=3.165).repeat(repeats)
    large.set_scaled_positions(large.get_scaled_positions().round(decimals))
    found = primitive_cell(large)
    assert len(found) == 1
    assert found.get_volume() == pytest.approx(large.get_volume() / len(large), rel=1e-9)
    assert shortest_distance(found) == pytest.approx(3.165 * np.sqrt(3) / 2)


@pytest.mark.parametrize("decimals", [4, 5, 8])
def test_a_rhombohedral_lattice_in_hexagonal_axes_may_have_few_decimals(decimals):
    third = np.array([2, 1, 1]) / 3
    places = [sign * 0.2335 * np.array([0, 0, 1]) + k * third for k in range(3) for sign in (1, -1)]
    antimony = Atoms("Sb6", cell=[4.307, 4.307, 11.273, 90, 90, 120], pbc=True)
    antimony.set_scaled_positions(np.round(np.array(places) % 1, decimals))
    found = primitive_cell(antimony)
    assert len(found) == 2
    assert found.get_volume() == pytest.approx(antimony.get_volume() / 3, rel=1e-9)


def test_atoms_that_repeat_only_roughly_are_refused():
    """Ten times as large, the rounding of thirds lets seven of nine translations pass."""
    large = bulk("W", "bcc", a=31.65).repeat((1, 3, 3))
    large.set_scaled_positions(large.get_scaled_positions().round(4))
    with pytest.raises(LatticeError, match="the 9 atoms of the cell repeat .* only roughly"):
        primitive_cell(large)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no structure file"),
        ("nonsense", "ASE cannot read the structure file"),
        (Atoms("Mg"), "has no three cell vectors"),
        (bulk("W"), "holds W; the element is Mg"),
        (bulk("Mg").repeat(6), "holds 432 atoms; a lattice's cell has 1 to 200"),
    ],
)
def test_files_that_are_no_lattice_are_refused(content, sentence, tmp_path):
    path = tmp_path / "cell.xyz"
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        write(path, content)
    with pytest.raises(LatticeError, match=sentence):
        read_lattice(str(path), "Mg")


def expert_groups():
    study = yaml.safe_load((ROOT / "config/magnesium.yaml").read_text())
    return study["datasets"]["expert"]["groups"]


def test_the_shipped_study_of_magnesium_has_the_cells_of_hcp():
    context = Context(MAGNESIUM, 0.766 * MAGNESIUM.nearest_neighbour, 2022, "expert")
    groups = {name: dict(options) for name, options in expert_groups().items() if name != "md"}
    groups["distorted"] |= {"displacement": 0.0, "variants": ["bulk"]}
    groups["divacancy"]["shells"] = 2
    groups["gamma_surface"]["repeat"] = [1, 1]
    cells = expert_cells(context, groups, BispectrumSettings(4, 5.5))
    assert Counter(cell.info["config_type"] for cell in cells) == {
        **{"eos_hcp": 5, "eos_fcc": 5, "eos_bcc": 5, "elastic": 11, "distorted_hcp": 6},
        **{"thermal": 6, "vacancy": 3, "divacancy": 2},
        **{"surface_0001": 2, "surface_10-10": 2, "surface_10-11": 2},
        **{"gamma_surface_0001": 8, "gamma_surface_10-10": 8, "gamma_surface_vacancy_0001": 3},
    }
    assert min(map(shortest_distance, cells)) >= context.d_min


@pytest.fixture
def context():
    return Context(MAGNESIUM, 2.0, 1, "expert")


def heights(atoms):
    normal = np.cross(*atoms.cell.array[:2])
    return np.sort(atoms.positions @ normal / np.linalg.norm(normal))


@pytest.mark.parametrize(
    ("facet", "gaps"),
    [
        ([0, 0, 0, 1], [C / 2]),
        ([1, 0, -1, 0], [A * 3**0.5 / 6, A * 3**0.5 / 3]),  # narrow, then wide: cut in the wide one
        ([1, 0, 0], [A * 3**0.5 / 6, A * 3**0.5 / 3]),
    ],
)
def test_planes_of_hcp_have_their_spacings(context, facet, gaps):
    options = {"facets": [facet], "layers": 5, "vacuum": 9.0, "repeats": 1, "displacement": 0.0}
    (slab,) = RECIPES["surfaces"](context, **options)
    assert len(slab) == 6  # layers come in pairs
    expected = (gaps * 6)[:5]
    np.testing.assert_allclose(np.diff(heights(slab)), expected, atol=1e-5)


def test_the_fault_of_a_prism_plane_lies_in_its_wide_gap(context):
    options = {"planes": [[1, 0, -1, 0]], "layers": 4, "repeat": [1, 1], "shifts": [2, 1]}
    (fault,) = RECIPES["gamma_surface"](context, **options, displacement=0.0)
    normal = np.cross(*fault.cell.array[:2]) / np.linalg.norm(np.cross(*fault.cell.array[:2]))
    across = fault.cell.array[2] @ normal - np.ptp(heights(fault))
    assert across >= A * 3**0.5 / 3 - 1e-5


@pytest.mark.parametrize(
    ("lattice", "plane"),
    [(MAGNESIUM, [-1, 1, 0, 1]), (ReferenceLattice("Si", "diamond", 5.43), [-2, -1, 1])],
)
def test_a_periodic_slab_has_the_atoms_of_the_slab_and_the_volume_of_the_crystal(lattice, plane):
    slab = primitive_slab(lattice, plane, 4)
    periodic = primitive_slab(lattice, plane, 4, periodic=True)
    np.testing.assert_array_equal(periodic.positions, slab.positions)
    assert periodic.get_volume() / len(periodic) == pytest.approx(lattice.volume_per_atom)


def test_layers_of_a_file_are_whole_where_its_digits_put_them_on_both_sides_of_the_edge(tmp_path):
    places = [
        [0.3333333429999996, 0.6666666870000029, 0.25],
        [0.6666666269999979, 0.3333333129999971, 0.75],
    ]
    shown = ReferenceLattice("Mg", "hcp", 3.2095, 5.2105).primitive()
    shown.set_scaled_positions(places)
    write(tmp_path / "POSCAR", shown, format="vasp", direct=True)
    slab = primitive_slab(ReferenceLattice("Mg", file=str(tmp_path / "POSCAR")), [1, 1, 0], 6)
    atoms = np.bincount(np.rint(heights(slab) / (3.2095 / 2)).astype(int))
    assert atoms.tolist() == [2] * 6


def test_planes_of_a_file_of_many_primitive_cells_have_their_spacing(tmp_path):
    long = bulk("Po", "sc", a=3.35).repeat((5, 1, 1))  # its 111 is 155 of the primitive cell
    write(tmp_path / "POSCAR", long, format="vasp")
    slab = primitive_slab(ReferenceLattice("Po", file=str(tmp_path / "POSCAR")), [1, 1, 1], 4)
    np.testing.assert_allclose(np.diff(heights(slab)), [3.35 / 51**0.5] * 3, atol=1e-5)


def test_the_slab_of_a_left_handed_cell_has_its_vacuum(tmp_path):
    mirrored = MAGNESIUM.primitive()
    mirrored.set_cell(mirrored.cell.array[[1, 0, 2]])  # the same lattice
    assert mirrored.cell.handedness == -1
    write(tmp_path / "POSCAR", mirrored, format="vasp")
    lattice = ReferenceLattice("Mg", file=str(tmp_path / "POSCAR"))
    context = Context(lattice, 2.0, 1, "expert")
    options = {"strain": 0.0, "displacement": 0.0, "repeats": 1, "supercell": [1, 1, 1]}
    variants = {"lattices": ["reference"], "variants": ["bulk", "slab"]}
    whole, slab = RECIPES["distorted"](context, **options, **variants)
    area = np.linalg.norm(np.cross(*whole.cell.array[:2]))
    assert slab.get_volume() - whole.get_volume() == pytest.approx(8.0 * area, rel=1e-5)


@pytest.mark.parametrize("plane", [[1, 1, 1], [1, 0, 0]])
def test_planes_of_fcc_have_their_spacings(plane):
    nickel = ReferenceLattice("Ni", "fcc", 3.52)
    context = Context(nickel, 1.8, 1, "expert")
    options = {"facets": [plane], "layers": 4, "vacuum": 9.0, "repeats": 1, "displacement": 0.0}
    (slab,) = RECIPES["surfaces"](context, **options)
    spacing = 3.52 / (3**0.5 if plane == [1, 1, 1] else 2)
    np.testing.assert_allclose(np.diff(heights(slab)), [spacing] * 3, atol=1e-5)
    options = {"planes": [plane], "layers": 4, "repeat": [1, 1], "shifts": [2, 2]}
    assert len(RECIPES["gamma_surface"](context, **options, displacement=0.0)) == 3


def test_strains_of_hcp_change_its_axial_ratio(context):
    cells = {c.info["trajectory"]: c for c in RECIPES["elastic"](context, strains=[0.02])}
    lengths = {name.split("_", 1)[1]: cell.cell.lengths() for name, cell in cells.items()}
    a, _, c = MAGNESIUM.conventional().cell.lengths()
    assert lengths["uniaxial_z_0.02"][[0, 2]] == pytest.approx([a, 1.02 * c], abs=1e-5)
    assert lengths["tetragonal_0.02"][[0, 2]] == pytest.approx([0.99 * a, 1.02 * c], abs=1e-5)
    assert len(cells) == 7


def test_defects_of_bcc_and_planes_that_are_none_are_refused():
    with pytest.raises(ValueError, match="interstitials are made for bcc only.* lattice is hcp"):
        check_groups({"interstitials": {}}, "hcp")
    with pytest.raises(ValueError, match=r"surfaces: \[0, 0, 0\] is no plane"):
        check_groups({"surfaces": {"facets": [[0, 0, 0]]}}, "hcp")
    for indices, lattice in [([1, 0, -1, 0], "bcc"), ([1, 1, 1, 0], "hcp")]:
        with pytest.raises(ValueError, match="has four indices; they are for hcp"):
            check_groups({"gamma_surface": {"planes": [indices]}}, lattice)


EVERY = {
    "eos": {"lattices": ["reference", "a15"], "volumes": [0.95, 1.05]},
    "elastic": {"strains": [0.02]},
    "distorted": {
        **{"lattices": ["reference"], "supercell": [1, 1, 1]},
        **{"strain": 0.05, "displacement": 0.02, "repeats": 2},
        "variants": ["bulk", "slab"],
    },
    "boundaries": {
        **{"planes": [[1, 1, 2]], "layers": 4, "expansion": 0.8},
        **{"displacement": 0.01, "repeats": 1},
    },
    "thermal": {
        **{"temperatures": [300], "repeats": 1},
        **{"debye_temperature": 300, "supercell": [2, 2, 1]},
    },
    "vacancy": {"supercell": [2, 2, 2], "repeats": 1, "displacement": 0.01},
    "divacancy": {"supercell": [3, 2, 2], "shells": 2, "repeats": 1, "displacement": 0.01},
    "surfaces": {
        **{"facets": [[0, 0, 1], [1, 0, 0], [1, 1, 1]], "layers": 4, "vacuum": 8},
        **{"repeats": 1, "displacement": 0.01},
    },
    "gamma_surface": {
        **{"planes": [[0, 0, 1], [1, 1, 0]], "layers": 4, "repeat": [1, 1]},
        **{"shifts": [2, 2], "displacement": 0.01},
    },
    "clusters": {"sizes": [2, 3], "vacuum": 8, "repeats": 1},
    "contacts": {
        **{"lattices": ["reference"], "supercell": [2, 1, 1]},
        **{"displacement": 0.05, "longest": 2.6, "repeats": 1},
    },
}


def test_every_recipe_is_made_of_every_lattice(reference):
    _made(reference)


def test_every_recipe_is_made_of_a_lattice_of_low_symmetry(tmp_path):
    """The orthorhombic lattice of uranium, with two atoms in its primitive cell."""
    a, b, c, y = 2.854, 5.870, 4.955, 0.1025
    places = [[0, y, 0.25], [0, -y, 0.75], [0.5, 0.5 + y, 0.25], [0.5, 0.5 - y, 0.75]]
    write(tmp_path / "cell.cif", Atoms("U4", scaled_positions=places, cell=[a, b, c], pbc=True))
    uranium = ReferenceLattice("U", file=str(tmp_path / "cell.cif"))
    assert len(uranium.primitive()) == 2
    assert uranium.volume_per_atom == pytest.approx(a * b * c / 4, rel=1e-4)
    elastic = [c for c in _made(uranium) if c.info["config_type"] == "elastic"]
    assert len(elastic) == 7  # no two strains are alike


def _made(lattice):
    floor = round(0.766 * lattice.nearest_neighbour, 2)
    context = Context(lattice, floor, 1, "expert")
    check_groups(EVERY, lattice.structure)
    cells = expert_cells(context, EVERY, BispectrumSettings(4, 1.8 * lattice.nearest_neighbour))
    assert {cell.info["trajectory"].split("_")[0] for cell in cells} == {
        *("eos", "elastic", "distorted", "thermal", "vacancy", "divacancy"),
        *("surface", "gamma", "boundary", "cluster", "contact"),
    }
    assert min(map(shortest_distance, cells)) >= floor
    return cells
