"""Folders, archives and JSON of published sets: what is tolerated, limited and refused."""

import gzip
import io
import json
import tarfile
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from ase.constraints import FixAtoms

from diverse.datasets.literature import containers
from diverse.datasets.literature.complement import complement_cells
from diverse.datasets.literature.containers import stem
from diverse.datasets.literature.fetch import SourceError
from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.summary import summarise_groups, summarise_import
from diverse.report.pages.imports import import_page
from literature_sources import (
    fitsnap_text,
    labelled,
    make_cells,
    outcar_text,
    pymatgen_doc,
    vasprun_text,
    with_group,
    write_deepmd,
    write_source,
    xyz_frame,
)

CELLS = make_cells(8)


def load(path, **options):
    settings = {"dataset": "d", "element": "W", "protocol": "p", "block": 20, "reach": 4.8}
    return import_records(read_records(path), **settings | options)


def groups(cells):
    return sorted({cell.info["config_type"] for cell in cells})


def write_group(folder, texts, ending=".json"):
    folder.mkdir(parents=True, exist_ok=True)
    for index, text in enumerate(texts):
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"c_{index}{ending}").write_bytes(data)


TEXTS = [fitsnap_text(atoms) for atoms in CELLS]
TOLERATED = {
    "no NumAtoms": [fitsnap_text(atoms, NumAtoms="absent") for atoms in CELLS],
    "a bracket in the comment": [text.replace("# a comment", "# {x: [1}") for text in TEXTS],
    "no comment": [text.partition("\n")[2] for text in TEXTS],
    "two lines of comment": ["# more\n\n" + text for text in TEXTS],
    "latin-1": [text.replace("a comment", "3 \xc5").encode("latin-1") for text in TEXTS],
    "byte order mark": [b"\xef\xbb\xbf" + text.encode() for text in TEXTS],
}


@pytest.mark.parametrize("name", TOLERATED)
def test_what_fitsnap_reads_is_read(name, tmp_path):
    write_group(tmp_path / "bulk", TOLERATED[name])
    cells, problems = load(tmp_path)
    assert (len(cells), groups(cells)) == (8, ["bulk"])
    assert problems.empty
    assert cells[0].get_potential_energy() == CELLS[0].calc.results["energy"]


