"""Properties of potentials, against published values, closed forms and other ways to the same."""

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential
from ase.eos import birchmurnaghan
from ase.units import GPa

from diverse.labels.ledger import Ledger
from diverse.labels.pool import Effort
from diverse.physics import PhysicsError
from diverse.physics.calculators import LabellerCalculator, check_forces, energy_of
from diverse.physics.crystal import (
    Crystal,
    bain_path,
    birch_murnaghan,
    equation_of_state,
    structure_energy,
)
from diverse.physics.defects import (
    _neighbour,
    _vacancy,
    divacancy_binding,
    interstitial,
    vacancy_formation,
    vacancy_migration,
)
from diverse.physics.dimer import dimer_curve
from diverse.physics.elastic import elastic_constants
from diverse.physics.properties import COLUMNS, definitions, measure_properties, properties
from diverse.physics.relaxation import relaxed
from diverse.physics.surfaces import gamma_line, surface_energy
from diverse.physics.vibrations import (
    _frequencies,
    _phonon,
    phonon_frequencies,
    phonon_rows,
    special_points,
    supercell_repeats,
    thermal_expansion,
)
from diverse.structures import ReferenceLattice
from physics_cases import COPPER, MAGNESIUM, POTENTIALS, TUNGSTEN, calculator_of, crystal_of
from zhou_eam import NEAREST, zhou_energy

# Lattice constant of the example that the authors of the potential gave to LAMMPS
# (examples/snap/in.snap.W.2940).
SNAP_LATTICE = 3.1803


class Broken(Calculator):
    """Return the energy and force that it is given, whatever the cell."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, energy, force):
        super().__init__()
        self.energy, self.force = energy, force

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        forces = np.full((len(atoms), 3), self.force)
        self.results = {"energy": self.energy, "forces": forces, "stress": np.zeros(6)}


class Rough(Broken):
    """Return another force each time."""

    def calculate(self, *arguments, **keywords):
        self.force = np.random.default_rng(int(1e6 * abs(self.force))).uniform(0.1, 0.2)
        super().calculate(*arguments, **keywords)


class Trap(Calculator):
    """A potential with a well of 3 eV at a place that draws one atom of a cell with a vacancy."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, potential, atom, place, size):
        super().__init__()
        self.potential, self.atom, self.place, self.size = potential, atom, place, size

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.potential.calculate(atoms)
        self.results = dict(self.potential.results)
        if len(atoms) == self.size:
            away, width = atoms.positions[self.atom] - self.place, 0.3
            well = 3 * np.exp(-(away @ away) / (2 * width**2))
            forces = self.results["forces"].copy()
            forces[self.atom] -= well * away / width**2
            self.results |= {"energy": self.results["energy"] - well, "forces": forces}


@pytest.fixture(scope="module")
def zhou():
    return crystal_of("zhou")


def test_zhou_has_the_lattice_constant_it_was_made_with(zhou):
    assert zhou.lattice.a == pytest.approx(2 * NEAREST / 3**0.5, abs=1e-4)


def test_zhou_has_the_elastic_constant_of_its_paper(zhou):
    """The paper's formulas, summed over neighbours and differentiated, against file and LAMMPS."""
    step, energies = 2e-3, []
    for strain in (-step, 0, step):
        atoms = zhou.primitive.copy()
        atoms.set_cell(atoms.cell.array @ np.diag([1 + strain, 1, 1]), scale_atoms=True)
        energies.append(zhou_energy(atoms))
    expected = np.diff(energies, 2)[0] / step**2 / zhou.primitive.get_volume() / GPa
    assert elastic_constants(zhou).rows["C11"] == pytest.approx(expected, rel=5e-3)


def test_zhou_has_the_vacancy_of_its_paper(zhou):
    """The paper's formulas at the relaxed positions, where forces vanish."""
    atoms, _ = _vacancy(zhou)
    expected = zhou_energy(atoms) - len(atoms) * zhou_energy(zhou.primitive)
    assert vacancy_formation(zhou).rows["vacancy formation"] == pytest.approx(expected, abs=5e-3)


