"""Measure how novel every test cell is to every training set."""

import pandas as pd

from diverse.descriptors.whitening import Whitening
from diverse.diversity import cell_novelty
from diverse.progress import tracked
from diverse.structures import iterate_cells, read_cells
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings

begin(snakemake)
descriptor = descriptor_settings(snakemake.params.study)
whitening = Whitening.load(snakemake.input.whitening)
tests = {
    test: read_cells(path)
    for test, path in zip(snakemake.params.tests, snakemake.input.tests, strict=True)
}
parts = []
trains = list(zip(snakemake.params.trains, snakemake.input.trains, strict=True))
for train, path in tracked(trains, len(trains), "training sets"):
    novelty = cell_novelty(iterate_cells([path]), tests, descriptor, whitening)
    novelty.insert(0, "train", train)
    parts.append(novelty)
table = pd.concat([part for part in parts if len(part)] or parts[:1])
table.to_csv(snakemake.output.table, index=False, float_format="%.8g")
finish(snakemake)
