"""The likeliest mistakes of a newcomer, each with the sentence that it ends in.

Mistakes in the study file and in the user's own cells are made here; the others name the test that
makes them.
"""

import re
from functools import partial

import pytest
import yaml

from diverse.datasets.literature.importer import import_records
from diverse.datasets.literature.records import read_records
from diverse.study.check import load_study
from diverse.study.describe import SCHEMA
from diverse.study.reading import ConfigError, check_file
from literature_sources import make_cells, xyz_frame
from markdown_blocks import blocks
from paths import ROOT, snakemake

TUTORIAL = yaml.safe_load(blocks("config/tutorials/element.md")[0].text)
CELLS = make_cells(4)


def study_with(**changes):
    """Return what is said of the tutorial's study with other top-level entries."""
    return partial(load_study, TUTORIAL | changes, str(SCHEMA))


def data_set(**changes):
    """Return what is said of the tutorial's study with another data set."""
    return study_with(datasets=TUTORIAL["datasets"] | {"mine": changes})


STUDY = {  # what is wrong with the study file, and what is said
    "an element that there is none of": (study_with(element="Cx"), "there is no element 'Cx'"),
    "a misspelt key": (study_with(datesets={}), "unknown key 'datesets'; did you mean 'datasets'"),
    "a misspelt labeller": (study_with(labeller="emd"), "no labeller 'emd' under labellers"),
    "a comma for the decimal point": (
        study_with(lattice={"structure": "fcc", "a": "3,6"}),
        "lattice.a: '3,6' is not of type 'number' but text; write 3.6",
    ),
    "a cutoff in nanometres": (study_with(cutoff=0.44), "cutoff: 0.44 is less than"),
    "a cutoff that holds no neighbour": (study_with(cutoff=2.1), "cutoff: 2.1 Å holds hardly a"),
    "a file that was moved": (
        data_set(family="literature", source="data/mine.xyz"),
        "datasets.mine: there is no file or folder 'data/mine.xyz'; correct source",
    ),
    "a missing study file": (partial(check_file, "config/mine.yaml"), "There is no file 'config/m"),
    "a study file that is a folder": (partial(check_file, "/"), "'/' is not a file: name the stu"),
}


@pytest.mark.parametrize("name", STUDY)
def test_a_mistake_in_the_study_file_is_one_sentence(name):
    make, sentence = STUDY[name]
    with pytest.raises(ConfigError, match=re.escape(sentence)) as error:
        make()
    assert "\n" not in str(error.value)


def frames(change):
    """Return four frames of extended XYZ, the second changed."""
    texts = [xyz_frame(cell) for cell in CELLS]
    texts[1] = change(texts[1])
    return "".join(texts)


def all_frames(change):
    """Return four frames of extended XYZ, every one changed."""
    return "".join(change(xyz_frame(cell)) for cell in CELLS)


RECORDS = {  # what is wrong with a user's own cells, and what is said
    "energies that are NaN": (
        frames(lambda f: f.replace("energy=", "energy=nan x=")),
        "a label is not finite",
    ),
    "another element": (frames(lambda f: f.replace("W ", "Ta ")), "holds Ta, the study is of W"),
    "duplicate cells": (frames(lambda _: xyz_frame(CELLS[0])), "same structure as"),
    "mixed periodicity": (
        frames(lambda f: f.replace("config_type", 'pbc="T T F" config_type')),
        "repeats as pbc T T F says: in a box with vacuum, without stress",
    ),
    "atoms on top of each other": (
        frames(lambda f: "\n".join([*f.splitlines()[:-1], f.splitlines()[-2]]) + "\n"),
        "overlaps atom 3, or one of its images",
    ),
    "columns called otherwise": (
        all_frames(lambda f: f.replace("energy=", "E_of_mine=").replace("forces:", "mine:")),
        "no energy and no forces; it holds E_of_mine",
    ),
    "no forces": (all_frames(lambda f: f.replace("forces:", "velo:")), "no forces"),
    "an empty file": ("", "empty"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_mistake_in_own_cells_is_said(name, tmp_path):
    text, sentence = RECORDS[name]
    path = tmp_path / "mine.xyz"
    path.write_text(text)
    settings = {"dataset": "mine", "element": "W", "protocol": "p", "block": 20, "reach": 4.8}
    try:
        _, problems = import_records(read_records(path, None), **settings)
        said = " ".join(problems["problem"])
    except ValueError as error:
        said = str(error)
    assert sentence in said


COMMANDS = {  # what is wrong with the command, and what is said
    "a misspelt target": (("--cores", "1", "--", "lable"), "No rule to produce lable"),
    "no number of cores": (("--cores", "two"), "(--cores, -c): must be integer or 'all'"),
    "results of another study": (
        ("--dry-run",),
        "study: results/copper holds a study of Ni, this one is of Cu: give it another name, or",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_mistake_in_the_command_is_said(name, tmp_path):
    arguments, sentence = COMMANDS[name]
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(TUTORIAL))
    if "another" in name:
        (tmp_path / "results/copper").mkdir(parents=True)
        (tmp_path / "results/copper/config.yaml").write_text("element: Ni\n")
    told = snakemake(tmp_path, "--configfile", str(path), *arguments, check=False)
    assert told.returncode
    assert sentence in told.stdout
    assert "Traceback" not in told.stdout


ELSEWHERE = {  # mistakes, and trouble with the machine, that other tests make
    "a stress in a wrong unit or of wrong sign": (
        "unit/test_literature_stress.py",
        "test_a_stress_of_wrong_sign_or_size_is_missing",
    ),
    "a unit that nobody knows": ("unit/test_literature_stress.py", "test_an_unknown_unit_is_said"),
    "a file in another form": (
        "unit/test_literature_containers.py",
        "test_other_forms_are_refused_with_those_that_are_read",
    ),
    "a study file that is no YAML": (
        "unit/test_reading.py",
        "test_what_is_wrong_with_a_file_is_said",
    ),
    "a key that stands twice": ("unit/test_reading.py", "test_what_is_wrong_with_a_file_is_said"),
    "a calculator that cannot be found": (
        "unit/test_config.py",
        "test_factories_that_cannot_be_are_refused",
    ),
    "a calculator that returns NaN": (
        "unit/test_labellers.py",
        "test_anything_but_real_numbers_of_the_right_shape_is_a_failed_cell",
    ),
    "no compiler": ("unit/test_kernel_build.py", "test_no_compiler_gives_a_sentence"),
    "a Python that is too old": ("unit/test_environment.py", "test_old_python_is_refused"),
    "no network": ("unit/test_environment.py", "test_a_failed_install_leaves_nothing"),
    "a clone of somebody else": (
        "unit/test_environment.py",
        "test_another_user_runs_in_a_clone_that_is_not_theirs",
    ),
    "a full disk": (
        "unit/test_job.py",
        "test_a_full_disk_is_one_sentence_even_where_the_log_lies_on_it",
    ),
    "a file that was edited": (
        "faults/test_damage.py",
        "test_a_job_that_reads_a_damaged_file_names_it",
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_mistake_is_made_by_another_test(name):
    file, test = ELSEWHERE[name]
    assert f"def {test}(" in (ROOT / "tests" / file).read_text()
