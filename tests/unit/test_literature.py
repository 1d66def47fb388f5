"""Published data sets: the tungsten archive where it is at hand, and what can be wrong."""

import http.server
import json
import tarfile
import threading
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from diverse.datasets.literature.fetch import SourceError, file_hash, locate, source_name
from diverse.datasets.literature.importer import import_records, without_labels
from diverse.datasets.literature.records import read_records
from diverse.datasets.literature.repeats import structure_key
from diverse.datasets.literature.summary import summarise_groups
from diverse.structures import write_cells
from literature_sources import make_cells, xyz_frame
from paths import ROOT

ARCHIVE = ROOT.parent / "shared/data/wbe_prb2019_tungsten.tar.xz"
GROUPS = {
    "gamma_surface": 6183,
    "slice_sample": 2000,
    "gamma_surface_vacancy": 750,
    "vacancy": 420,
    "surface": 180,
    "EOS_Data": 125,
    "dislocation_quadrupole": 98,
    "md_bulk": 60,
    "Divacancy": 39,
    "Disordered_Struc": 27,
    "BCC_ForceLib_W110": 5,
    "WSurface_BeAdhesion": 5,
    "BCC_ForceLib_W111": 3,
    "BCC_ForceLib_WTet": 3,
}


def entry(**changes):
    base = {
        "NumAtoms": 2,
        "Lattice": [[3.2, 0, 0], [0, 3.2, 0], [0, 0, 3.2]],
        "Energy": -17.0,
        "Stress": [[1000.0, 50.0, 0], [50.0, 0, 0], [0, 0, 0]],
        "AtomTypes": ["W", "W"],
        "Positions": [[0, 0, 0], [1.6, 1.6, 1.5]],
        "Forces": [[0, 0, 0.3], [0, 0, -0.3]],
    }
    return base | changes


def write_group(folder: Path, group: str, *entries: dict, **dataset: str) -> None:
    (folder / group).mkdir(parents=True, exist_ok=True)
    for index, data in enumerate(entries):
        text = json.dumps({"Dataset": {"StressStyle": "bar", **dataset, "Data": [data]}})
        (folder / group / f"{group}_{index}.json").write_text("# a comment\n" + text)


def load(path: Path, block: int = 20):
    return import_records(
        read_records(path), dataset="published", element="W", protocol="p", block=block, reach=4.8
    )


@pytest.mark.skipif(not ARCHIVE.exists(), reason="the published archive is not at hand")
def test_the_published_tungsten_set():
    cells, problems = load(ARCHIVE)
    assert len(cells) == 9898
    assert sum(map(len, cells)) == 164_379
    assert Counter(cell.info["config_type"] for cell in cells) == GROUPS
    groups = summarise_groups(cells).set_index("group")
    for group in ("md_bulk", "vacancy", "dislocation_quadrupole"):
        assert groups.loc[group, "with_stress"] == 0
    assert groups.loc["slice_sample", "with_stress"] == 2000
    # The files of these two say bar and hold kB: their stress is 1000 times too small
    for group in ("EOS_Data", "Disordered_Struc"):
        assert groups.loc[group, "with_stress"] == 0
        (said,) = problems[(problems["group"] == group) & (problems["record"] == "")]["problem"]
        assert float(said.split(" times -dE/dV")[0].split()[-1]) == pytest.approx(1e-3, rel=0.25)
    assert groups["with_stress"].sum() == 2389 - 125 - 27 - 4
    slope = groups.loc["slice_sample", "stress"].split(" times -dE/dV")[0].split()[-1]
    assert float(slope) == pytest.approx(1, abs=0.05)
    assert groups["d_min"].min() == pytest.approx(1.911, abs=1e-3)
    assert groups["largest_force"].max() == pytest.approx(20.65, abs=0.01)
    # The cells of one group are those of another
    out = problems[problems["action"] == "left out"]
    assert list(out["group"]) == ["BCC_ForceLib_WOct"] * 4
    assert out["problem"].str.endswith("of group BCC_ForceLib_W110").all()


def test_units_signs_and_trajectories(tmp_path):
    entries = [entry(Positions=[[0, 0, 0], [1.6, 1.6, 1.5 + 0.01 * i]]) for i in range(3)]
    write_group(tmp_path, "eos", *entries)
    cells, _ = load(tmp_path, block=2)
    assert [cell.info["trajectory"] for cell in cells] == ["eos_0", "eos_0", "eos_1"]
    cell = cells[0]
    assert cell.get_potential_energy(force_consistent=True) == -17.0
    # 1000 bar of pressure: ASE's stress is negative, 1 bar = 6.2415e-7 eV/Å^3
    np.testing.assert_allclose(cell.get_stress()[[0, 5]], [-6.2415e-4, -3.1208e-5], rtol=1e-4)
    assert cell.info["stress_valid"]