def test_snap_has_the_lattice_constant_of_its_authors():
    assert crystal_of("snap").lattice.a == pytest.approx(SNAP_LATTICE, abs=3e-4)


@pytest.mark.parametrize("name", ["zhou", "snap"])
def test_elastic_constants_are_curvatures_of_the_energy(name):
    """Energies under three strains, differentiated twice, give what slopes of stresses give."""
    crystal = crystal_of(name)
    found = elastic_constants(crystal).rows
    modes = {  # strain, and its energy density over the strain squared
        "C11": (np.diag([1, 0, 0]), lambda c: c["C11"] / 2),
        "C12": (np.diag([1, -1, 0]), lambda c: c["C11"] - c["C12"]),
        "C44": (np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]) / 2, lambda c: c["C44"] / 2),
    }
    step, volume = 2e-3, crystal.primitive.get_volume()
    for name, (mode, density) in modes.items():
        energies = []
        for strain in (-step, 0, step):
            atoms = crystal.primitive.copy()
            atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain * mode), scale_atoms=True)
            energies.append(energy_of(atoms, crystal.calculator))
        curvature = np.diff(energies, 2)[0] / step**2 / volume / GPa
        assert 2 * density(found) == pytest.approx(curvature, rel=5e-3), name


def test_bulk_modulus_is_that_of_the_elastic_constants():
    crystal = crystal_of("snap")
    constants = elastic_constants(crystal).rows
    expected = (constants["C11"] + 2 * constants["C12"]) / 3
    assert equation_of_state(crystal).rows["bulk modulus"] == pytest.approx(expected, rel=0.01)


def test_birch_murnaghan_finds_what_it_was_made_from():
    volumes = np.linspace(13, 19, 17)
    energies = birchmurnaghan(volumes, -8.0, 1.9, 4.2, 16.1)
    assert birch_murnaghan(volumes, energies) == pytest.approx((16.1, -8.0, 1.9), rel=1e-5)
    with pytest.raises(PhysicsError, match="has no minimum"):
        birch_murnaghan(volumes, np.sort(energies))


def test_the_bain_path_ends_at_fcc(zhou):
    """At the volume of bcc, so never below the energy of fcc at its own volume."""
    found = bain_path(zhou)
    curve = dict(zip(found.curve.x, found.curve.lines[0], strict=True))
    assert curve[1.0] == pytest.approx(0, abs=1e-6)
    assert found.rows["Bain path fcc"] > structure_energy("fcc", zhou).rows["fcc energy"] > 0


def test_vacancies_of_tungsten(zhou):
    formation = vacancy_formation(zhou).rows["vacancy formation"]
    unrelaxed = zhou.supercell(12.0)
    del unrelaxed[0]
    ideal = energy_of(unrelaxed, zhou.calculator) - len(unrelaxed) * zhou.energy
    assert 0.9 * ideal < formation < ideal
    assert 0 < divacancy_binding(1, zhou).rows["divacancy 1 binding"] < formation


def test_the_path_of_a_vacancy_is_symmetric(zhou):
    found = vacancy_migration(zhou)
    path = np.array(found.curve.lines[0])
    assert found.rows["vacancy migration"] == path.max() > 1
    assert path[-1] == pytest.approx(0, abs=1e-3)


def test_a_path_that_slides_off_has_no_barrier(zhou):
    """Half-way the atom falls into a well: the vacancy that it starts from is not the lowest."""
    perfect = zhou.supercell(12.0)
    atom = _neighbour(perfect, 1)
    half = 0.5 * perfect.get_distance(atom, 0, mic=True, vector=True)
    place = perfect.positions[atom] + half
    trap = Trap(zhou.calculator, atom - 1, place, len(perfect) - 1)
    with pytest.raises(PhysicsError, match="slides off: it goes down to -"):
        vacancy_migration(Crystal(TUNGSTEN, trap))


