"""Compute the errors of one model on every test set, over all seeds."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from diverse.errors.scores import Labels, ModelErrors, cell_rows, score_rows
from diverse.models import Predictions, load_model
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish

begin(snakemake)
names, tests = snakemake.wildcards, snakemake.params.tests
seeds = range(snakemake.params.model.get("seeds", 1))
files = dict(zip(product(seeds, tests), snakemake.input.predictions, strict=True))
model = load_model(Path(snakemake.input.export).parent)
training = Labels.of(iterate_cells([snakemake.input.training]))
scores, cells = [], []
for test, path in zip(tests, snakemake.input.cells, strict=True):
    truth = Labels.of(iterate_cells([path]))
    if not len(truth.energies):
        continue  # every label failed: tables/failures.csv says why
    labels = {"train": names.train, "test": test, "model": names.model}
    predictions = [Predictions(**np.load(files[seed, test])) for seed in seeds]
    errors = ModelErrors.of(training, truth, predictions)
    cells.append(cell_rows(labels, errors))
    labels = {"study": snakemake.params.study, **labels}
    scores.append(score_rows(labels, model, training, errors))
pd.concat(scores).to_csv(snakemake.output.scores, index=False)
pd.concat(cells).to_csv(snakemake.output.cells, index=False)
finish(snakemake)
