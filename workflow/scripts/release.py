"""Copy what the repository ships of this study to results/release/, its findings to README.md."""

import sys
from pathlib import Path

import pandas as pd

from diverse.report.findings import show_findings
from diverse.report.release import chosen_potentials, readme_figures, release_study
from diverse.report.release_guard import check_same_study, remember_study
from diverse.report.version import check_clean, read_version
from diverse.seals import check_seals
from diverse.study.job import begin

begin(snakemake)
check_seals(Path(card).parent for card in snakemake.input.potentials)
target, readme = Path(snakemake.params.target), Path(snakemake.params.readme)
root = Path(snakemake.scriptdir).resolve().parents[1]
version = read_version(root)
check_clean(version, target)
target.mkdir(parents=True, exist_ok=True)
name = check_same_study(Path(snakemake.input.config), target)
remember_study(name, target)
archive = release_study(
    Path(snakemake.input.config).parent,
    target,
    figures=readme_figures(readme),
    potentials=chosen_potentials(pd.read_csv(snakemake.input.scores), snakemake.params.families),
    version=version,
)
claims = target / "tables/claims.csv"
if readme.exists() and claims.exists():  # a study may have one training set
    show_findings(readme, pd.read_csv(claims))
print(
    f"{archive} holds the whole study, also what git does not get "
    f"({archive.stat().st_size / 1e6:.1f} MB; its SHA-256 is in {target}/manifest.csv): "
    "publish it with the release",
    file=sys.stderr,
)
