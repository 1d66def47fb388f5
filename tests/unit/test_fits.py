"""Released fits: taken where settings and cells are the study's, refused where they are not."""

import json
from pathlib import Path

import pytest

from diverse.study.fits import (
    FOLLOWED,
    SELECTED,
    SOLVER,
    OtherFitsError,
    fit_settings,
    known_fits,
    make_record,
    release_fits,
    take_fits,
)

SETTINGS = {"seed": 1, "zbl": {"inner": 4.0}, "model": {"twojmax": 4, "draws": (1, 2)}}
FILES = ["models/entropy/linear4/0/fit.csv", "errors/draws/entropy/linear4.csv.xz"]
JOB = "benchmarks/fit_sums/entropy/linear4/0.tsv"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study with one finished model and the record of it; another model's job beside it."""
    results = tmp_path / "results/a"
    for name in (*FILES, JOB, JOB.replace("linear4", "linear40"), "draws.csv"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(name)
    record = make_record(
        "linear4",
        SETTINGS,
        {"entropy": str(results / "draws.csv")},
        results,
        [str(results / name) for name in FILES],
    )
    (results / "fits").mkdir()
    (results / "fits/linear4.json").write_text(json.dumps(record))
    return results


@pytest.fixture
def released(study: Path, tmp_path: Path) -> Path:
    target = tmp_path / "release"
    assert release_fits(study, target) == ["linear4"]
    return target


def study_of(models: dict[str, object], subsets: dict[str, object]) -> dict[str, object]:
    """Return a study with a value of every part, and one that no fit follows from."""
    parts = dict.fromkeys((*FOLLOWED, *SELECTED, "search"), 1)
    return {**parts, "models": models, "subsets": subsets, "labels": "retry"}


def test_fits_to_subsets_follow_from_the_subsets_of_their_model_alone() -> None:
    models = {
        "linear4": {"family": "linear", "twojmax": 4},
        "linear6": {"family": "linear", "twojmax": 6},
        "expand4": {"family": "network", "twojmax": 4},
    }
    subsets = {"small": {"models": ["linear6"], "environments": 100}}
    found = fit_settings(study_of(models, subsets), models)
    assert list(found) == ["linear4", "linear6", "linear6-subsets", "expand4"]
    own = {**dict.fromkeys(FOLLOWED, 1), "model": models["linear6"], "solver": SOLVER}
    assert found["linear6"] == own
    selected = dict.fromkeys(SELECTED, 1)
    assert found["linear6-subsets"] == {**own, **selected, "subsets": subsets}
    assert "solver" not in found["expand4"]


def test_searched_weights_follow_from_the_search() -> None:
    models = {
        "quadratic4": {"family": "quadratic", "energy_weight": "auto"},
        "linear4": {"family": "linear", "energy_weight": 10, "energy_scale": None},
    }
    found = fit_settings(study_of(models, {}), models)
    assert (found["quadratic4"].get("search"), found["linear4"].get("search")) == (1, None)


def test_another_run_takes_the_files_and_what_they_took(
    study: Path, released: Path, tmp_path: Path
) -> None:
    both = {"linear4": SETTINGS, "linear6": SETTINGS}
    assert known_fits(released, both, ["entropy"]) == {"linear4": FILES}
    other = tmp_path / "results/b"
    draws = {"entropy": str(study / "draws.csv")}
    take_fits([released / "linear4.json"], draws, other)
    found = {str(path.relative_to(other)) for path in other.rglob("*") if path.is_file()}
    assert found == {*FILES, JOB}
    assert all((other / name).read_text() == name for name in found)


@pytest.mark.parametrize("change", [{"seed": 2}, {"model": {"twojmax": 6, "draws": (1, 2)}}])
def test_fits_of_other_settings_are_not_known(released: Path, change: dict[str, object]) -> None:
    assert known_fits(released, {"linear4": SETTINGS | change}, ["entropy"]) == {}


@pytest.mark.parametrize("tests", [[], ["entropy", "lattices"], ["lattices"]])
def test_fits_that_were_tested_on_other_sets_are_not_known(
    released: Path, tests: list[str]
) -> None:
    assert known_fits(released, {"linear4": SETTINGS}, tests) == {}


def test_fits_that_are_not_whole_are_not_known(released: Path, tmp_path: Path) -> None:
    (released / FILES[0]).unlink()
    assert known_fits(released, {"linear4": SETTINGS}, ["entropy"]) == {}
    assert known_fits(tmp_path / "nowhere", {"linear4": SETTINGS}, ["entropy"]) == {}


def test_fits_to_other_cells_are_refused(released: Path, tmp_path: Path) -> None:
    other = tmp_path / "draws.csv"
    other.write_text("other cells")
    for draws in ({"entropy": str(other)}, {}):
        with pytest.raises(OtherFitsError, match="other cells of entropy .* labels: recompute"):
            take_fits([released / "linear4.json"], draws, tmp_path / "results/b")
    assert not (tmp_path / "results/b").exists()


def test_a_file_that_is_not_what_the_record_tells_of_is_refused(
    study: Path, released: Path, tmp_path: Path
) -> None:
    draws = {"entropy": str(study / "draws.csv")}
    (released / FILES[1]).write_text("damaged")
    with pytest.raises(OtherFitsError, match="linear4.csv.xz is not what .*git checkout"):
        take_fits([released / "linear4.json"], draws, tmp_path / "results/b")
    assert not (tmp_path / "results/b").exists()
    (study / FILES[0]).write_text("made anew")
    with pytest.raises(OtherFitsError, match="fit.csv is not what .* snakemake fits"):
        release_fits(study, tmp_path / "elsewhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {"../x": ""}, "settings": 1}'])
def test_a_damaged_record_is_refused(released: Path, text: str) -> None:
    (released / "linear4.json").write_text(text)
    with pytest.raises(OtherFitsError, match="linear4.json is not a record of fits, or damaged"):
        known_fits(released, {"linear4": SETTINGS}, ["entropy"])