def test_a_lattice_that_is_not_stable_says_so():
    crystal = crystal_of("unstable")
    found = elastic_constants(crystal).rows | phonon_frequencies(crystal).rows
    assert found["C11"] < found["C12"]
    assert found["phonon lowest"] < -1
    assert structure_energy("fcc", crystal).rows["fcc energy"] < 0
    with pytest.raises(PhysicsError, match="is not stable: the atom leaves its site"):
        interstitial("octahedral", crystal)


def test_fcc_metals_have_planes_and_faults_of_their_own():
    crystal = crystal_of("copper")
    energies = {name: surface_energy(name, crystal).rows[f"surface {name}"] for name in
                ("100", "110", "111")}  # fmt: skip
    assert min(energies, key=energies.get) == "111"
    assert (
        bain_path(crystal).rows["Bain path bcc"]
        > structure_energy("bcc", crystal).rows["bcc energy"]
    )
    assert gamma_line("111", crystal).rows["gamma line 111"] > 0
    names = [name for entry in properties(COPPER) for name in entry.units]
    assert "gamma line 112" not in names
    with pytest.raises(PhysicsError, match="does not apply: the lattice is fcc, not bcc"):
        interstitial("111", crystal)


def test_interstitials_are_dumbbells_and_sites(zhou):
    energies = {
        kind: interstitial(kind, zhou).rows[f"interstitial {kind}"]
        for kind in ("111", "110", "octahedral")
    }
    assert min(energies.values()) > vacancy_formation(zhou).rows["vacancy formation"]
    assert len({round(energy, 3) for energy in energies.values()}) == 3


def test_surfaces_cost_what_their_bonds_do(zhou):
    """The closest-packed surface of bcc costs least."""
    energies = {facet: surface_energy(facet, zhou).rows[f"surface {facet}"] for facet in
                ("100", "110", "112")}  # fmt: skip
    assert min(energies, key=energies.get) == "110"
    assert all(1 < energy < 5 for energy in energies.values())


