"""Predict energies, forces and stresses of every test set with one model."""

from pathlib import Path

import numpy as np

from diverse.models import load_model, predict
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish
from diverse.study.settings import repulsion

begin(snakemake)
study = snakemake.params.study
model = load_model(Path(snakemake.input.parameters[0]).parent)
zbl = repulsion(study)
for path, output in zip(snakemake.input.cells, snakemake.output.predictions, strict=True):
    predictions = predict(model, iterate_cells([path]), cutoff=study["cutoff"], zbl=zbl)
    np.savez(output, **vars(predictions))
finish(snakemake)
