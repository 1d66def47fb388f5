"""A release of one study never takes the place of another's."""

import pytest
import yaml

from diverse.report.release_guard import (
    OtherStudyError,
    check_same_study,
    release_folder,
    released_study,
    remember_study,
)
from paths import ROOT


@pytest.fixture
def config(tmp_path):
    def write(study):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"study": study}))
        return tmp_path / "config.yaml"

    return write


def test_a_study_is_released_again_but_not_over_another(tmp_path, config):
    target = tmp_path / "release"
    assert released_study(target) == ""
    remember_study(check_same_study(config("copper"), target), target)
    assert check_same_study(config("copper"), target) == released_study(target) == "copper"
    with pytest.raises(OtherStudyError, match="holds the release of the study copper; the study 7"):
        check_same_study(config(7), target)
    assert released_study(target) == "copper"


def test_another_study_is_released_below(tmp_path):
    assert release_folder("copper", tmp_path) == tmp_path
    remember_study("copper", tmp_path)
    assert release_folder("copper", tmp_path) == tmp_path
    assert release_folder("zinc", tmp_path) == tmp_path / "zinc"


def test_the_repository_releases_tungsten(config):
    """Also where its release is of before the name was remembered."""
    release = ROOT / "results/release"
    assert check_same_study(config("tungsten"), release) == "tungsten"
    with pytest.raises(OtherStudyError, match="study tungsten; the study smoke would take its"):
        check_same_study(config("smoke"), release)
