"""Small inputs beside the repository, where they are at hand: one outcome for each."""

import numpy as np
import pytest

from diverse.datasets.literature.complement import complement_cells
from diverse.datasets.literature.fetch import SourceError
from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.records import read_records
from paths import ROOT

CASES = ROOT.parent / "shared/cases"
ROOM = pytest.mark.skipif(not CASES.exists(), reason="the cases are not at hand")
# Cells, cells with stress, records left out, and groups of each case
OUTCOMES = {
    **dict.fromkeys(("plain.xyz", "virials_forces.xyz", "mace_ref.xyz"), (8, 8, 0, {"bulk"})),
    **dict.fromkeys(("js_plain", "js_kB", "js_latin1", "js_mac"), (8, 8, 0, {"bulk"})),
    **dict.fromkeys(("js_nonum", "js_brace", "js_upper", "js_voigt"), (8, 8, 0, {"bulk"})),
    **dict.fromkeys(("js_mac.tar.gz", "js_plain.zip", "dft_keys.xyz"), (8, 8, 0, {"bulk"})),
    **dict.fromkeys(("js_null", "js_nulln"), (7, 7, 1, {"bulk"})),
    "js_emptystress": (8, 7, 0, {"bulk"}),
    "js_kbar": (8, 0, 0, {"bulk"}),  # its numbers are bar: a thousand times -dE/dV, missing
    "js_flat.tar.gz": (8, 8, 0, {"js_flat"}),
    **dict.fromkeys(("Energy_cap.xyz", "free_only.xyz", "bom.xyz"), (8, 0, 0, {"bulk"})),
    **dict.fromkeys(("blank_between.xyz", "latin1.xyz", "d_exponent.xyz"), (8, 0, 0, {"bulk"})),
    "none_energy.xyz": (7, 0, 1, {"bulk"}),
    "truncated.xyz": (7, 0, 1, {"bulk"}),
    "cluster_tight_FFF.xyz": (9, 0, 0, {"bulk", "cluster"}),
    "slab_TTF.xyz": (9, 0, 0, {"bulk", "slab"}),
    "gap_w.xyz": (8, 8, 0, {"md_bulk", "slice_sample"}),
    "nep.xyz": (8, 8, 0, {"nep"}),
    "numeric_group.xyz": (8, 0, 0, {"300", "600"}),
    "xyz_folder": (8, 8, 8, {"bulk"}),  # its files hold the same structures in other groups
    "xyz_in.tar.gz": (8, 8, 0, {"bulk"}),
    "set.json": (1, 1, 0, {"set"}),
    "deepmd": (8, 0, 0, {"deepmd"}),
}


def load(name):
    records = read_records(CASES / name)
    return import_records(records, dataset="d", element="W", protocol="p", block=20, reach=4.8)


@ROOM
@pytest.mark.parametrize("name", OUTCOMES)
def test_cases_are_read(name):
    cells, problems = load(name)
    stress = sum(cell.info["stress_valid"] for cell in cells)
    left_out = int((problems["action"] == "left out").sum())
    groups = {cell.info["config_type"] for cell in cells}
    assert (len(cells), stress, left_out, groups) == OUTCOMES[name]
    sound, _ = load("plain.xyz")
    first, same = sound[0], cells[0]
    assert same.get_potential_energy() == pytest.approx(first.get_potential_energy(), abs=1e-7)
    np.testing.assert_allclose(same.get_forces(), first.get_forces(), atol=1e-7)
    if same.info["stress_valid"]:
        np.testing.assert_allclose(same.get_stress(), first.get_stress(), atol=1e-7)


@ROOM
@pytest.mark.parametrize("name", ["POSCAR", "train.cfg", "input.data"])
def test_other_forms_end_in_a_sentence(name):
    with pytest.raises(SourceError, match="can be read"):
        load(name)


@ROOM
@pytest.mark.parametrize(
    ("name", "frame", "cause"),
    [("comp_with_molecule.xyz", 8, "pbc F F F"), ("comp_alloy.xyz", 0, "it holds Ta")],
)
def test_complements_that_cannot_be_name_the_frame(name, frame, cause):
    with pytest.raises(ValueError, match=f"frame {name}:{frame} .*{cause}"):
        complement_cells(CASES / name, "W")


@ROOM
def test_a_complement_with_blank_lines_is_read_whole():
    assert sum(map(len, complement_cells(CASES / "blank_between.xyz", "W"))) == 32
