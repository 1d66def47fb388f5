"""Compare the errors of one model with those it predicts, on every test set."""

from pathlib import Path

import numpy as np
import pandas as pd

from diverse.kernel import BispectrumSettings
from diverse.models import Predictions
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.scores import Labels
from diverse.structures import iterate_cells
from diverse.uncertainty import calibration_table, error_samples

names, params = snakemake.wildcards, snakemake.params
scores = pd.read_csv(snakemake.input.scores).drop_duplicates("test").set_index("test")
cells = {Path(path).parent.name: path for path in snakemake.input.cells}
descriptor = BispectrumSettings(params.model["twojmax"], params.cutoff)
samples = {}
for test, row in scores.iterrows():
    files = [path for path in snakemake.input.predictions if Path(path).stem == test]
    deviations = None
    if snakemake.input.covariance:
        uncertainty = Uncertainty.load(snakemake.input.covariance)
        deviations = uncertainty.of_structures(iterate_cells([cells[test]]), descriptor)
    samples[test] = error_samples(
        Labels.of(iterate_cells([cells[test]])),
        [Predictions(**np.load(path)) for path in files],
        same_protocol=not row["energy_aligned"],
        deviations=deviations,
    )
table = calibration_table(samples, own=names.train)
table.insert(0, "train", names.train)
table.insert(1, "model", names.model)
table.insert(2, "family", scores["family"].iloc[0])
table.to_csv(snakemake.output.table, index=False)
