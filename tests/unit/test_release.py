"""The released copy of a study: complete, compressed, with a manifest that fits."""

import json
import shutil
import tarfile
from hashlib import sha256

import ase.io
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from diverse.labels.ledger import Ledger, LedgerError, label_key, merge, write_rows
from diverse.report.contents import Contents
from diverse.report.release import (
    chosen_potentials,
    readme_figures,
    release_ahead,
    release_beside,
    release_study,
)
from diverse.report.version import Version
from paths import ROOT

VERSION = Version(ROOT, "0.1.0", "abc", [])
CONTENTS = Contents(
    labels=["set"],
    errors=[
        *("errors/draws/set/linear6.csv.xz", "errors/subsets/linear6.csv.xz"),
        *("errors/cells.csv.xz", "errors/not_made.csv"),
    ],
    potentials=["set-linear6-0", "set-linear6-1"],
    dynamics={kind: ["set-linear4", "set-linear6"] for kind in ("nve", "ramps")},
    physics=["zhou", "dft"],
)
CHOICE = {"contents": CONTENTS, "figures": ["a.png"], "potentials": ["set-linear6-0"]}
CHOICE |= {"version": VERSION}


def study(results, labelled):
    """Write the deliverables of a finished study, and return its large table."""
    for chunk in (0, 1):
        write_rows(results / f"labels/set/{chunk}.xyz", labelled[20 * chunk : 20 * chunk + 20])
    merge([results / f"labels/set/{chunk}.xyz" for chunk in (0, 1)], results / "labels/set.xyz.xz")
    potentials = [f"potentials/set-linear6-{seed}/potential.nn" for seed in (0, 1)]
    files = ["tables/a.csv", "labels/README.md", "errors/draws/set/linear6.csv.xz", *potentials]
    files += ["errors/subsets/linear6.csv.xz", "errors/cells.csv.xz"]
    files += ["errors/draws/set/.sha256/linear6.csv.xz"]
    for path in (results / file for file in [*files, "potentials/set-linear6-0/.snakemake_own"]):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    (results / "config.yaml").write_text("study: mine\n")
    (results / "figures").mkdir()
    for name in ("a", "b"):
        pixels = np.random.default_rng(1).integers(0, 4, (40, 60, 3)) * 80
        Image.fromarray(pixels.astype(np.uint8)).save(results / f"figures/{name}.png")
    large = pd.DataFrame({"number": range(200_000)})
    large.to_csv(results / "tables/large.csv", index=False)
    return large


def in_set(cell):
    """Return a labelled cell as one of data set ``set``."""
    row = cell.copy()
    row.calc = cell.calc
    row.info["dataset"] = "set"
    return row


def test_release(tmp_path, labelled, zhou):
    results, target = tmp_path / "results", tmp_path / "release"
    large = study(results, labelled)
    archive = release_study(results, target, **CHOICE)
    manifest = pd.read_csv(target / "manifest.csv").set_index("path")
    assert set(manifest.index) == {
        "labels/set.xyz.xz",
        "labels/README.md",
        "tables/a.csv",
        "errors/draws/set/linear6.csv.xz",
        "errors/cells.csv.xz",
        "tables/large.csv.xz",
        "figures/a.png",
        "potentials/set-linear6-0/potential.nn",
        "../results/release.tar.xz",
    }
    for name, row in manifest.iterrows():
        assert sha256((target / name).read_bytes()).hexdigest() == row["sha256"]
    pd.testing.assert_frame_equal(pd.read_csv(target / "tables/large.csv.xz"), large)
    assert len(ase.io.read(target / "labels/set.xyz.xz", index=":")) == 40
    ledger = Ledger(tmp_path / "new.xyz", [target / "labels/set.xyz.xz"])
    assert all(ledger.find(label_key(cell, zhou.protocol)) for cell in labelled)
    check_archive(archive, tmp_path / "unpacked")


