"""The physics of a published potential, as a job of a study of another metal."""

import json

import pandas as pd
import yaml

from paths import ROOT, snakemake


def test_a_published_potential_of_tantalum(tmp_path):
    study = yaml.safe_load((ROOT / "config/tantalum.yaml").read_text())
    study["physics"]["atoms"] = 1  # none of the supercells
    (tmp_path / "tantalum.yaml").write_text(yaml.safe_dump(study))
    table = "results/tantalum/physics/eam2004.csv"
    snakemake(tmp_path, "--configfile", str(tmp_path / "tantalum.yaml"), "--", table)
    rows = pd.read_csv(tmp_path / table).set_index("property")
    assert 3.2 < rows.loc["lattice constant a", "value"] < 3.4
    assert rows.loc["C11", "value"] > rows.loc["C12", "value"] > 0
    missing = rows[rows["value"].isna()]
    assert missing["reason"].str.startswith("not computed: its cells hold more than 1").all()
    curves = json.loads((tmp_path / table).with_suffix(".json").read_text())
    assert set(curves) == {"bulk modulus", "fcc energy", "sc energy", "Bain path fcc"}
