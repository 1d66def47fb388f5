"""Compute the errors of the models of one training set on every test set, over all seeds."""

from pathlib import Path

import numpy as np
import pandas as pd

from diverse.datasets.draws import TEST, WHOLE, read_draws
from diverse.errors.by_cell import error_rows, write_rows
from diverse.errors.scores import Labels, ModelErrors, score_rows
from diverse.models import Predictions, load_model
from diverse.structures import iterate_cells, read_cells
from diverse.study.job import begin, finish

begin(snakemake)
train, params, files = snakemake.wildcards.train, snakemake.params, snakemake.input
training = Labels.of(iterate_cells([files.training]))
protocols, predicted = (
    set(training.protocols),
    dict(zip(params.names, files.predictions, strict=True)),
)
exports = dict(zip(params.exported, files.exports, strict=True))
scores, by_cell = [], []
for test, path, table in zip(params.tests, files.cells, files.draws, strict=True):
    cells, draws = read_cells(path), read_draws(table)
    if not cells:
        continue  # a pool, or every label failed: tables/failures.csv says why
    truth, places = Labels.of(cells), np.flatnonzero(draws["draw0"] == TEST)
    for name, seeds in params.models.items():
        found = [Predictions(**np.load(predicted[name, seed, test])) for seed in range(seeds)]
        model = load_model(Path(exports[name, 0]).parent)
        labels = {"study": params.study, "train": train, "test": test, "model": name}
        errors = ModelErrors.of(training, truth, found)
        scores.append(score_rows(labels, model, training, errors))
        if name in params.drawn:
            continue  # errors/draws has its errors in every draw
        fixed = {"train": train, "model": name, "draw": 0, "part": WHOLE}
        for seed, of_seed in enumerate(found):
            names = {**fixed, "seed": seed, "test": test}
            by_cell.append(error_rows(names, places, cells, of_seed, protocols))
order = {name: number for number, name in enumerate(params.models)}
table = pd.concat(scores).sort_values("model", key=lambda names: names.map(order), kind="stable")
table.to_csv(snakemake.output.scores, index=False)
write_rows(snakemake.output.errors, by_cell)
finish(snakemake)
