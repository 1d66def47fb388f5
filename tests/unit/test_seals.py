"""Seals: a changed file is named with the command that mends it; nothing else is."""

import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from diverse.seals import DamagedFileError, check_seals, seal, sealed_files, write_manifest
from diverse.study import job
from diverse.study.verify import MADE_AGAIN, changed_files, draw_sample


@pytest.fixture
def files(tmp_path):
    """Three sealed files, one of them in a folder that was sealed as a whole."""
    paths = [tmp_path / name for name in ("a.csv", "deep/b.npz", "deep/.hidden")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"1.0 {path.name}\n")
    seal([paths[0], tmp_path / "deep"])
    return paths


def test_sealed_files_are_as_they_were(files, tmp_path):
    assert check_seals([files[0], tmp_path / "deep"]) == 2
    assert [path for path, _ in sealed_files(tmp_path)] == files[:2]
    assert not (tmp_path / "deep/.sha256/.hidden").exists()


def test_any_standard_program_reads_a_seal(files):
    line = (files[0].parent / ".sha256/a.csv").read_text()
    result = subprocess.run(
        ["sha256sum", "-c"], input=line, cwd=files[0].parent, text=True, capture_output=True
    )
    assert result.stdout == "a.csv: OK\n"


@pytest.mark.parametrize("change", ["digit", "cut", "emptied", "longer"])
def test_any_change_is_noticed(files, change):
    text = files[1].read_text()
    changes = {"digit": text.replace("1", "2"), "cut": text[:-2], "emptied": "", "longer": 2 * text}
    files[1].write_text(changes[change])
    with pytest.raises(DamagedFileError, match=r"b\.npz is not what its job wrote"):
        check_seals([files[1].parent])
    seal([files[1]])  # made again
    assert check_seals(files) == 2


def test_files_of_users_have_no_seal_and_are_taken_as_they_are(tmp_path):
    (tmp_path / "mine.xyz").write_text("1\n\nW 0 0 0\n")
    assert check_seals([tmp_path / "mine.xyz", tmp_path / "absent"]) == 0


def given(tmp_path, *inputs, config="smoke"):
    return SimpleNamespace(
        input=[str(path) for path in inputs],
        output=[str(tmp_path / "made.csv")],
        log=[str(tmp_path / "rule.log")],
        rule="score",
        wildcards=[],
        config={"study": config},
        resources={},
    )


def test_a_job_names_the_damaged_file_and_the_command_that_mends_it(files, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.excepthook", None)
    files[0].write_text("9")
    with pytest.raises(DamagedFileError) as caught:
        job.begin(given(tmp_path, files[0]))
    path = files[0]
    assert str(caught.value).endswith(f": rm {path} && ./envs/run snakemake --cores all {path}")


def test_the_mending_command_names_the_study_and_quotes(files, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.excepthook", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/my own").mkdir(parents=True)
    (tmp_path / "results/my own/config.yaml").touch()
    files[0].write_text("9")
    with pytest.raises(DamagedFileError, match="--configfile 'results/my own/config.yaml' -- "):
        job.begin(given(tmp_path, files[0], config="my own"))


def test_the_last_line_of_a_failed_job_is_its_sentence_and_its_log_holds_it(tmp_path, capsys):
    import sys

    snakemake = given(tmp_path)
    before = sys.excepthook
    try:
        job.begin(snakemake)
        try:
            raise ValueError("the cell has no volume")
        except ValueError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.excepthook = before
    assert capsys.readouterr().err.splitlines()[-1] == "score: the cell has no volume"
    log = (tmp_path / "rule.log").read_text()
    assert "ValueError: the cell has no volume" in log
    assert "Traceback" in log


def test_what_a_job_wrote_is_sealed_once_it_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.excepthook", None)
    made = tmp_path / "made.csv"
    job.begin(given(tmp_path))
    made.write_text("a\n")  # and here the job is killed
    with pytest.raises(DamagedFileError, match="the job that wrote it was stopped"):
        check_seals([made])
    assert list(sealed_files(tmp_path)) == []
    made.write_text("a\n1\n")
    job.finish(given(tmp_path))
    assert check_seals([made]) == 1


def test_a_mark_is_left_on_no_file_that_a_seal_is_a_link_to(files, tmp_path, monkeypatch):
    """`verify` makes files again beside links to those of a study."""
    monkeypatch.setattr("sys.excepthook", None)
    (tmp_path / "copy/.sha256").mkdir(parents=True)
    (tmp_path / "copy/.sha256/a.csv").symlink_to(tmp_path / ".sha256/a.csv")
    again = given(tmp_path)
    again.output = [str(tmp_path / "copy/a.csv")]
    job.begin(again)
    assert check_seals([files[0]]) == 1


def test_a_seal_that_is_itself_damaged_fits_no_file(files):
    for content in (b"", b"\xff\xfe", b"0"):
        (files[0].parent / ".sha256/a.csv").write_bytes(content)
        with pytest.raises(DamagedFileError, match="is not what its job wrote"):
            check_seals([files[0]])


def test_the_manifest_tells_changed_and_missing_files(files, tmp_path):
    write_manifest(tmp_path, tmp_path / "manifest.csv")
    assert changed_files(tmp_path).empty
    files[0].write_text("other")
    files[1].unlink()
    found = dict(changed_files(tmp_path).itertuples(index=False))
    assert found == {"a.csv": "changed", "deep/b.npz": "missing"}


def test_a_changed_manifest_is_no_manifest(files, tmp_path):
    manifest = tmp_path / "manifest.csv"
    write_manifest(tmp_path, manifest)
    seal([manifest])
    manifest.write_text(manifest.read_text().splitlines()[0] + "\n")  # it names no file now
    assert changed_files(tmp_path).to_dict("records") == [
        {"path": "manifest.csv", "problem": "changed"}
    ]


def test_a_study_without_a_manifest_is_not_finished(tmp_path):
    with pytest.raises(FileNotFoundError, match="finish the study first"):
        changed_files(tmp_path)


def test_the_sample_has_one_file_of_each_kind(tmp_path):
    paths = [
        *("structures/a/0.xyz", "structures/a/0.npz", "structures/b/1.xyz"),
        *("datasets/a/train.xyz", "models/a/linear4/0/covariance.npz", "errors/cells.csv.xz"),
        *("predictions/a/linear4/0/b.npz", "predictions/a/deep/1/b.npz", "tables/scores.csv"),
    ]
    pd.DataFrame({"path": paths}).to_csv(tmp_path / "manifest.csv")
    drawn = draw_sample(tmp_path, np.random.default_rng(1))
    assert len(drawn) == len(MADE_AGAIN)
    assert drawn[0] in ("structures/a/0.xyz", "structures/b/1.xyz")
    assert drawn[1:] == [paths[3], paths[4], paths[6], paths[5]]


def test_every_script_checks_what_it_reads_and_seals_what_it_writes():
    from paths import ROOT

    for path in (ROOT / "workflow/scripts").glob("*.py"):
        lines = path.read_text().splitlines()
        assert "begin(snakemake)" in lines, path.name
        if path.stem not in ("verify", "reproduce", "release", "release_ahead", "release_fits"):
            assert lines[-1] == "finish(snakemake)", path.name
