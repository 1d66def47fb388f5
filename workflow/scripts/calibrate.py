"""Compare the errors of one model, trained on each set, with those it predicts."""

import numpy as np

from diverse.errors.calibration import calibration_table, error_samples
from diverse.errors.scores import Labels
from diverse.models import Predictions
from diverse.models.polynomial.forms import form_of
from diverse.models.polynomial.uncertainty import Uncertainty
from diverse.structures import read_cells
from diverse.structures.frames import read_frames
from diverse.study.job import begin, finish

begin(snakemake)
params, files, name = snakemake.params, snakemake.input, snakemake.wildcards.model
cells = {test: read_cells(path) for test, path in zip(params.tests, files.cells, strict=True)}
labels = {test: Labels.of(found) for test, found in cells.items() if found}  # not of a pool
shape = (len(params.trains), -1, len(params.tests))
predictions = np.reshape(files.predictions, shape)  # by training set, seed and test set
source = form_of(params.model).source(**params.study, bzero=True) if files.covariances else None
for number, train in enumerate(params.trains):
    protocols = {frame.info()["protocol"] for frame in read_frames([files.trainings[number]])}
    samples = {}
    for test, truth in labels.items():
        deviations = None
        if source is not None:
            uncertainty = Uncertainty.load(files.covariances[number])
            deviations = uncertainty.of_structures(cells[test], source)
        paths = predictions[number, :, params.tests.index(test)]
        samples[test] = error_samples(
            truth,
            [Predictions(**np.load(path)) for path in paths],
            same_protocol=len(protocols.union(truth.protocols)) == 1,
            deviations=deviations,
        )
    table = calibration_table(samples, own=train)
    table.insert(0, "train", train)
    table.insert(1, "model", name)
    table.insert(2, "family", params.model["family"])
    table.to_csv(snakemake.output.tables[number], index=False)
finish(snakemake)