def test_a_repeated_structure_is_never_in_training_and_test(tmp_path):
    others = [entry(Positions=[[0, 0, 0], [1.6, 1.6, z]]) for z in (1.4, 1.3)]
    write_group(tmp_path, "slices", entry(), *others, entry(Energy=-16.9))
    cells, problems = load(tmp_path, block=1)
    trajectories = [cell.info["trajectory"] for cell in cells]
    assert trajectories == ["slices_0", "slices_1", "slices_2", "slices_0"]
    assert list(problems["problem"]) == ["same structure as slices/slices_0.json"]


def test_a_structure_of_two_groups_is_kept_once(tmp_path):
    """A folder of the whole set and its parts, as published sets often are."""
    cells = make_cells(10)
    for name, part in (("all", cells), ("train", cells[:7]), ("test", cells[7:])):
        (tmp_path / f"{name}.xyz").write_text("".join(xyz_frame(a, group=None) for a in part))
    found, problems = load(tmp_path, block=1)
    out = problems[problems["action"] == "left out"]
    assert len(found) == len(out) == len(cells)
    assert len({structure_key(cell) for cell in found}) == len(cells)
    assert out.iloc[0]["record"] == "test.xyz:0"
    assert out.iloc[0]["problem"] == "same structure as all.xyz:7 of group group all"


def test_periodic_images_are_the_same_structure(tmp_path):
    atoms, *others = make_cells(3)
    image = atoms.copy()
    image.positions[0] += atoms.cell.array[0] - 2 * atoms.cell.array[2]
    image.calc = atoms.calc
    frames = [xyz_frame(a) for a in (atoms, *others, image)]
    (tmp_path / "set.xyz").write_text("".join(frames))
    found, problems = load(tmp_path / "set.xyz", block=1)
    assert [cell.info["trajectory"] for cell in found] == ["bulk_0", "bulk_1", "bulk_2", "bulk_0"]
    assert list(problems["problem"]) == ["same structure as set.xyz:0"]


def test_a_set_to_be_relabelled_carries_nothing_of_its_labels(tmp_path):
    write_group(tmp_path, "eos", entry())
    cells, _ = load(tmp_path)
    (bare,) = without_labels(cells)
    assert bare.calc is None
    assert set(bare.info) == {"dataset", "config_type", "trajectory", "record"}
    assert bare.info["config_type"] == "eos"
    np.testing.assert_array_equal(bare.positions, cells[0].positions)


def test_missing_stress_is_marked(tmp_path):
    write_group(tmp_path, "md", entry(Stress=np.zeros((3, 3)).tolist()))
    (cell,), _ = load(tmp_path)
    assert not cell.info["stress_valid"]


def test_bad_records_are_reported_and_the_rest_read(tmp_path):
    bad = {
        "counts": entry(NumAtoms=3),
        "forces": entry(Forces=[[0, 0, 0]]),
        "nan": entry(Energy=float("nan")),
        "other": entry(AtomTypes=["W", "Be"]),
        "overlap": entry(Positions=[[0, 0, 0], [0, 0, 0]]),
        "flat": entry(Lattice=[[3.2, 0, 0], [0, 3.2, 0], [3.2, 3.2, 0]]),
    }
    for group, data in bad.items():
        write_group(tmp_path, group, data)
    write_group(tmp_path, "good", entry(), entry())
    write_group(tmp_path, "hartree", entry(), EnergyStyle="hartree")
    cells, problems = load(tmp_path)
    assert [cell.info["config_type"] for cell in cells] == ["good", "good"]
    said = problems.set_index("group")["problem"]
    assert "NumAtoms is 3, but there are 2 atom types" in said["counts"]
    assert "Forces has shape (1, 3)" in said["forces"]
    assert "not finite" in said["nan"]
    assert "holds Be, the study is of W" in said["other"]
    assert "cell 0" in said["overlap"].lower()
    assert "volume" in said["flat"]
    assert "only electronvolt can be read" in said["hartree"]
    assert said["good"] == "same structure as good/good_0.json"
    actions = problems.set_index("group")["action"]
    assert actions["good"] == "kept"
    assert (actions.drop("good") == "left out").all()


