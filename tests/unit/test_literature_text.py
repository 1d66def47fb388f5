"""Published XYZ: spellings of labels, encodings, damaged frames; each with the right value."""

import numpy as np
import pytest
from ase import Atoms

from diverse.datasets.literature.fetch import SourceError
from diverse.datasets.literature.frame import FrameError, number, numbers
from diverse.datasets.literature.importer import import_records, without_labels
from diverse.datasets.literature.keys import choose
from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.summary import summarise_groups, summarise_import
from literature_sources import full, labelled, make_cells, words, xyz_frame

CELLS = make_cells(8)


def load(path, keys=None, **options):
    settings = {"dataset": "d", "element": "W", "protocol": "p", "block": 20, "reach": 4.8}
    return import_records(read_records(path, keys), **settings | options)


def write(tmp_path, text, name="set.xyz"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def assert_same(cells, truth, *, stress=True):
    assert len(cells) == len(truth)
    for cell, atoms in zip(cells, truth, strict=True):
        results = atoms.calc.results
        assert cell.get_potential_energy() == pytest.approx(results["energy"], abs=1e-9)
        np.testing.assert_allclose(cell.get_forces(), results["forces"], atol=1e-9)
        assert cell.info["stress_valid"] == stress
        if stress:
            np.testing.assert_allclose(cell.get_stress(), results["stress"], atol=1e-9)


SPELLINGS = {
    "GAP": {"forces": "force", "tensor": "virial"},
    "MACE": {"energy": "REF_energy", "forces": "REF_forces", "tensor": "REF_virials"},
    "MACE, stress": {"energy": "REF_energy", "forces": "REF_forces", "tensor": "REF_stress"},
    "dft": {"energy": "dft_energy", "forces": "dft_force", "tensor": "dft_virial"},
    "DFT": {"energy": "DFT_energy", "forces": "DFT_forces", "tensor": "DFT_stress"},
    "capital": {"energy": "Energy", "forces": "Forces", "tensor": "Stress"},
    "behind": {"energy": "energy_vasp", "forces": "forces_vasp", "tensor": "virial_vasp"},
    "free": {"energy": "free_energy", "tensor": "virials"},
    "total": {"energy": "total_energy", "forces": "force", "tensor": "virial"},
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_known_spellings_with_their_signs(name, tmp_path):
    text = "".join(xyz_frame(atoms, **SPELLINGS[name]) for atoms in CELLS)
    cells, problems = load(write(tmp_path, text))
    assert_same(cells, CELLS)
    assert problems.empty


def test_nep_writes_its_keys_small(tmp_path):
    text = "".join(xyz_frame(a, forces="force", tensor="virial", group=None) for a in CELLS)
    text = text.replace("Lattice", "lattice").replace("Properties=species:S:1:pos:R:3", "XX")
    text = text.replace("XX", "properties=species:s:1:pos:r:3")
    cells, _ = load(write(tmp_path, text, "nep.xyz"))
    assert_same(cells, CELLS)
    assert {cell.info["config_type"] for cell in cells} == {"nep"}


def test_free_energy_beside_energy_keeps_both(tmp_path):
    text = "".join(xyz_frame(atoms, extra="free_energy=-5.5") for atoms in CELLS)
    cells, _ = load(write(tmp_path, text), element="W")
    assert {cell.get_potential_energy(force_consistent=True) for cell in cells} == {-5.5}
    assert cells[0].get_potential_energy() == pytest.approx(CELLS[0].calc.results["energy"])


def test_a_reference_is_believed_before_other_energies(tmp_path):
    text = "".join(xyz_frame(a, energy="REF_energy", forces="REF_forces") for a in CELLS)
    text = text.replace("REF_energy", "energy=-1.0 mace_energy=-2.0 REF_energy")
    cells, problems = load(write(tmp_path, text))
    assert_same(cells, CELLS, stress=False)  # its stress has no REF_: of which labels is it?
    assert set(problems["problem"]) == {"REF_energy is taken, energy is another energy"}
    assert set(problems["action"]) == {"kept"}


def test_energies_of_two_references_in_a_frame_are_said(tmp_path):
    text = "".join(xyz_frame(a, energy="r2scan_energy", forces="r2scan_forces") for a in CELLS)
    text = text.replace("r2scan_energy", "pbe_energy=-1.0 r2scan_energy")
    _, problems = load(write(tmp_path, text))
    assert set(problems["problem"]) == {"r2scan_energy is taken, pbe_energy is another energy"}
    text = "".join(xyz_frame(a, energy="REF_free_energy", forces="REF_forces") for a in CELLS)
    _, problems = load(write(tmp_path, text.replace("REF_free", "pbe_energy=-1.0 REF_free")))
    assert set(problems["problem"]) == {"REF_free_energy is taken, pbe_energy is another energy"}


def test_energies_of_two_sources_in_one_set_are_said(tmp_path):
    first = [xyz_frame(a, energy="REF_energy", forces="REF_forces") for a in CELLS[:5]]
    path = write(tmp_path, "".join([*first, *map(xyz_frame, CELLS[5:])]))
    cells, problems = load(path)
    (row,) = problems.to_dict("records")
    assert "REF_energy in 5 records, energy in 3 records; choose one with keys" in row["problem"]
    assert row["problem"] in summarise_import(cells, problems, "d")
    _, problems = load(write(tmp_path, "".join(map(xyz_frame, CELLS))))
    assert problems.empty
    text = "".join([*map(xyz_frame, CELLS[:4]), *(xyz_frame(a, energy="Etot") for a in CELLS[4:])])
    assert load(write(tmp_path, text))[1].empty  # two spellings of one source


@pytest.mark.parametrize(("shift", "rows"), [(0.3, 1), (0.0, 0)])
def test_free_energies_of_some_records_alone_are_said(shift, rows, tmp_path):
    frames = [
        xyz_frame(a, extra=f"free_energy={a.calc.results['energy'] - shift:.10f}" * (i % 2))
        for i, a in enumerate(CELLS)
    ]
    path = write(tmp_path, "".join(frames))
    _, problems = load(path)
    assert len(problems) == rows
    said = "4 records have a free energy, which models train on, and 4 another energy alone"
    assert problems["problem"].str.contains(said).sum() == rows
    cells, problems = load(path, {"energy": "energy", "stress": "stress"})
    assert_same(cells, CELLS)
    assert set(problems["problem"].str.partition(" left aside")[0]) == {"free_energy"}


def test_labels_of_a_model_are_taken_last_and_with_a_word(tmp_path):
    text = "".join(
        xyz_frame(a, energy="MACE_energy", forces="MACE_forces", tensor="") for a in CELLS
    )
    cells, problems = load(write(tmp_path, text))
    assert_same(cells, CELLS, stress=False)
    assert problems["problem"].str.contains("those of a model, mace").all()


def test_unknown_keys_are_named_and_the_study_file_can_name_them(tmp_path):
    spelling = {"energy": "E_coh_total", "forces": "gradient_neg", "tensor": "W_tensor_virial"}
    text = "".join(xyz_frame(atoms, **spelling) for atoms in CELLS)
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match="no energy and no forces; it holds E_coh_total, W_tensor"):
        load(path)
    keys = {"energy": "E_coh_total", "forces": "gradient_neg", "virial": "W_tensor_virial"}
    cells, _ = load(path, keys)
    assert_same(cells, CELLS)
    with pytest.raises(ValueError, match="no 'E_total', which keys in the study file names as en"):
        load(path, {"energy": "E_total"})


def beside_a_model(atoms):
    """Return a frame whose plain labels are another source's than its own energy and forces."""
    energy, stress = atoms.calc.results["energy"], 3 * full(atoms.calc.results["stress"])
    rows = zip(atoms.positions, atoms.calc.results["forces"], strict=True)
    comment = (
        f'Lattice="{words(atoms.cell.array)}" stress="{words(stress)}" E_vasp={energy:.10f} '
        "Properties=species:S:1:pos:R:3:forces:R:3:F_vasp:R:3 "
        f"energy={energy + 5} free_energy={energy + 5}"
    )
    lines = [f"W {words(place)} {words(1.2 * force)} {words(force)}" for place, force in rows]
    return "\n".join([str(len(atoms)), comment, *lines]) + "\n"


def test_keys_of_the_study_file_leave_nothing_of_another_source(tmp_path):
    path = write(tmp_path, "".join(map(beside_a_model, CELLS)))
    cells, problems = load(path, {"energy": "E_vasp", "forces": "F_vasp"})
    assert_same(cells, CELLS, stress=False)
    for cell in cells:
        assert cell.get_potential_energy(force_consistent=True) == cell.get_potential_energy()
    said = "free_energy, stress left aside: keys in the study file names energy (E_vasp), forces"
    assert problems["problem"].str.contains(said, regex=False).sum() == len(CELLS)


def test_keys_that_name_one_of_energy_and_forces_say_what_they_are_joined_with(tmp_path):
    path = write(tmp_path, "".join(map(beside_a_model, CELLS)))
    _, problems = load(path, {"energy": "E_vasp"})
    said = "labels are joined from E_vasp, forces; keys can name both"
    assert problems["problem"].str.contains(said, regex=False).sum() == len(CELLS)


def test_keys_of_a_known_source_keep_what_belongs_to_it():
    comment = ["pbe_energy", "pbe_free_energy", "pbe_stress", "REF_energy", "REF_virial"]
    columns = ["pbe_forces", "REF_forces"]
    chosen = choose(comment, columns, {"energy": "pbe_energy"})
    of_pbe = {name: f"pbe_{name}" for name in ("energy", "forces", "stress")}
    assert chosen.keys == of_pbe
    assert chosen.note.startswith("pbe_free_energy, REF_virial left aside")
    assert choose(comment, columns, {"free_energy": "pbe_free_energy"}).keys == {
        "free_energy": "pbe_free_energy",
        "forces": "pbe_forces",
        "stress": "pbe_stress",
    }
    forces = choose(["REF_free_energy", "pbe_energy"], columns, {"forces": "pbe_forces"})
    assert forces.keys == {"energy": "pbe_energy", "forces": "pbe_forces"}
    virial = choose(["energy", "stress", "W"], ["forces"], {"virial": "W"})
    assert virial.keys == {"energy": "energy", "forces": "forces", "virial": "W"}


def test_stress_and_virial_of_the_study_file_exclude_each_other(tmp_path):
    path = write(tmp_path, "".join(map(xyz_frame, CELLS)))
    with pytest.raises(SourceError, match=r"names both stress \('stress'\) and virial \('w'\)"):
        load(path, {"stress": "stress", "virial": "w"})


def test_energies_that_are_no_total_energies_are_not_taken():
    for key in ("energy_per_atom", "formation_energy", "energy_sigma", "cohesive_energy"):
        assert "energy" not in choose([key], ["forces"], {}).keys
    assert "energy" not in choose([], ["energies", "forces"], {}).keys  # of each atom


def test_blank_lines_between_frames(tmp_path):
    text = "\n\n".join(xyz_frame(atoms) for atoms in CELLS) + "\n \n"
    cells, problems = load(write(tmp_path, text))
    assert_same(cells, CELLS)
    assert problems.empty


ENCODINGS = {
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "latin-1": lambda text: text.replace("config_type", 'note="3 \xc5" config_type').encode(
        "latin-1"
    ),
    "utf-8": lambda text: text.replace("config_type", 'note="3 Å" config_type').encode(),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "old mac": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_encodings(name, tmp_path):
    text = ENCODINGS[name]("".join(map(xyz_frame, CELLS)))
    cells, problems = load(write(tmp_path, text))
    assert_same(cells, CELLS)
    assert problems.empty


def test_utf16_is_said(tmp_path):
    with pytest.raises(ValueError, match="UTF-16: save it as UTF-8"):
        load(write(tmp_path, "".join(map(xyz_frame, CELLS)).encode("utf-16")))


def test_numbers_of_fortran():
    assert number("-1.5D-03") == -1.5e-3
    assert number("2.5d2") == 250.0
    assert number("1.25-103") == 1.25e-103
    assert number(".5") == 0.5
    assert list(numbers(["1.0D+00", "2", "-3e1"])) == [1.0, 2.0, -30.0]
    assert np.isnan(number("NaN"))
    for word in ("1_000", "****", "None", "1e", "0x10", "", "1,5", "१", "--1"):
        with pytest.raises(FrameError, match="is not a number"):
            number(word)


def test_fortran_exponents_in_a_file(tmp_path):
    lines = xyz_frame(CELLS[0]).splitlines()
    for place in range(2, len(lines)):
        symbol, *rest = lines[place].split()
        lines[place] = " ".join([symbol, *(f"{float(x):.12e}".replace("e", "D") for x in rest)])
    cells, _ = load(write(tmp_path, "\n".join(lines)))
    assert_same(cells, CELLS[:1])


def test_group_names_are_text(tmp_path):
    groups = ["300", "0300", "T", "nan", "1e5", '"two words"', "{300 K}", "all"]
    text = "".join(xyz_frame(a, group=g) for a, g in zip(CELLS, groups, strict=True))
    cells, problems = load(write(tmp_path, text))
    names = [cell.info["config_type"] for cell in cells]
    assert names == ["300", "0300", "T", "nan", "1e5", "two words", "300 K", "group all"]
    assert [cell.info["trajectory"] for cell in cells] == [f"{name}_0" for name in names]
    assert problems["problem"].str.contains("called all").sum() == 1


def damage(index, change):
    """Return the sound file with one frame changed."""
    frames = [xyz_frame(atoms) for atoms in CELLS]
    frames[index] = change(frames[index])
    return "".join(frames)


DAMAGES = {
    "energy None": (lambda f: f.replace("energy=", "energy=None x="), "'None' is not a number"),
    "energy nan": (lambda f: f.replace("energy=", "energy=nan x="), "a label is not finite"),
    "energy twice": (lambda f: f.replace("energy=", "energy=1.0 energy="), "two values of energy"),
    "two force columns": (
        lambda f: "\n".join(
            [f.splitlines()[0], f.splitlines()[1].replace("forces:R:3", "forces:R:2")]
            + [line.rsplit(" ", 1)[0] for line in f.splitlines()[2:]]
        )
        + "\n",
        "forces has 2 columns, 3 are needed",
    ),
    "nan force": (lambda f: f.replace("W ", "W nan ", 1).replace(" ", " ", 1), "columns"),
    "a space in a number": (lambda f: f.replace("0.0", "0. 0", 1), "numbers, 9 are needed"),
    "an open quote": (lambda f: f.replace('" Properties', " Properties"), "never closed|numbers"),
    "an unknown element": (lambda f: f.replace("W ", "Xx ", 1), "no element 'Xx'"),
    "an asterisk": (lambda f: f[:-9] + "*********\n", r"'\*+' is not|is not a number"),
    "a line too few": (lambda f: "\n".join(f.splitlines()[:-1]) + "\n", "says 4 atoms, 3 follow"),
    "a line too many": (lambda f: f + f.splitlines()[-1] + "\n", "says 4 atoms, line .* one more"),
    "a count too large": (lambda f: "1000000000000" + f[1:], "says 1000000000000 atoms"),
    "a count with 30 digits": (lambda f: "9" * 30 + f[1:], "200,000 can be read"),
    "no count": (lambda f: "x" + f[1:], "is no number of atoms: 'x'"),
    "lattice 1e11": (lambda f: f.replace('Lattice="', 'Lattice="1e11 0 0 0 1e11 0 0 0 1e11" x="'),
                     "longer than 1e"),
    "lattice nan": (lambda f: f.replace('Lattice="', 'Lattice="nan 0 0 0 3 0 0 0 3" x="'),
                    "not finite"),
    "no volume": (lambda f: f.replace('Lattice="', 'Lattice="3 0 0 3 0 0 0 0 3" x="'),
                  "volume"),
    "pbc": (lambda f: f.replace("config_type", 'pbc="T T" config_type'), "pbc is 'T T'"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_one_bad_frame_is_one_row_and_the_others_are_read(name, tmp_path):
    change, cause = DAMAGES[name]
    cells, problems = load(write(tmp_path, damage(3, change)))
    assert_same(cells, CELLS[:3] + CELLS[4:])
    (row,) = problems[problems["action"] == "left out"].to_dict("records")
    assert row["record"] == "set.xyz:3"
    assert problems["problem"].str.contains(cause).any(), row


def test_a_cut_file_keeps_what_is_whole(tmp_path):
    text = "".join(map(xyz_frame, CELLS))
    cells, problems = load(write(tmp_path, text[:-30]))
    assert_same(cells, CELLS[:-1])
    assert list(problems["record"]) == ["set.xyz:7"]


def test_a_bad_stress_loses_the_stress_alone(tmp_path):
    for value in ("nan ", "1 2 3 4 5 ", '0 9 0 -9 0 0 0 0 0" x="'):
        text = damage(3, lambda f, v=value: f.replace('stress="', f'stress="{v}'))
        cells, problems = load(write(tmp_path, text))
        assert [cell.info["stress_valid"] for cell in cells] == [True] * 3 + [False] + [True] * 4
        assert "stress" not in cells[3].calc.results
        (row,) = problems.to_dict("records")
        assert (row["record"], row["action"]) == ("set.xyz:3", "kept")
        assert "its stress is missing" in row["problem"]


def test_stress_and_virial_that_contradict_each_other_are_missing(tmp_path):
    text = damage(3, lambda f: f.replace("config_type", 'virial="1 0 0 0 1 0 0 0 1" config_type'))
    cells, problems = load(write(tmp_path, text))
    assert [cell.info["stress_valid"] for cell in cells].count(False) == 1
    assert "stress is not minus virial over the volume" in problems["problem"].iloc[0]


def test_what_was_left_out_is_one_line(tmp_path):
    other = labelled(Atoms("W2", positions=[[0, 0, 0], [0, 0, 2.6]], cell=[9, 9, 9], pbc=True))
    alien = xyz_frame(other).replace("W ", "Ta ", 1)
    text = damage(3, lambda f: f.replace("energy=", "energy=None x=")) + 3 * alien
    cells, problems = load(write(tmp_path, text))
    line = summarise_import(cells, problems, "mine")
    assert line.startswith(
        "mine: 11 records read, 7 kept, 4 left out (3 holds Ta, the study is of W"
    )
    assert "; 1 energy: 'None' is not a number" in line


def test_no_frame_is_lost_or_invented(tmp_path):
    """Frames with and without blank lines, comments that look like counts, no last line end."""
    text = "\n" + xyz_frame(CELLS[0]) + "\n\n\n" + xyz_frame(CELLS[1]).rstrip("\n")
    cells, problems = load(write(tmp_path, text))
    assert_same(cells, CELLS[:2])
    assert problems.empty


def test_structures_to_be_labelled_anew_need_no_labels(tmp_path):
    text = "".join(xyz_frame(a, energy="x", forces="y", tensor="") for a in CELLS[:4])
    text += "".join(map(xyz_frame, CELLS[4:]))
    cells, problems = load(write(tmp_path, text), labels=False)
    assert problems.empty
    assert [cell.calc is None for cell in cells] == [True] * 4 + [False] * 4
    np.testing.assert_allclose(cells[0].positions, CELLS[0].positions, atol=2e-6)
    bare = without_labels(cells)
    assert all(cell.calc is None for cell in bare)
    (row,) = summarise_groups(cells).to_dict("records")
    assert (row["cells"], row["with_stress"]) == (8, 4)
