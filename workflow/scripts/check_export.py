"""Run the exported potential and compare it with the model that was trained, cell by cell."""

from pathlib import Path

import pandas as pd

from diverse.models.export import check_export, write_commands
from diverse.models.trained import load_trained
from diverse.structures import read_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study = snakemake.params.study
folder = Path(snakemake.input.parameters[0]).parent
model, zbl = load_trained(snakemake.input.trained), repulsion(study)
differences = [
    check_export(model, folder, cells, cutoff=study["cutoff"], zbl=zbl)
    for cells in map(read_cells, snakemake.input.cells)
    if cells
]
if not differences:
    raise ValueError("no test set has a labelled cell to compare on: see tables/failures.csv")
pd.concat(differences).to_csv(snakemake.output.differences, index=False)
write_commands(model, folder, zbl)
finish(snakemake)
