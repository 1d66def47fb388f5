"""Copy what the repository ships of this study to results/release/, its findings to README.md."""

import sys
from pathlib import Path

import pandas as pd

from diverse.report.contents import Contents
from diverse.report.findings import show_beside, show_study
from diverse.report.release import (
    chosen_potentials,
    readme_figures,
    release_beside,
    release_study,
)
from diverse.report.release_guard import (
    check_same_study,
    release_folder,
    released_study,
    remember_study,
)
from diverse.report.version import check_clean, read_version
from diverse.seals import check_seals
from diverse.study.job import begin

FIGURES = ["ratios.png", "learning_curves.png", "training.png"]  # of a study beside the default

begin(snakemake)
check_seals(Path(card).parent for card in snakemake.input.potentials)
config, release = Path(snakemake.input.config), Path(snakemake.params.target)
target, readme = release_folder(snakemake.params.study, release), Path(snakemake.params.readme)
root = Path(snakemake.scriptdir).resolve().parents[1]
version = read_version(root)
check_clean(version, target)
target.mkdir(parents=True, exist_ok=True)
name = check_same_study(config, target)
remember_study(name, target)
potentials = chosen_potentials(pd.read_csv(snakemake.input.scores), snakemake.params.families)
results, files = config.parent, snakemake.input
contents = Contents(
    labels=[Path(file).name.removesuffix(".xyz.xz") for file in files.labels],
    errors=[str(Path(file).relative_to(results)) for file in files.errors],
    potentials=[Path(card).parent.name for card in files.potentials],
    dynamics=snakemake.params.dynamics,
    physics=snakemake.params.physics,
)
if target != release:
    release_beside(results, target, contents=contents, figures=FIGURES, potentials=potentials)
    beside = target / "tables/beside.csv"
    if readme.exists() and beside.exists():  # the study file names what it stands beside
        tables = (pd.read_csv(path) for path in (beside, target / "tables/equal_sizes.csv"))
        show_beside(readme, name, released_study(release), *tables)
    print(
        f"{target} holds the study, but for structures and labels, beside the release of another; "
        f"to ship them, too, move that elsewhere and run the same command again",
        file=sys.stderr,
    )
    sys.exit()
archive = release_study(
    results,
    target,
    contents=contents,
    figures=readme_figures(readme),
    potentials=potentials,
    version=version,
)
if readme.exists():
    show_study(readme, target / "tables")
print(
    f"{archive} holds the whole study, also what git does not get "
    f"({archive.stat().st_size / 1e6:.1f} MB; its SHA-256 is in {target}/manifest.csv): "
    "publish it with the release",
    file=sys.stderr,
)