def test_a_group_without_forces_is_left_out_and_a_set_without_any_is_refused(tmp_path):
    without = entry()
    del without["Forces"]
    write_group(tmp_path, "static", without)
    with pytest.raises(ValueError, match=r"none of the 1 records of the published data set .* use"):
        load(tmp_path)
    write_group(tmp_path, "md", entry())
    cells, problems = load(tmp_path)
    assert [cell.info["config_type"] for cell in cells] == ["md"]
    (row,) = problems.to_dict("records")
    assert (row["group"], row["action"]) == ("static", "left out")
    assert "Forces" in row["problem"] or "forces" in row["problem"]


def test_folder_archive_and_xyz_give_the_same(tmp_path):
    write_group(tmp_path / "set", "b", *[entry(Energy=-17.0 - i) for i in range(12)])
    with tarfile.open(tmp_path / "set.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "set", "set")
    from_folder, _ = load(tmp_path / "set")
    from_archive, _ = load(tmp_path / "set.tar.xz")
    write_cells(tmp_path / "set.xyz", from_folder)
    from_xyz, _ = load(tmp_path / "set.xyz")
    for cells in (from_archive, from_xyz):
        energies = [cell.get_potential_energy() for cell in cells]
        assert energies == [-17.0 - i for i in range(12)]  # 10 after 9, not after 1
        assert [c.info["config_type"] for c in cells] == ["b"] * 12


def test_records_that_name_protocols_are_told_apart(tmp_path):
    write_group(tmp_path / "set", "b", entry(), entry(Energy=-16.0))
    cells, _ = load(tmp_path / "set")
    assert {cell.info["protocol"] for cell in cells} == {"p"}
    cells[1].info["protocol"] = "q"
    write_cells(tmp_path / "set.xyz", cells)
    again, _ = load(tmp_path / "set.xyz")
    assert [cell.info["protocol"] for cell in again] == ["p-p", "p-q"]


class Resuming(http.server.BaseHTTPRequestHandler):
    """Serves bytes, the rest of them when asked for a range."""

    body = b"x" * 5000 + b"the end"
    asked: tuple[str, ...] = ()
    breaks_at: int | None = None

    def do_GET(self):
        start = int((self.headers["Range"] or "bytes=0-")[6:-1])
        Resuming.asked += (f"from {start}",)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.body) - start))
        self.end_headers()
        self.wfile.write(self.body[start : Resuming.breaks_at])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Resuming)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/set.bin"
    server.shutdown()
    server.server_close()


def test_download_is_continued_verified_and_kept(tmp_path, url):
    checksum = sha256(Resuming.body).hexdigest()
    (tmp_path / f"{checksum[:12]}-set.bin.part").write_bytes(Resuming.body[:3000])
    Resuming.asked = ()
    path = locate(url, checksum, tmp_path)
    assert path.read_bytes() == Resuming.body
    assert locate(url, checksum, tmp_path) == path
    assert Resuming.asked == ("from 3000",)
    assert file_hash(path) == checksum


def test_a_broken_connection_is_said_and_the_download_goes_on(tmp_path, url, monkeypatch):
    checksum = sha256(Resuming.body).hexdigest()
    monkeypatch.setattr(Resuming, "breaks_at", 4000)
    with pytest.raises(SourceError, match="broke after 4,000 of 5,007 bytes; run the same command"):
        locate(url, checksum, tmp_path)
    monkeypatch.setattr(Resuming, "breaks_at", None)
    Resuming.asked = ()
    assert locate(url, checksum, tmp_path).read_bytes() == Resuming.body
    assert Resuming.asked == ("from 4000",)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://zenodo.org/records/1/files/set.xyz?download=1", "set.xyz"),
        ("data/my set.tar.gz", "my set.tar.gz"),
        ("data/folder/", "folder"),
        ("https://x.org/", "set"),
    ],
)
def test_names_of_sources(source, name):
    assert source_name(source) == name


def test_trouble_with_sources_is_said(tmp_path, url):
    with pytest.raises(SourceError, match="needs its sha256"):
        locate(url, None, tmp_path)
    with pytest.raises(SourceError, match="the study file says 0000"):
        locate(url, "0" * 64, tmp_path)
    with pytest.raises(SourceError, match="go online, or set source to a local copy"):
        locate("http://127.0.0.1:9/set.bin", "0" * 64, tmp_path)
    with pytest.raises(SourceError, match="no file or folder 'absent'"):
        locate("absent", None, tmp_path)
