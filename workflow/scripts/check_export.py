"""Compare exported potentials, cell by cell, with the trained models; keep their predictions."""

from pathlib import Path

import numpy as np
import pandas as pd

from diverse.models import Predictions
from diverse.models.export import check_export, write_commands
from diverse.models.trained import load_trained
from diverse.progress import tracked
from diverse.structures import read_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study, output = snakemake.params.study, snakemake.output
cutoff, zbl = study["cutoff"], repulsion(study)
tests = [read_cells(path) for path in snakemake.input.cells]
trained = snakemake.input.trained
predictions = np.reshape(output.predictions, (len(trained), len(tests)))
exports = zip(trained, output.differences, predictions, strict=True)
for source, file, paths in tracked(exports, len(trained), "potentials"):
    model, folder, differences = load_trained(source), Path(source).parent, []
    for cells, path in zip(tests, paths, strict=True):
        found = Predictions.none()
        if cells:
            table, found = check_export(model, folder, cells, cutoff=cutoff, zbl=zbl)
            differences.append(table)
        np.savez(path, **vars(found))
    if not differences:
        raise ValueError("no test set has a labelled cell to compare on: see tables/failures.csv")
    pd.concat(differences).to_csv(file, index=False)
    write_commands(model, folder, zbl)
finish(snakemake)
