"""The released copy of a study: complete, compressed, with a manifest that fits."""

import shutil
from hashlib import sha256

import ase.io
import pandas as pd
import pytest

from diverse.errors.ratios import verdicts_table
from diverse.labels.ledger import Ledger, LedgerError, label_key, merge, write_rows
from diverse.report.release import release_ahead, release_study, show_verdicts
from paths import ROOT


def test_release(tmp_path, labelled, zhou):
    results, target = tmp_path / "results", tmp_path / "release"
    for chunk in (0, 1):
        write_rows(results / f"labels/set/{chunk}.xyz", labelled[20 * chunk : 20 * chunk + 20])
    merge([results / f"labels/set/{chunk}.xyz" for chunk in (0, 1)], results / "labels/set.xyz.xz")
    model = "potentials/set-linear6-0"
    made = ("tables/a.csv", "figures/a.png", "labels/README.md")
    files = [*made, f"{model}/potential.nn", f"{model}/.snakemake_own"]
    for path in (results / file for file in files):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    large = pd.DataFrame({"number": range(200_000)})
    large.to_csv(results / "tables/large.csv", index=False)
    release_study(results, target)
    manifest = pd.read_csv(target / "manifest.csv").set_index("path")
    assert set(manifest.index) == {
        "labels/set.xyz.xz",
        "labels/README.md",
        "tables/a.csv",
        "tables/large.csv.xz",
        "figures/a.png",
        "potentials/set-linear6-0/potential.nn",
    }
    for name, row in manifest.iterrows():
        assert sha256((target / name).read_bytes()).hexdigest() == row["sha256"]
    pd.testing.assert_frame_equal(pd.read_csv(target / "tables/large.csv.xz"), large)
    assert len(ase.io.read(target / "labels/set.xyz.xz", index=":")) == 40
    ledger = Ledger(tmp_path / "new.xyz", [target / "labels/set.xyz.xz"])
    assert all(ledger.find(label_key(cell, zhou.protocol)) for cell in labelled)


def test_labels_that_lie_ahead_are_kept_until_they_are_released(tmp_path, labelled, zhou):
    results, target = tmp_path / "results", tmp_path / "release"
    failed = labelled[5].copy()
    failed.info.update(labelled[5].info, status="failed")
    write_rows(target / "labels/set.xyz.xz", labelled[:2])
    write_rows(results / "ledger/set/0.xyz", labelled[:2])
    write_rows(results / "ledger/set/1.xyz", [labelled[2], failed])
    write_rows(results / "ledger/audit/set.xyz", labelled[8:9])
    assert release_ahead(results, target) == {"set": 1}
    shutil.rmtree(results / "ledger")  # another machine goes on
    write_rows(results / "ledger/set/2.xyz", labelled[3:5])
    assert release_ahead(results, target) == {"set": 3}
    ahead = target / "labels-ahead/set.xyz.xz"
    keys = [row.info["key"] for row in Ledger(None, [ahead]).rows()]
    assert keys == [label_key(cell, zhou.protocol) for cell in labelled[2:5]]
    assert "labels-ahead/set.xyz.xz" in (target / "manifest.csv").read_text()
    merge([ahead, target / "labels/set.xyz.xz"], results / "labels/set.xyz.xz")
    release_study(results, target)
    assert not ahead.exists()


def test_damaged_labels_ahead_are_named_and_left_as_they_are(tmp_path, labelled):
    ahead = tmp_path / "release/labels-ahead/set.xyz.xz"
    write_rows(ahead, labelled[:3])
    damaged = ahead.read_bytes()[:-20]
    ahead.write_bytes(damaged)
    with pytest.raises(LedgerError, match=r"set.xyz.xz is damaged .* restore the file"):
        release_ahead(tmp_path / "results", tmp_path / "release")
    assert ahead.read_bytes() == damaged


def test_the_readme_says_what_the_released_study_found(tmp_path):
    """Every number of its table comes from the released table, and from nowhere else."""
    text = (ROOT / "README.md").read_text()
    verdicts = pd.read_csv(ROOT / "results/release/tables/verdicts.csv")
    readme = tmp_path / "README.md"
    for shown in (text, text.replace(verdicts_table(verdicts), "an old table")):
        readme.write_text(shown)
        show_verdicts(readme, verdicts)
        assert readme.read_text() == text
    show_verdicts(readme, verdicts.assign(median=17.25))
    assert readme.read_text().count("| 17 (") == len(verdicts)
