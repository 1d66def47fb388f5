"""Measure how novel every test cell is to every training set."""

import pandas as pd

from diverse.descriptors.whitening import Whitening
from diverse.diversity import cell_novelty, sample_cells
from diverse.progress import tracked
from diverse.structures import iterate_cells, random_stream, read_cells
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings

SAMPLED = 50_000  # training environments at most, in whole cells: the time grows with them

begin(snakemake)
study = snakemake.params.study
descriptor = descriptor_settings(study)
whitening = Whitening.load(snakemake.input.whitening)
tests = {
    test: read_cells(path)
    for test, path in zip(snakemake.params.tests, snakemake.input.tests, strict=True)
}
parts = []
trains = list(zip(snakemake.params.trains, snakemake.input.trains, strict=True))
for train, path in tracked(trains, len(trains), "training sets"):
    rng = random_stream(study["seed"], f"{train}/novelty", 0)
    training, _, _ = sample_cells(iterate_cells([path]), SAMPLED, rng)
    for test, cells in tests.items():
        novelty = cell_novelty(training, cells, descriptor, whitening)
        novelty.insert(0, "train", train)
        novelty.insert(1, "test", test)
        parts.append(novelty)
table = pd.concat([part for part in parts if len(part)] or parts[:1])
table.to_csv(snakemake.output.table, index=False, float_format="%.8g")
finish(snakemake)
