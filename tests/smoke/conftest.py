"""One smoke study from nothing, for all tests of this folder."""

from pathlib import Path

import pytest

from paths import ROOT, snakemake

SMOKE = ("--configfile", str(ROOT / "config/smoke.yaml"))


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the smoke study was run to its end."""
    directory = tmp_path_factory.mktemp("smoke")
    snakemake(directory, *SMOKE)
    return directory