def check_archive(archive, folder):
    """Assert that an archive holds the study of `study`, and that its checksums are right."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    assert unpacked.name == "diverse-0.1.0-mine"
    assert "Study mine" in (unpacked / "README.md").read_text()
    assert VERSION.commit in (unpacked / "README.md").read_text()
    lines = [line.split("  ") for line in (unpacked / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    for name, digest in sums.items():
        assert sha256((unpacked / name).read_bytes()).hexdigest() == digest, name
    assert set(sums) == {
        *("README.md", "LICENSE", "CITATION.cff", "config.yaml"),
        *("labels/README.md", "labels/set.xyz.xz", "tables/a.csv", "tables/large.csv"),
        *("figures/a.png", "figures/b.png", "errors/cells.csv.xz"),
        *(f"potentials/set-linear6-{seed}/potential.nn" for seed in (0, 1)),
        *("errors/draws/set/linear6.csv.xz", "errors/subsets/linear6.csv.xz"),
    }


def test_sets_and_models_that_the_study_no_longer_has_are_not_released(tmp_path, labelled):
    results, target = tmp_path / "results", tmp_path / "release"
    study(results, labelled)
    row = "potential,train,digest\n{name},set,1\n"
    for name in ("set-linear4", "zhou", "old"):
        for folder in ("dynamics/nve", "dynamics/ramps", "physics/values"):
            (results / folder).mkdir(parents=True, exist_ok=True)
            (results / f"{folder}/{name}.csv").write_text(row.format(name=name))
            (results / f"{folder}/{name}.json").write_text(f'{{"{name}": 1}}')
    old = ["labels/old.xyz.xz", "errors/draws/old/linear6.csv.xz", "errors/subsets/old.csv.xz"]
    old += ["errors/draws/set/old.csv.xz", "potentials/old-linear6-0/README.md"]
    for path in (results / name for name in old):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    archive = release_study(results, target, **CHOICE)
    with tarfile.open(archive) as packed:
        names = [*packed.getnames(), *pd.read_csv(target / "manifest.csv")["path"]]
    assert not [name for name in names if "old" in name]
    for table, name in (
        ("dynamics/results.csv.xz", "set-linear4"),
        ("physics/results.csv", "zhou"),
    ):
        assert set(pd.read_csv(target / table)["potential"]) == {name}
    assert set(pd.read_csv(target / "dynamics/results-ramps.csv.xz")["potential"]) == {
        "set-linear4"
    }
    assert set(json.loads((target / "physics/results.json").read_text())) == {"zhou"}


def test_physical_properties_are_released_with_the_labels_behind_them(tmp_path, labelled):
    results, target = tmp_path / "results", tmp_path / "release"
    study(results, labelled)
    values = results / "physics/values"
    values.mkdir(parents=True)
    for name, digest in (("zhou", "1e9"), ("dft", "0123")):
        row = {"potential": name, "digest": digest, "property": "C11", "value": 500.0}
        pd.DataFrame([row]).to_csv(values / f"{name}.csv", index=False)
        (values / f"{name}.json").write_text(json.dumps({name: {"C11": {"x": [1.0]}}}))
    write_rows(results / "ledger/physics/dft.xyz", labelled[:5])
    release_study(results, target, **CHOICE)
    released = pd.read_csv(target / "physics/results.csv", dtype={"digest": str})
    assert released.set_index("potential")["digest"].to_dict() == {"dft": "0123", "zhou": "1e9"}
    assert set(json.loads((target / "physics/results.json").read_text())) == {"dft", "zhou"}
    assert len(Ledger(None, [target / "physics/results.xyz.xz"]).rows()) == 5
    write_rows(results / "ledger/physics/dft.xyz", labelled[4:7])  # others were found released
    release_study(results, target, **CHOICE)
    assert len(Ledger(None, [target / "physics/results.xyz.xz"]).rows()) == 7


def test_a_study_beside_the_released_one_ships_no_labels(tmp_path, labelled):
    """Tables, errors, choice of figures and potentials, and the cost of every job."""
    results, release = tmp_path / "results", tmp_path / "release"
    study(results, labelled)
    (release / "tables").mkdir(parents=True)
    (release / "tables/own.csv").write_text("1")
    (results / "benchmarks/fit").mkdir(parents=True)
    (results / "benchmarks/fit/a.tsv").write_text("s\tmax_rss\n2.5\t100\n")
    target = release / "mine"
    choice = {"contents": CONTENTS, "potentials": CHOICE["potentials"]}
    release_beside(results, target, figures=["a.png", "absent.png"], **choice)
    names = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert {"labels/README.md", "figures/a.png", "tables/a.csv", "config.yaml"} <= names
    assert "errors/draws/set/linear6.csv.xz" in names
    assert not [name for name in names if name.endswith(".xyz.xz") or "absent" in name]
    assert "are not shipped with it" in (target / "labels/README.md").read_text()
    assert pd.read_csv(target / "benchmarks.csv").to_dict("records") == [
        {"job": "fit/a", "s": 2.5, "max_rss": 100}
    ]
    listed = set(pd.read_csv(release / "manifest.csv")["path"])
    assert listed == {"tables/own.csv", *(f"mine/{name}" for name in names - {"manifest.csv"})}


def test_the_archive_of_the_same_study_has_the_same_bytes_and_stays_in_the_manifest(
    tmp_path, labelled
):
    results, target = tmp_path / "results", tmp_path / "release"
    study(results, labelled)
    first = release_study(results, target, **CHOICE).read_bytes()
    assert release_study(results, target, **CHOICE).read_bytes() == first
    before = pd.read_csv(target / "manifest.csv")
    release_ahead(results, target)
    pd.testing.assert_frame_equal(pd.read_csv(target / "manifest.csv"), before)


def test_runs_of_dynamics_are_released_as_one_table(tmp_path, labelled):
    results, target = tmp_path / "results", tmp_path / "release"
    study(results, labelled)
    rows = pd.DataFrame({"train": ["set"] * 2, "timestep": [1.0, 2.0], "energy_rms": [0.01, 0.04]})
    for folder in ("nve", "ramps"):
        (results / "dynamics" / folder).mkdir(parents=True)
        for model in ("linear4", "linear6"):
            path = results / f"dynamics/{folder}/set-{model}.csv"
            rows.assign(model=model, of=folder).to_csv(path, index=False)
    release_study(results, target, **CHOICE)
    released = pd.read_csv(target / "dynamics/results.csv.xz")
    assert released.groupby("model", sort=False)["energy_rms"].sum().round(9).to_dict() == {
        "linear4": 0.05,
        "linear6": 0.05,
    }
    assert (released["of"] == "nve").all()
    ramps = pd.read_csv(target / "dynamics/results-ramps.csv.xz")
    assert (ramps["of"] == "ramps").all()
    assert set(ramps["model"]) == {"linear4", "linear6"}
    listed = set(pd.read_csv(target / "manifest.csv")["path"])
    assert {"dynamics/results.csv.xz", "dynamics/results-ramps.csv.xz"} <= listed


def test_a_released_figure_is_the_same_picture_with_a_palette(tmp_path, labelled):
    results, target = tmp_path / "results", tmp_path / "release"
    study(results, labelled)
    release_study(results, target, **CHOICE)
    with Image.open(target / "figures/a.png") as image:
        assert image.mode == "P"
        pixels = np.asarray(image.convert("RGB"), dtype=int)
    with Image.open(results / "figures/a.png") as image:
        assert np.abs(pixels - np.asarray(image, dtype=int)).max() <= 1


def test_git_gets_the_largest_model_of_each_family_on_the_entropy_and_the_expert_set():
    models = [("linear4", "linear", 15), ("linear6", "linear", 31), ("deep", "network", 900)]
    models += [("ace224", "ace", 224)]  # megabytes: in the archive alone
    scores = pd.DataFrame(models, columns=["model", "family", "n_parameters"])
    families = {"mine": "expert", "wide": "entropy", "wider": "entropy", "drawn": "random"}
    assert chosen_potentials(scores, families) == [
        *("wide-linear6-0", "wide-deep-0", "mine-linear6-0", "mine-deep-0")
    ]
    assert chosen_potentials(scores, {"drawn": "random"}) == []


def test_git_gets_the_figures_that_the_readme_shows(tmp_path):
    readme = tmp_path / "README.md"
    assert readme_figures(readme) == []
    folder = "results/release/figures"
    readme.write_text(f"![a]({folder}/a.png) and [b]({folder}/b-1.png), ![a]({folder}/a.png)")
    assert readme_figures(readme) == ["a.png", "b-1.png"]


def test_the_manifest_lists_the_released_files_as_they_are():
    release = ROOT / "results/release"
    rows = pd.read_csv(release / "manifest.csv").set_index("path")
    inside = rows[~rows.index.str.startswith("..")]
    files = [path for path in release.rglob("*") if path.is_file() and path.name != "manifest.csv"]
    assert sorted(inside.index) == sorted(str(path.relative_to(release)) for path in files)
    for name, row in inside.iterrows():
        assert sha256((release / name).read_bytes()).hexdigest() == row["sha256"], name


def test_labels_that_lie_ahead_are_kept_until_they_are_released(tmp_path, labelled, zhou):
    results, target = tmp_path / "results", tmp_path / "release"
    labelled = [in_set(cell) for cell in labelled]
    failed = labelled[5].copy()
    failed.info.update(labelled[5].info, status="failed")
    write_rows(target / "labels/set.xyz.xz", labelled[:2])
    write_rows(results / "ledger/set/0.xyz", labelled[:2])
    write_rows(results / "ledger/set/1.xyz", [labelled[2], failed])
    write_rows(results / "ledger/audit/set.xyz", labelled[8:9])
    write_rows(results / "ledger/convergence/fine.xyz", labelled[9:12])
    write_rows(target / "convergence/results.xyz.xz", labelled[9:10])
    assert release_ahead(results, target) == {"convergence": 2, "set": 1}
    shutil.rmtree(results / "ledger/convergence")
    assert release_ahead(results, target) == {"convergence": 2, "set": 1}
    write_rows(target / "convergence/results.xyz.xz", labelled[9:12])
    shutil.rmtree(results / "ledger")  # another machine goes on
    write_rows(results / "ledger/set/2.xyz", labelled[3:5])
    assert release_ahead(results, target) == {"set": 3}
    ahead = target / "labels-ahead/set.xyz.xz"
    keys = [row.info["key"] for row in Ledger(None, [ahead]).rows()]
    assert keys == [label_key(cell, zhou.protocol) for cell in labelled[2:5]]
    assert "labels-ahead/set.xyz.xz" in (target / "manifest.csv").read_text()
    merge([ahead, target / "labels/set.xyz.xz"], results / "labels/set.xyz.xz")
    (results / "labels/README.md").write_text("card")
    (results / "config.yaml").write_text("study: mine\n")
    release_study(results, target, **CHOICE | {"figures": [], "potentials": []})
    assert not ahead.exists()


def test_a_label_of_a_cell_that_failed_where_it_is_released_lies_ahead(tmp_path, labelled):
    results, target = tmp_path / "results", tmp_path / "release"
    good = in_set(labelled[0])
    failed = good.copy()
    failed.info.update(good.info, status="failed")
    write_rows(target / "labels/set.xyz.xz", [failed])
    write_rows(results / "ledger/set/3.xyz", [good])
    for _ in range(2):  # it stays
        assert release_ahead(results, target) == {"set": 1}
    both = Ledger(None, sorted(target.glob("labels*/*.xyz.xz")))
    assert both.find(good.info["key"]).calc is not None


def test_damaged_labels_ahead_are_named_and_left_as_they_are(tmp_path, labelled):
    ahead = tmp_path / "release/labels-ahead/set.xyz.xz"
    write_rows(ahead, labelled[:3])
    damaged = ahead.read_bytes()[:-20]
    ahead.write_bytes(damaged)
    with pytest.raises(LedgerError, match=r"set.xyz.xz is damaged .* restore the file"):
        release_ahead(tmp_path / "results", tmp_path / "release")
    assert ahead.read_bytes() == damaged
