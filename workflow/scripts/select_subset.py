"""Take a subset of the training part of a data set."""

from diverse.datasets.selection import select_subset
from diverse.structures import iterate_cells, random_stream, write_cells
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings, kernel_bandwidths

begin(snakemake)
study, subset = snakemake.params.study, snakemake.params.subset
chosen = select_subset(
    lambda: iterate_cells(snakemake.input.cells),
    subset["environments"],
    method=subset["method"],
    descriptor=descriptor_settings(study),
    bandwidth=kernel_bandwidths(study, ["volume"])[0],
    rng=random_stream(study["seed"], f"{subset['of']}/{subset['method']}", 0),
)
write_cells(snakemake.output.train, iterate_cells(snakemake.input.cells), set(chosen))
with open(snakemake.log[0], "w") as log:
    print(len(chosen), "cells", file=log)
finish(snakemake)
