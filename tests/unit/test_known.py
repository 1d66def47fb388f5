"""Results that are shown where they exist."""

from pathlib import Path

import pytest
import yaml

from diverse.study.check import load_study
from diverse.study.known import errors_of_same_labels, first_known, first_whole
from paths import ROOT

CONVERGENCE = ROOT / "results/release/convergence"
RELEASED = (CONVERGENCE / "tungsten.csv", CONVERGENCE / "tungsten.xyz.xz")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three paths; the first file does not exist."""
    paths = [tmp_path / name for name in ("absent", "own", "released")]
    for path in paths[1:]:
        path.touch()
    return paths


def test_choice_with_a_missing_file_is_passed_over(files: list[Path]) -> None:
    absent, own, released = files
    assert first_whole([own, absent], [released]) == [released]
    assert first_whole([own], [released]) == [own]
    assert first_whole([], [absent]) == []


def test_first_file_that_exists_is_known(files: list[Path]) -> None:
    absent, own, released = files
    assert first_known(absent, own, released) == own
    assert first_known(absent) == []
    assert first_known() == []


@pytest.fixture
def tungsten() -> dict:
    """The default study, whose label errors are released, with its defaults."""
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    return load_study(study, str(ROOT / "workflow/schemas/study.schema.yaml"))


def test_released_errors_are_of_the_same_labels(tungsten: dict, tmp_path: Path) -> None:
    assert errors_of_same_labels(tungsten, *RELEASED) == [RELEASED[0]]
    assert errors_of_same_labels(tungsten, tmp_path / "no.csv", RELEASED[1]) == []
    assert errors_of_same_labels(tungsten, RELEASED[0], tmp_path / "no.xyz.xz") == []
    tungsten["labellers"]["dft"] |= {"cutoff_energy": 450, "kpoint_density": {"1000": 1.0}}
    assert errors_of_same_labels(tungsten, *RELEASED) == []


@pytest.mark.parametrize(
    ("variant", "entry"),
    [
        ("k20", {"settings": {"kpoint_density": {"1000": 2.1}}, "against": ["kdense"]}),
        ("k20", {"settings": {"kpoint_density": {"1000": 2.0}}, "against": ["pw500"]}),
        ("k20", {"settings": {"setup": "no"}, "against": ["kdense"]}),
        ("another", {"settings": {}, "against": ["kdense"]}),
    ],
)
def test_errors_of_other_variants_are_not_known(tungsten: dict, variant: str, entry: dict) -> None:
    tungsten["convergence"]["variants"][variant] = entry
    assert errors_of_same_labels(tungsten, *RELEASED) == []


def test_a_study_without_variants_has_no_released_errors(tungsten: dict) -> None:
    del tungsten["convergence"]
    assert errors_of_same_labels(tungsten, *RELEASED) == []
