"""Results that are shown where they exist."""

from pathlib import Path

import pytest

from diverse.study.known import first_known, first_whole


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
