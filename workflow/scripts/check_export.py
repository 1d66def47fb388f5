"""Compare the exported potential, cell by cell, with the trained model; keep its predictions."""

from pathlib import Path

import numpy as np
import pandas as pd

from diverse.models import Predictions
from diverse.models.export import check_export, write_commands
from diverse.models.trained import load_trained
from diverse.structures import read_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study = snakemake.params.study
folder = Path(snakemake.input.parameters[0]).parent
model, zbl = load_trained(snakemake.input.trained), repulsion(study)
differences = []
for path, output in zip(snakemake.input.cells, snakemake.output.predictions, strict=True):
    found = Predictions.none()
    if cells := read_cells(path):
        table, found = check_export(model, folder, cells, cutoff=study["cutoff"], zbl=zbl)
        differences.append(table)
    np.savez(output, **vars(found))
if not differences:
    raise ValueError("no test set has a labelled cell to compare on: see tables/failures.csv")
pd.concat(differences).to_csv(snakemake.output.differences, index=False)
write_commands(model, folder, zbl)
finish(snakemake)
