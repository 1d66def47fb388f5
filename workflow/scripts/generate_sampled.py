"""Make one chunk of an entropy-maximised or random data set."""

import logging

import pandas as pd

from diverse.descriptors.statistics import SetStatistics, sum_statistics
from diverse.descriptors.whitening import Whitening
from diverse.structures import write_cells
from diverse.study.chunks import sampled_chunk
from diverse.study.job import begin, finish
from diverse.study.settings import study_device

begin(snakemake)
logging.basicConfig(
    filename=snakemake.log[0], filemode="a", level=logging.INFO, format="%(asctime)s %(message)s"
)
name, chunk = snakemake.wildcards.dataset, int(snakemake.wildcards.chunk)
whitening = Whitening.load(snakemake.input.whitening)
nothing = SetStatistics.empty(len(whitening.mean))
parts = [SetStatistics.load(path) for path in snakemake.input.get("earlier", [])]
seen = sum_statistics([nothing, *parts])
sample = sampled_chunk(
    snakemake.params.study,
    name=name,
    dataset=snakemake.params.dataset,
    chunk=chunk,
    whitening=whitening,
    earlier=seen,
    threads=snakemake.threads,
    device=study_device(snakemake.params.study),
)
write_cells(snakemake.output.cells, sample.cells)
sample.statistics.save(snakemake.output.statistics)
seen.save(snakemake.output.seen)
rows = [
    {"dataset": name, "chunk": chunk, "outcome": key, "cells": n}
    for key, n in sample.outcome.items()
]
pd.DataFrame(rows).to_csv(snakemake.output.outcome, index=False)
finish(snakemake)