BAD = {
    "null energy": ({"Energy": None}, "Energy is null, not a number"),
    "text as energy": ({"Energy": "-17"}, "Energy is '-17', not a number"),
    "true as energy": ({"Energy": True}, "Energy is True, not a number"),
    "null count": ({"NumAtoms": None}, "NumAtoms is null"),
    "wrong count": ({"NumAtoms": 3}, "NumAtoms is 3, but there are 4 atom types"),
    "two force columns": ({"Forces": [[0, 0]] * 4}, r"Forces has shape \(4, 2\)"),
    "ragged forces": ({"Forces": [[0, 0, 0], [0]]}, "Forces is not a rectangular list"),
    "null force": ({"Forces": None}, "Forces is null"),
    "nan force": ({"Forces": [[float("nan")] * 3] * 4}, "a label is not finite"),
    "no positions": ({"Positions": "absent"}, "it has no Positions"),
    "types by number": ({"AtomTypes": [1, 1, 1, 1]}, "no list of chemical symbols"),
    "no element": ({"AtomTypes": ["Xx"] * 4}, "no element 'Xx'"),
    "flat lattice": ({"Lattice": [[1, 0, 0], [1, 0, 0], [0, 0, 1]]}, "volume"),
    "no matter": ({"Lattice": (0.4 * np.eye(3)).tolist()}, "4 atoms in a volume of 0.064"),
    "thin lattice": ({"Lattice": [[5, 0, 0], [0, 1e-9, 0], [0, 0, 1e9]]}, "longer than 1e"),
    "rounded to zero": (
        {"Lattice": [[9e4, 0, 0], [0, 4e-7, 0], [0, 0, 9e4]]},
        "volume",
    ),
    "lattice 1e11": ({"Lattice": [[1e11, 0, 0], [0, 1e11, 0], [0, 0, 1e11]]}, "longer than 1e"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_configuration_is_one_row(name, tmp_path):
    change, cause = BAD[name]
    write_group(tmp_path / "bulk", [*TEXTS[:4], fitsnap_text(CELLS[4], **change), *TEXTS[5:]])
    cells, problems = load(tmp_path)
    assert len(cells) == 7
    (row,) = problems.to_dict("records")
    assert (row["record"], row["action"]) == ("bulk/c_4.json", "left out")
    assert pd.Series(row["problem"]).str.contains(cause).all(), row["problem"]


def test_files_that_are_no_fitsnap_are_rows(tmp_path):
    write_group(tmp_path / "bulk", [*TEXTS[:2], "# nothing", '{"Dataset": 3}', "{[", "[" * 10**5])
    cells, problems = load(tmp_path)
    assert len(cells) == 2
    assert list(problems["record"]) == [f"bulk/c_{index}.json" for index in (2, 3, 4, 5)]


def test_capital_endings_and_files_of_macos(tmp_path):
    write_group(tmp_path / "bulk", TEXTS, ".JSON")
    (tmp_path / "bulk/._c_0.JSON").write_bytes(b"\x00\x05\x16\x07Mac OS X")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX/x.json").write_text("{")
    cells, problems = load(tmp_path)
    assert len(cells) == 8
    assert problems.empty


def test_files_at_the_root_of_an_archive_have_the_archives_name(tmp_path):
    write_group(tmp_path / "files", TEXTS)
    with tarfile.open(tmp_path / "js_flat.tar.gz", "w:gz") as archive:
        for file in (tmp_path / "files").iterdir():
            archive.add(file, file.name)
    cells, _ = load(tmp_path / "js_flat.tar.gz")
    assert (len(cells), groups(cells)) == (8, ["js_flat"])
    assert cells[0].info["trajectory"] == "js_flat_0"
    cells, _ = load(tmp_path / "files")
    assert groups(cells) == ["files"]


@pytest.mark.parametrize(
    ("name", "bare"),
    [("a.tar.gz", "a"), ("W.xyz", "W"), ("b.v2.tgz", "b"), ("c", "c"), ("d.XYZ.GZ", "d")],
)
def test_stem(name, bare):
    assert stem(name) == bare


def test_xyz_in_folders_and_archives(tmp_path):
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/a.xyz").write_text("".join(map(xyz_frame, CELLS[:3])))
    (tmp_path / "sets/b.xyz").write_text("".join(xyz_frame(a, group=None) for a in CELLS[3:]))
    (tmp_path / "sets/README.md").write_text("about")
    with zipfile.ZipFile(tmp_path / "sets.zip", "w") as archive:
        for file in (tmp_path / "sets").iterdir():
            archive.write(file, f"sets/{file.name}")
    for source in ("sets", "sets.zip"):
        cells, problems = load(tmp_path / source)
        assert (len(cells), groups(cells)) == (8, ["b", "bulk"])
        assert problems.empty
    (tmp_path / "one.xyz.gz").write_bytes(gzip.compress((tmp_path / "sets/a.xyz").read_bytes()))
    cells, _ = load(tmp_path / "one.xyz.gz")
    assert len(cells) == 3


def test_packed_files_inside_an_archive_are_told_apart(tmp_path):
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        for index, atoms in enumerate(CELLS):
            data = gzip.compress(xyz_frame(atoms).encode()) if index % 2 else b"other"
            info = tarfile.TarInfo(f"f_{index}.xyz.gz" if index % 2 else f"f_{index}.txt")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    cells, problems = load(tmp_path / "set.tar")
    energies = [cell.get_potential_energy() for cell in cells]
    np.testing.assert_allclose(energies, [a.calc.results["energy"] for a in CELLS[1::2]])
    assert problems.empty


def test_a_damaged_file_in_a_zip_is_one_row(tmp_path):
    source = write_source("zip", tmp_path, CELLS)
    data = bytearray(source.read_bytes())
    with zipfile.ZipFile(source) as archive:
        entry = archive.infolist()[3]
    data[entry.header_offset + len(entry.filename) + 60] ^= 0xFF
    source.write_bytes(data)
    cells, problems = load(source)
    assert len(cells) == 7
    (row,) = problems.to_dict("records")
    assert row["record"] == entry.filename
    assert "cannot be unpacked" in row["problem"]


def test_a_known_form_that_cannot_be_read_is_a_row_among_others(tmp_path):
    (tmp_path / "a.xyz").write_text("".join(map(xyz_frame, CELLS)))
    (tmp_path / "train.cfg").write_text("BEGIN_CFG\n Size\n")
    _, problems = load(tmp_path)
    assert list(problems["record"]) == ["train.cfg"]


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("POSCAR", "W\n1.0\n3 0 0\n0 3 0\n0 0 3\nW\n2\nDirect\n", "no energies and forces"),
        ("train.cfg", "BEGIN_CFG\n Size\n 4\n", "MTP's cfg"),
        ("data", "BEGIN_CFG\n Size\n 4\n", "MTP's cfg"),
        ("input.data", "begin\nlattice 1 0 0\n", "n2p2"),
        ("x.lmp", "LAMMPS\n\n2 atoms\n0 3 xlo xhi\n", "LAMMPS"),
        ("x.h5", "\x89HDF\r\n", "no file of a form"),
        ("empty", "", "no file of a form"),
    ],
)
def test_other_forms_are_refused_with_those_that_are_read(name, text, cause, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=rf"(?s){cause}.*DeePMD's NumPy folders"):
        load(tmp_path / name)


def test_damaged_and_encrypted_archives_are_said(tmp_path):
    whole = write_source("tar", tmp_path, CELLS)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(SourceError, match="cannot be unpacked .* fetch it again"):
        load(cut)
    empty = tmp_path / "empty.zip"
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(SourceError, match="holds no file"):
        load(empty)


def test_a_bomb_is_refused_soon(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "FREE", 1 << 24)
    bomb = tmp_path / "bomb.tar.gz"
    with tarfile.open(bomb, "w:gz") as archive:
        info = tarfile.TarInfo("set/a.json")
        info.size = 1 << 26
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    start = time.monotonic()
    with pytest.raises(SourceError, match="unpacks to over 60 times its size"):
        load(bomb)
    assert time.monotonic() - start < 5
    (tmp_path / "bomb.xyz.gz").write_bytes(gzip.compress(b"1 " * (1 << 25)))
    with pytest.raises(SourceError, match="unpacks to over 60 times"):
        load(tmp_path / "bomb.xyz.gz")


def test_a_header_that_asks_for_all_memory_is_refused(tmp_path):
    """A tar's own headers are read as a whole, before any file of it is."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 31
    head = info.tobuf(tarfile.USTAR_FORMAT)
    with gzip.open(tmp_path / "bomb.tar.gz", "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(1 << 6):
            file.write(bytes(1 << 24))
    with pytest.raises(SourceError, match="cannot be unpacked"):
        load(tmp_path / "bomb.tar.gz")


def test_names_cannot_lead_out_of_an_archive(tmp_path):
    with tarfile.open(tmp_path / "up.tar", "w") as archive:
        info = tarfile.TarInfo("../../up.json")
        data = TEXTS[0].encode()
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("bulk/link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    cells, _ = load(tmp_path / "up.tar")
    assert groups(cells) == ["up"]


def test_a_line_without_an_end_is_no_text(tmp_path):
    (tmp_path / "long.xyz").write_bytes(b"4" * (3 << 20))
    with pytest.raises(ValueError, match="longer than 1,048,576 characters"):
        load(tmp_path / "long.xyz")


def test_frames_of_ase_keep_their_calculated_forces(tmp_path):
    """Constraints of the source would make forces zero."""
    cells = [with_group(atoms) for atoms in CELLS[:3]]
    for atoms in cells:
        atoms.set_constraint(FixAtoms([0, 1]))
    source = write_source("traj", tmp_path, cells)
    found, _ = load(source)
    np.testing.assert_allclose(found[0].get_forces(), CELLS[0].calc.results["forces"])
    assert np.abs(found[0].get_forces()[:2]).max() > 0.01


def test_steps_of_vasp_that_did_not_converge_are_left_out(tmp_path):
    text = vasprun_text(CELLS[:2])
    scf = text[text.index("<scstep>") : text.index("</scstep>") + len("</scstep>")]
    text = text.replace(scf, scf * 59, 1)
    (tmp_path / "vasprun.xml").write_text(text)
    cells, problems = load(tmp_path / "vasprun.xml")
    assert len(cells) == 1
    assert problems["problem"][0] == "not converged in 60 iterations (NELM)"


def write_packed(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))


def test_packed_files_in_a_folder_are_read_as_in_an_archive(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.xyz").write_text("".join(map(xyz_frame, CELLS[:3])))
    write_packed(tmp_path / "set/b.xyz.gz", "".join(map(xyz_frame, CELLS[3:5])))
    write_packed(tmp_path / "set/r1/vasprun.xml.gz", vasprun_text(CELLS[5:7]))
    write_packed(tmp_path / "set/r1/OUTCAR.gz", outcar_text(CELLS[5:7]))
    (tmp_path / "set/c.xyz.gz").write_bytes(b"\x1f\x8b\x08 cut off")
    cells, problems = load(tmp_path / "set")
    assert [len(cells), groups(cells)] == [7, ["bulk", "r1"]]
    said = problems[problems["action"] == "left out"].set_index("record")["problem"]
    assert set(said.index) == {"c.xyz", "r1/OUTCAR"}
    assert "cannot be unpacked" in said["c.xyz"]
    assert "vasprun.xml beside it" in said["r1/OUTCAR"]


def test_files_of_a_folder_that_hold_data_and_are_not_read_are_rows(tmp_path):
    text = "".join(map(xyz_frame, CELLS))
    (tmp_path / "a.xyz").write_text(text)
    write_packed(tmp_path / "a.xyz.gz", text)
    for name in ("more.tar.gz", "more.zip", "vasprun.xml.zst"):
        (tmp_path / name).write_bytes(b"\x1f\x8b\x08")
    (tmp_path / "train.dat").write_text(text)
    (tmp_path / "README.md").write_text("about it")
    (tmp_path / "run.log").write_text("2024 was the year\n")
    cells, problems = load(tmp_path)
    assert len(cells) == len(CELLS)
    said = problems.set_index("record")["problem"]
    archives = ("more.tar.gz", "more.zip", "vasprun.xml.zst")
    assert set(said.index) == {"a.xyz.gz", "train.dat", *archives}
    assert "the packed form of the file beside it" in said["a.xyz.gz"]
    assert "its content can be read, its name cannot" in said["train.dat"]
    for name in archives:
        assert "it is an archive, or packed in another way" in said[name]


OUTCARS = {  # of three steps: iterations of the second, whether EDIFF was reached, and steps kept
    "enough": (59, False, 3),
    "all, and not converged": (60, False, 2),
    "all, and converged in the last": (60, True, 3),
}


@pytest.mark.parametrize("name", OUTCARS)
def test_steps_of_an_outcar_that_did_not_converge_are_left_out(name, tmp_path):
    iterations, reached, kept = OUTCARS[name]
    text = outcar_text(CELLS[:3])
    line = "--------- Iteration      2(   2)  ---------\n"
    more = "".join(line.replace("   2)", f"{n:4d})") for n in range(2, iterations + 1))
    said = " aborting loop because EDIFF is reached\n"
    assert line + said in text
    (tmp_path / "OUTCAR").write_text(text.replace(line + said, more + (said if reached else "")))
    cells, problems = load(tmp_path / "OUTCAR")
    assert len(cells) == kept
    rows = [] if kept == 3 else [("OUTCAR:1", "not converged in 60 iterations (NELM)", "left out")]
    assert [tuple(row) for row in problems[["record", "problem", "action"]].to_numpy()] == rows


def test_a_vasprun_cut_off_keeps_its_whole_steps_and_no_zero_forces(tmp_path):
    text = vasprun_text(CELLS[:3])
    (tmp_path / "vasprun.xml").write_text(text[: text.rindex("<v>")])
    cells, problems = load(tmp_path / "vasprun.xml")
    assert len(cells) == 2
    assert "damaged or cut off" in problems["problem"][0]
    start = text.index("<v>", text.index('name="forces"'))
    (tmp_path / "vasprun.xml").write_text(text[:start] + text[text.index("</v>", start) + 4 :])
    cells, problems = load(tmp_path / "vasprun.xml")
    assert len(cells) == 2
    assert problems["problem"][0] == "forces are no 4 vectors"


def test_folders_of_calculations_name_their_groups(tmp_path):
    for name, steps in (("eos_1", CELLS[:2]), ("eos_2", CELLS[2:4])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vasprun.xml").write_text(vasprun_text(steps))
        (tmp_path / name / "OUTCAR").write_text(outcar_text(steps))
    cells, problems = load(tmp_path)
    assert (len(cells), groups(cells)) == (4, ["eos_1", "eos_2"])
    assert problems["problem"].str.contains("vasprun.xml beside it").sum() == 2


def test_documents_of_pymatgen_with_faults(tmp_path):
    docs = [pymatgen_doc(atoms) for atoms in CELLS]
    docs[1]["outputs"]["energy"] = None
    docs[2]["structure"]["sites"][0]["xyz"][0] += 0.5
    docs[3]["structure"]["sites"][0]["species"].append({"element": "Ta", "occu": 0.5})
    docs[4] = None
    docs[5]["num_atoms"] = 5
    docs[6]["outputs"]["virial_stress"] = [1, 2]
    (tmp_path / "set.json").write_text(json.dumps(docs))
    cells, problems = load(tmp_path / "set.json")
    assert (len(cells), groups(cells)) == (3, ["AIMD"])
    said = problems.set_index("record")["problem"]
    assert said["set.json:1"] == "energy is null, not a number"
    assert said["set.json:2"] == "abc and xyz of a site are different places"
    assert said["set.json:3"] == "a site is not of one species"
    assert said["set.json:4"] == "it has no structure"
    assert said["set.json:5"] == "num_atoms is 5, the structure has 4 sites"
    assert "its stress is missing" in said["set.json:6"]


def test_deepmd_without_map_or_with_wrong_sizes(tmp_path):
    write_deepmd(tmp_path / "system", CELLS[:3])
    np.save(tmp_path / "system/set.000/force.npy", np.zeros((3, 11)))
    with pytest.raises(ValueError, match="force.npy holds 33 numbers; 3 frames of 4 atoms need 36"):
        load(tmp_path / "system")
    (tmp_path / "system/type_map.raw").unlink()
    with pytest.raises(ValueError, match="type_map.raw is missing"):
        load(tmp_path / "system")


def test_deepmd_without_periodic_boundaries_is_a_cluster(tmp_path):
    write_deepmd(tmp_path / "system", CELLS[:2])
    (tmp_path / "system/nopbc").touch()
    (tmp_path / "system/set.000/box.npy").unlink()
    cells, problems = load(tmp_path / "system")
    assert len(cells) == 2
    assert problems["problem"].str.contains("pbc F F F").all()


def complement(tmp_path, text):
    (tmp_path / "cells.xyz").write_text(text)
    return complement_cells(tmp_path / "cells.xyz", "W")


def test_a_complement_needs_no_labels_and_reads_every_frame(tmp_path):
    text = "\n\n".join(xyz_frame(a, energy="x", forces="y", tensor="") for a in CELLS)
    cells = complement(tmp_path, text)
    assert sum(map(len, cells)) == 32
    np.testing.assert_allclose(cells[7].positions, CELLS[7].positions, atol=1e-9)


@pytest.mark.parametrize(
    ("frame", "cause"),
    [
        (xyz_frame(CELLS[0], lattice=False), r"does not repeat in every direction \(pbc F F F\)"),
        (xyz_frame(CELLS[0], extra='pbc="T T F"'), r"pbc T T F"),
        (xyz_frame(CELLS[0]).replace("W ", "Ta ", 1), "it holds Ta, the study is of W"),
        (xyz_frame(CELLS[0]).replace("W ", "Xx ", 1), "no element 'Xx'"),
        (xyz_frame(CELLS[0]).rstrip().rsplit(" ", 1)[0], "columns"),
    ],
)
def test_a_frame_that_cannot_be_complemented_is_named(frame, cause, tmp_path):
    text = xyz_frame(CELLS[1]) + frame.rstrip("\n") + "\n" + xyz_frame(CELLS[2])
    with pytest.raises(ValueError, match=rf"frame cells.xyz:1 of the set to complement.*{cause}"):
        complement(tmp_path, text)


def test_the_page_of_an_import_says_what_was_left_out(tmp_path):
    other = labelled(bulk("W", cubic=True, a=2.8))
    frames = [xyz_frame(CELLS[0], group="<b>x</b>"), xyz_frame(other).replace("W ", "Ta ", 1)]
    (tmp_path / "set.xyz").write_text("".join(frames))
    cells, problems = load(tmp_path / "set.xyz")
    page = import_page(summarise_import(cells, problems, "d"), summarise_groups(cells), problems)
    assert "d: 2 records read, 1 kept, 1 left out (1 holds Ta, the study is of W)" in page
    assert "set.xyz:1" in page
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
