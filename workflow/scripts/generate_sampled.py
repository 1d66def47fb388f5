"""Make one chunk of an entropy-maximised or random data set."""

import logging

import pandas as pd

from diverse.descriptors.statistics import SetStatistics
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
earlier = snakemake.input.get("earlier")
sample = sampled_chunk(
    snakemake.params.study,
    name=name,
    dataset=snakemake.params.dataset,
    chunk=chunk,
    whitening=Whitening.load(snakemake.input.whitening),
    earlier=SetStatistics.load(earlier) if earlier else None,
    threads=snakemake.threads,
    device=study_device(snakemake.params.study),
)
write_cells(snakemake.output.cells, sample.cells)
sample.statistics.save(snakemake.output.statistics)
rows = [
    {"dataset": name, "chunk": chunk, "outcome": key, "cells": n}
    for key, n in sample.outcome.items()
]
pd.DataFrame(rows).to_csv(snakemake.output.outcome, index=False)
finish(snakemake)
