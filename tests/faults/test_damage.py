"""Files of a finished study that were damaged are noticed, named, and mended as it is said."""

import os
import re
import shlex
import shutil
from contextlib import suppress

import pandas as pd
import pytest

from diverse.seals import DamagedFileError, check_seals, seal
from paths import ROOT, snakemake

SMOKE = ("--configfile", str(ROOT / "config/smoke.yaml"))


def change_a_digit(path):
    """Change a digit, the first behind the middle of a file where there is one."""
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    places = [*range(half, len(content)), *range(half)]
    place = next(i for i in places if content[i] in b"0123456789")
    content[place] = ord(str((int(chr(content[place])) + 1) % 10))
    path.write_bytes(bytes(content))


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def empty_in_secret(path):
    """Empty a file and keep its time, as a disk does that fails."""
    before = path.stat()
    empty(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def put_another(path):
    """Put another file of the study in the place of this one."""
    others = sorted(path.parents[1].glob(f"*/*{path.suffix}"))
    other = next(other for other in others if other.read_bytes() != path.read_bytes())
    shutil.copy2(other, path)


WAYS = {
    "with one digit changed": change_a_digit,
    "with one bit flipped": flip_a_bit,
    "truncated": truncate,
    "emptied": empty,
    "emptied, its time kept": empty_in_secret,
    "in whose place another lies": put_another,
}


@pytest.fixture
def copy(study, tmp_path):
    """Copy the study to beside itself, as one copies a clone: all its files are new."""
    target = tmp_path.with_name(f"{tmp_path.name}, \"quoted\" and 'ü'")
    return shutil.copytree(study, target, copy_function=shutil.copy)


def test_a_copied_study_has_nothing_to_do_wherever_it_lies(copy, study, drilled):
    assert "Nothing to be done" in snakemake(copy, *SMOKE, "--dry-run").stdout
    drilled("a finished study copied elsewhere, all its files new", "nothing is done again")
    shutil.rmtree(copy / ".snakemake")
    for path in (copy / "results").rglob("*"):
        shutil.copystat(study / path.relative_to(copy), path)
    assert "Nothing to be done" in snakemake(copy, *SMOKE, "--dry-run").stdout
    drilled("a finished study without `.snakemake`", "nothing is done again")


def test_damage_of_every_kind_of_file_is_noticed(copy, drilled):
    """One file of each folder and ending; what has no digit or no fellow is left out there."""
    results = copy / "results/smoke"
    names = pd.read_csv(results / "manifest.csv")["path"]
    whole = [name for name in names if (results / name).stat().st_size]
    kinds = {(name.split("/")[0], name.rsplit(".", 1)[-1]): results / name for name in whole}
    for way, damage in WAYS.items():
        tried = 0
        for path in kinds.values():
            sound = path.read_bytes()
            with suppress(StopIteration):
                damage(path)
                with pytest.raises(DamagedFileError, match="is not what its job wrote"):
                    check_seals([path])
                tried += 1
            path.write_bytes(sound)
        assert tried > 20
        drilled(f"a file {way}", "named by each job that reads it, and by `verify`", times=tried)


DAMAGED = {
    "structures/expert/1.xyz": "emptied, its time kept",
    "labels/random/0.xyz": "with one digit changed",
    "labels/expert.xyz.xz": "with one bit flipped",
    "datasets/entropy/train.xyz": "truncated",
    "predictions/random/linear4/0/hot.npz": "in whose place another lies",
    "models/expert/linear4/search.csv": "emptied",
    "potentials/expert-quadratic4-0/potential.snapcoeff": "with one digit changed",
    "tables/scores.csv": "with one digit changed",
}


def test_damage_in_any_stage_is_found_and_mended_by_the_command_that_is_named(copy, drilled):
    results = copy / "results/smoke"
    sound = {name: (results / name).read_bytes() for name in DAMAGED}
    for name, way in DAMAGED.items():
        WAYS[way](results / name)
    said = snakemake(copy, *SMOKE, "--", "verify", check=False)
    assert said.returncode == 1
    assert f"{len(DAMAGED)} files of results/smoke are not as their jobs wrote them" in said.stdout
    remove, make = re.search(
        r"rm -f (.*); \./envs/run snakemake --cores all (.*)", said.stdout
    ).groups()
    for name in shlex.split(remove):
        (copy / name).unlink()
    option, config, *names = shlex.split(make)
    snakemake(copy, option, str(copy / config), *names)
    snakemake(copy, *SMOKE)  # "then run the study once more"
    assert {name: (results / name).read_bytes() for name in DAMAGED} == sound
    assert "Nothing to be done" in snakemake(copy, *SMOKE, "--dry-run").stdout
    said = snakemake(copy, *SMOKE, "--", "verify")
    assert "every file is as its job wrote it; made again with the same bytes" in said.stdout
    drilled(
        "files damaged in eight stages",
        "`verify` names them, and the command that makes the same bytes again",
        times=len(DAMAGED),
    )


def test_a_job_that_reads_a_damaged_file_names_it(copy):
    change_a_digit(copy / "results/smoke/datasets/hot/test.xyz")
    export = "results/smoke/models/expert/linear4/0/export.csv"
    said = snakemake(copy, *SMOKE, "--", export, check=False)
    assert said.returncode == 1
    sentence = "results/smoke/datasets/hot/test.xyz is not what its job wrote"
    assert f"check_export: {sentence}" in said.stdout
    assert sentence in (copy / "results/smoke/logs/check_export/linear4/0.log").read_text()


def test_a_changed_potential_fails_the_study(copy):
    path = copy / "results/smoke/models/expert/quadratic4/0/potential.snapcoeff"
    *lines, last = path.read_text().splitlines()
    path.write_text("\n".join([*lines, repr(1.001 * float(last))]) + "\n")
    result = snakemake(copy, *SMOKE, check=False)
    assert result.returncode == 1
    assert (
        "models/expert/quadratic4/0/potential.snapcoeff is not what its job wrote" in result.stdout
    )
    seal([path])  # as if it had been written so
    result = snakemake(copy, *SMOKE, check=False)
    assert "models/expert/quadratic4/0 differs from the model that was trained by" in result.stdout
    assert "its files were changed, or the export is wrong" in result.stdout
