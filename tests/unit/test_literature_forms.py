"""Forms of published sets: the same cells from each, and what cannot be read."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect

from diverse.datasets.literature.fetch import SourceError, file_hash, locate
from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.records import read_records
from literature_sources import FORMS, make_cells, write_source, xyz_frame


def load(path, **options):
    settings = {"dataset": "d", "element": "W", "protocol": "p", "block": 20, "reach": 4.8}
    return import_records(read_records(path, options.pop("keys", None)), **settings | options)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_cells(form, tmp_path):
    truth = make_cells(6)
    cells, problems = load(write_source(form, tmp_path, truth))
    assert problems.empty, problems.to_string()
    assert len(cells) == len(truth)
    for cell, atoms in zip(cells, truth, strict=True):
        results = atoms.calc.results
        assert list(cell.symbols) == list(atoms.symbols)
        np.testing.assert_allclose(cell.cell.array, atoms.cell.array, atol=1e-6)
        np.testing.assert_allclose(cell.positions, atoms.positions, atol=2e-6)
        free_energy = cell.get_potential_energy(force_consistent=True)
        assert free_energy == pytest.approx(results["energy"], abs=1e-7)
        np.testing.assert_allclose(cell.get_forces(), results["forces"], atol=1e-7)
        np.testing.assert_allclose(cell.get_stress(), results["stress"], atol=1e-7)
        expected = {"vasprun": "vasprun", "outcar": "OUTCAR"}
        if form not in expected:
            assert cell.info["config_type"] == "bulk"


@pytest.mark.parametrize("form", [form for form in FORMS if form != "xyz"])
def test_keys_choose_in_xyz_alone(form, tmp_path):
    truth = make_cells(3)
    with pytest.raises(SourceError, match="holds no XYZ file, which alone has keys to choose"):
        load(write_source(form, tmp_path, truth), keys={"energy": "E", "forces": "F"})


def test_beside_xyz_records_of_other_forms_say_that_keys_choose_nothing(tmp_path):
    truth = make_cells(6)
    write_source("db", tmp_path, truth[:3])
    (tmp_path / "set.xyz").write_text("".join(xyz_frame(a, energy="E") for a in truth[3:]))
    cells, problems = load(tmp_path, keys={"energy": "E", "stress": "stress"})
    assert len(cells) == len(truth)
    said = problems.set_index("record")["problem"]
    assert set(said) == {"it is no XYZ: keys in the study file choose nothing here"}
    assert len(said) == 3


def test_a_row_of_a_database_says_which_labels_it_holds(tmp_path):
    (atoms,) = make_cells(1)
    atoms.calc = SinglePointCalculator(atoms, energy=-3.0)
    for name in ("set.json", "set.db"):
        connect(tmp_path / name, use_lock_file=False).write(atoms)
        with pytest.raises(ValueError, match="has no forces; it holds energy"):
            load(tmp_path / name)


def test_the_checksum_of_a_folder_is_checked(tmp_path):
    folder = write_source("deepmd", tmp_path, make_cells(2))
    assert locate(str(folder), file_hash(folder), tmp_path) == folder
    with pytest.raises(SourceError, match="has SHA-256"):
        locate(str(folder), "0" * 64, tmp_path)
