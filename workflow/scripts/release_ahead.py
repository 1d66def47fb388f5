"""Add labels of steps that the study does not take yet to the released ones."""

from pathlib import Path

from diverse.report.release import release_ahead
from diverse.study.job import begin

begin(snakemake)
kept = release_ahead(Path(snakemake.params.results), Path(snakemake.params.release))
with open(snakemake.log[0], "w") as log:
    for dataset, cells in kept.items():
        print(f"{dataset}: {cells} cells are labelled ahead", file=log)
