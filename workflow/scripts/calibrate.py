"""Compare the errors of the models of one training set with those they predict."""

import numpy as np
import pandas as pd

from diverse.errors.calibration import calibration_table, error_samples
from diverse.errors.scores import Labels
from diverse.errors.views import read_scores
from diverse.models import Predictions
from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish

begin(snakemake)
train, params, files = snakemake.wildcards.train, snakemake.params, snakemake.input
all_scores = read_scores(files.scores).drop_duplicates(["model", "test"])
cells = dict(zip(params.tests, files.cells, strict=True))
predicted = dict(zip(params.names, files.predictions, strict=True))
covariances = dict(zip(params.covariances, files.covariances, strict=True))
tables = []
for name, model in params.models.items():
    scores = all_scores[all_scores["model"] == name].set_index("test")
    samples = {}
    for test, row in scores.iterrows():
        deviations = None
        if name in covariances:
            uncertainty = Uncertainty.load(covariances[name])
            source = form_of(model).source(**params.study, bzero=True)
            deviations = uncertainty.of_structures(iterate_cells([cells[test]]), source)
        seeds = range(model.get("seeds", 1))
        samples[test] = error_samples(
            Labels.of(iterate_cells([cells[test]])),
            [Predictions(**np.load(predicted[name, seed, test])) for seed in seeds],
            same_protocol=not row["energy_aligned"],
            deviations=deviations,
        )
    table = calibration_table(samples, own=train)
    table.insert(0, "train", train)
    table.insert(1, "model", name)
    table.insert(2, "family", scores["family"].iloc[0])
    tables.append(table)
pd.concat(tables).to_csv(snakemake.output.table, index=False)
finish(snakemake)
