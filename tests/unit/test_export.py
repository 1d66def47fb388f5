"""Exported potentials against the models that were trained: equal, or refused."""

import numpy as np
import pytest

from diverse import lammps_library
from diverse.models.export import ExportError, check_export, lammps_commands
from diverse.models.trained import load_trained, save_trained
from model_cases import CUTOFF, FAMILIES, ZBL_W, make_model

LAST_NUMBER = {"linear": "snapcoeff", "quadratic": "snapcoeff", "network": "nn", "pod": "podcoeff"}


@pytest.fixture
def exported(request, tmp_path):
    """Return a trained model of a family as it was kept, beside its files in `tmp_path`."""
    model = make_model(request.param)
    model.write(tmp_path, "W", CUTOFF)
    save_trained(model, tmp_path / "trained.npz")
    return load_trained(tmp_path / "trained.npz")


def check(model, folder, cells):
    return check_export(model, folder, cells, cutoff=CUTOFF, zbl=ZBL_W)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_trained_model_is_kept_to_the_last_bit(family, tmp_path):
    model = make_model(family)
    save_trained(model, tmp_path / "trained.npz")
    kept = load_trained(tmp_path / "trained.npz")
    assert vars(kept).keys() == vars(model).keys()
    for name, value in vars(model).items():
        np.testing.assert_equal(getattr(kept, name), value)


@pytest.mark.parametrize("exported", FAMILIES, indirect=True)
def test_exports_equal_the_models(exported, tmp_path, labelled):
    differences, predictions = check(exported, tmp_path, labelled[:5])
    assert predictions.forces.shape == (sum(map(len, labelled[:5])), 3)
    assert differences["key"].tolist() == [cell.info["key"] for cell in labelled[:5]]
    assert differences["energy_difference"].max() <= 1e-8
    assert differences["force_difference"].max() <= 1e-6


@pytest.mark.parametrize("exported", FAMILIES, indirect=True)
def test_other_units_are_refused_by_lammps(exported, tmp_path, labelled, monkeypatch):
    """Files from before the tag are read all the same, and LAMMPS takes them for any units."""
    pair = lammps_commands(exported, str(tmp_path), ZBL_W)
    cells = labelled[:1]
    (tagged,) = lammps_library.evaluate(cells, *pair)
    monkeypatch.setattr(lammps_library, "start", in_real_units(lammps_library.start))
    with pytest.raises(Exception, match=r"requires metal units but real units are in use"):
        lammps_library.evaluate(cells, *pair)
    for path in tmp_path.glob("potential.*"):
        path.write_text(path.read_text().replace(" UNITS: metal", "").replace("# POD\n", ""))
    monkeypatch.undo()
    (untagged,) = lammps_library.evaluate(cells, *pair)
    assert untagged.energy == tagged.energy
    check(exported, tmp_path, labelled[:2])


def in_real_units(start):
    """Return a start of LAMMPS instances that take real units for metal ones."""

    def started():
        instance = start()
        commands = instance.commands_list
        instance.commands_list = lambda lines: commands(
            [line.replace("units metal", "units real") for line in lines]
        )
        return instance

    return started


@pytest.mark.parametrize("exported", ["network"], indirect=True)
def test_mliap_is_begun_anew_for_each_cell(exported, tmp_path, labelled, monkeypatch):
    """Kept from cell to cell, it corrupts memory now and then: a crash after a hundred cells."""
    loaded = []

    def load_cell(instance, atoms, *pair):
        loaded.append(atoms)
        return original(instance, atoms, *pair)

    original = lammps_library.load_cell
    monkeypatch.setattr(lammps_library, "load_cell", load_cell)
    check(exported, tmp_path, labelled[:3])
    assert loaded == labelled[:3]


@pytest.mark.parametrize(
    ("exported", "family"), [(name, name) for name in FAMILIES], indirect=["exported"]
)
def test_one_changed_coefficient_is_refused(exported, family, tmp_path, labelled):
    path = tmp_path / f"potential.{LAST_NUMBER[family]}"
    *lines, last = path.read_text().splitlines()
    *numbers, changed = last.split()
    lines.append(" ".join([*numbers, repr(float(changed) * 1.0001)]))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ExportError, match="differs from the model that was trained by .* eV/atom"):
        check(exported, tmp_path, labelled[:5])


@pytest.mark.parametrize("exported", ["network"], indirect=True)
def test_another_cutoff_is_refused(exported, tmp_path, labelled):
    path = tmp_path / "potential.descriptor"
    path.write_text(path.read_text().replace(f"rcutfac {CUTOFF}", "rcutfac 4.7"))
    with pytest.raises(ExportError, match="its files were changed, or the export is wrong"):
        check(exported, tmp_path, labelled[:5])