def test_gamma_lines_begin_and_end_in_the_crystal(zhou):
    found = gamma_line("110", zhou)
    line = found.curve.lines[0]
    assert line[0] == 0
    assert line[-1] == pytest.approx(0, abs=1e-4)
    assert found.rows["gamma line 110"] == max(line) == line[len(line) // 2]


def test_crystals_expand(zhou):
    found = thermal_expansion(zhou).rows
    lengths = [found[f"expansion {t} K"] for t in (300, 1000, 2000)]
    assert 0 < lengths[0] < lengths[1] < lengths[2] < 3


def test_phonons_of_bcc(zhou):
    found = phonon_frequencies(zhou)
    bands = np.array(found.curve.lines)
    place = np.abs(np.array(found.curve.x) - dict(found.curve.ticks)["H"]).argmin()
    assert bands[:, place] == pytest.approx(found.rows["phonon H"], abs=1e-3)
    assert list(found.rows) == list(phonon_rows(TUNGSTEN))
    assert found.rows["phonon lowest"] == pytest.approx(0, abs=1e-3)
    assert found.curve.ticks[0] == ("G", 0)


@pytest.mark.parametrize(
    ("lattice", "repeats"),
    [
        (TUNGSTEN, [8, 8, 8]),
        (COPPER, [8, 8, 8]),
        (MAGNESIUM, [6, 6, 4]),
        (ReferenceLattice("In", "bct", 3.25, 4.95), [8, 8, 8]),
    ],
)
def test_waves_of_special_points_repeat_in_the_supercell_of_phonons(lattice, repeats):
    assert supercell_repeats(lattice).tolist() == repeats
    if lattice.structure != "bct":  # where some points are no fractions
        phases = np.array(list(special_points(lattice).values())) * repeats
        np.testing.assert_allclose(phases, phases.round(), atol=1e-9)


def test_phonons_at_special_points_are_those_of_a_larger_supercell():
    """The force constants of this potential reach 9.5 Å, less than half the supercell."""
    crystal = crystal_of("snap")
    larger = _phonon(crystal.primitive, crystal.calculator, np.array([12, 12, 12]))
    points = special_points(TUNGSTEN)
    found = phonon_frequencies(crystal).rows
    exact = dict(zip(points, _frequencies(larger, np.array([*points.values()])), strict=True))
    assert found["phonon H"] == pytest.approx(exact["H"], rel=1e-4)
    assert found["phonon P"] == pytest.approx(exact["P"], rel=1e-4)
    ends = [found["phonon N low"], found["phonon N high"]]
    assert ends == pytest.approx(exact["N"][[0, -1]], rel=1e-4)


def test_the_dimer_of_a_morse_potential_is_its_minimum():
    nearest = TUNGSTEN.nearest_neighbour
    morse = MorsePotential(epsilon=2.0, r0=nearest, rho0=6.0, rcut1=3 * nearest, rcut2=4 * nearest)
    found = dimer_curve(Crystal(TUNGSTEN, morse)).rows
    assert found["dimer length"] == pytest.approx(nearest, abs=0.05)
    assert found["dimer energy"] == pytest.approx(-2.0, abs=0.01)


def test_the_minimum_of_a_dimer_lies_between_points_of_its_curve():
    """Points are 0.069 Å apart, and this minimum is in the middle of two."""
    bond = (0.6 + 1.8 / 72 * 20.5) * TUNGSTEN.nearest_neighbour
    morse = MorsePotential(epsilon=2.0, r0=bond, rho0=4.0, rcut1=4 * bond, rcut2=5 * bond)
    found = dimer_curve(Crystal(TUNGSTEN, morse)).rows
    assert found["dimer length"] == pytest.approx(bond, abs=0.005)
    assert found["dimer energy"] == pytest.approx(-2.0, abs=0.002)


def test_hexagonal_metals_have_their_own_constants():
    crystal = crystal_of("magnesium")
    assert crystal.lattice.c / crystal.lattice.a == pytest.approx(1.628, abs=0.005)
    assert set(elastic_constants(crystal).rows) == {"C11", "C12", "C13", "C33", "C44"}
    basal, prism = (surface_energy(name, crystal).rows for name in ("0001", "10-10"))
    assert basal["surface 0001"] < prism["surface 10-10"]
    with pytest.raises(PhysicsError, match="does not apply: the lattice is hcp"):
        interstitial("111", crystal)


def test_atoms_of_hexagonal_cells_relax_under_strain():
    """The curvature of energies relaxed to 1e-6 eV/Å; with atoms held, C11 is 1.1 % higher."""
    crystal = crystal_of("magnesium")
    step, energies = 2e-3, []
    for strain in (-step, 0, step):
        atoms = crystal.primitive.copy()
        atoms.set_cell(atoms.cell.array @ np.diag([1 + strain, 1, 1]), scale_atoms=True)
        energies.append(relaxed(atoms, crystal.calculator, force=1e-6).get_potential_energy())
    curvature = np.diff(energies, 2)[0] / step**2 / crystal.primitive.get_volume() / GPa
    assert elastic_constants(crystal).rows["C11"] == pytest.approx(curvature, rel=2e-3)


def test_what_fails_is_a_row_with_its_reason():
    """Nothing binds: no property but the dimer's has a value, and the table is whole."""
    repulsive = LennardJones(sigma=8.0, epsilon=0.01, rc=12.0)
    table, curves = measure_properties(TUNGSTEN, repulsive, largest=4)
    assert list(table) == COLUMNS
    assert table["property"].is_unique
    missing = table[table["value"].isna()]
    assert (missing["reason"] != "").all()
    reasons = missing.set_index("property")["reason"]
    assert reasons["lattice constant a"].startswith("the energy has no minimum")
    assert reasons["vacancy formation"].startswith("not computed")
    assert len(table) == sum(len(entry.units) for entry in properties(TUNGSTEN))
    assert set(curves) <= set(table["property"])


@pytest.mark.parametrize(
    ("energy", "force", "words"),
    [(np.nan, 0.0, "not finite"), (0.0, np.inf, "not finite"), (0.0, 1e9, "a force of 1e\\+09")],
)
def test_potentials_that_explode(energy, force, words):
    with pytest.raises(PhysicsError, match=f"the potential explodes: .*{words}"):
        check_forces(energy, np.array([[force, 0, 0]]))
    table, _ = measure_properties(TUNGSTEN, Broken(energy, force), largest=2)
    assert table["reason"].str.contains("explodes").sum() > 5


def test_a_calculator_without_stress_is_rows_with_reasons(zhou):
    """Its lattice cannot relax, so that all but the dimer has no value."""

    class NoStress(Trap):
        def calculate(self, *arguments, **keywords):
            super().calculate(*arguments, **keywords)
            del self.results["stress"]

    table, _ = measure_properties(TUNGSTEN, NoStress(zhou.calculator, 0, 0, 0), largest=1)
    reasons = table.set_index("property")["reason"]
    assert reasons["lattice constant a"] == "does not apply: the calculator has no stress"
    assert reasons["C11"] == reasons["lattice constant a"]


def test_a_relaxation_that_does_not_end(zhou):
    with pytest.raises(PhysicsError, match="not converged: .* eV/Å are left after 400 steps"):
        relaxed(zhou.supercell(3.0), Rough(0.0, 0.1))


def test_lattices_from_a_file_have_no_planes(zhou, tmp_path):
    path = tmp_path / "lattice.xyz"
    zhou.primitive.write(path)
    crystal = Crystal(ReferenceLattice("W", file=str(path)), zhou.calculator)
    assert crystal.energy == pytest.approx(zhou.energy, abs=1e-6)
    with pytest.raises(PhysicsError, match="comes from a file"):
        surface_energy("110", crystal)
    assert vacancy_formation(crystal).rows["vacancy formation"] > 0


@pytest.mark.parametrize("lattice", [TUNGSTEN, MAGNESIUM, COPPER])
def test_every_row_has_a_definition_of_whole_sentences(lattice):
    for name, text in definitions(lattice, (2000, 4000)).items():
        assert text[0].isupper(), name
        assert text.endswith("."), name
        assert len(text) > 60, name
        assert "Return" not in text, name


def test_hexagonal_rows_name_both_axes():
    names = [name for entry in properties(MAGNESIUM) for name in entry.units]
    assert names[:2] == ["lattice constant a", "lattice constant c"]
    assert "hcp energy" not in names


def test_labels_of_a_ledger_are_found_again(zhou, tmp_path):
    calculator = calculator_of(*POTENTIALS["zhou"])
    ledger, log = Ledger(tmp_path / "ledger.xyz"), tmp_path / "log"
    through = LabellerCalculator(calculator.labeller, log, ledger)
    first = energy_of(zhou.primitive, through)
    assert first == pytest.approx(energy_of(zhou.primitive, calculator), abs=1e-4)
    before = (tmp_path / "ledger.xyz").read_bytes()
    energy_of(zhou.primitive, LabellerCalculator(calculator.labeller, log, ledger))
    assert (tmp_path / "ledger.xyz").read_bytes() == before


def test_no_label_is_begun_after_the_time_limit(zhou, tmp_path):
    ledger, log = Ledger(tmp_path / "ledger.xyz"), tmp_path / "log"
    late = LabellerCalculator(zhou.calculator.labeller, log, ledger, Effort(time_limit=1e-9))
    with pytest.raises(PhysicsError, match="not computed: the time limit is reached and 1 of 1"):
        energy_of(zhou.primitive, late)
    energy_of(zhou.primitive, LabellerCalculator(zhou.calculator.labeller, log, ledger))
    assert energy_of(zhou.primitive, late) == pytest.approx(zhou.energy, abs=1e-4)
