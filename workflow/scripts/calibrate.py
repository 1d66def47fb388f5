"""Compare the errors of one model with those it predicts, on every test set."""

from itertools import product

import numpy as np
import pandas as pd

from diverse.errors.calibration import calibration_table, error_samples
from diverse.errors.scores import Labels
from diverse.models import Predictions
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.structures import iterate_cells
from diverse.study.job import begin, finish
from diverse.study.settings import model_descriptor

begin(snakemake)
names, params = snakemake.wildcards, snakemake.params
seeds = range(params.model.get("seeds", 1))
scores = pd.read_csv(snakemake.input.scores).drop_duplicates("test").set_index("test")
cells = dict(zip(params.tests, snakemake.input.cells, strict=True))
files = dict(zip(product(seeds, params.tests), snakemake.input.predictions, strict=True))
descriptor = model_descriptor(params.study, params.model)
samples = {}
for test, row in scores.iterrows():
    deviations = None
    if snakemake.input.covariance:
        uncertainty = Uncertainty.load(snakemake.input.covariance)
        deviations = uncertainty.of_structures(iterate_cells([cells[test]]), descriptor)
    samples[test] = error_samples(
        Labels.of(iterate_cells([cells[test]])),
        [Predictions(**np.load(files[seed, test])) for seed in seeds],
        same_protocol=not row["energy_aligned"],
        deviations=deviations,
    )
table = calibration_table(samples, own=names.train)
table.insert(0, "train", names.train)
table.insert(1, "model", names.model)
table.insert(2, "family", scores["family"].iloc[0])
table.to_csv(snakemake.output.table, index=False)
finish(snakemake)
