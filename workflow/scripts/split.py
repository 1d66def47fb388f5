"""Divide a labelled data set into a training and a test part, reading it more than once."""

from collections.abc import Iterator

from ase import Atoms

from diverse.datasets.selection import cell_means
from diverse.datasets.split import Outline, check_labels, cluster_cells, split_cells
from diverse.structures import iterate_cells, random_stream, write_cells
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings

begin(snakemake)


def labelled() -> Iterator[Atoms]:
    return (cell for cell in iterate_cells(snakemake.input.cells) if cell.calc is not None)


cells = [Outline.of(cell) for cell in labelled()]
study, options = snakemake.params.study, snakemake.params.study["split"]
if not options["mixed_labels"]:
    check_labels(cells, snakemake.wildcards.dataset)
rng = random_stream(study["seed"], f"split {snakemake.wildcards.dataset}", 0)
test_fraction = 1.0 if snakemake.params.use == "test" else options["test_fraction"]
clusters = None
if options["by"] == "cluster" and cells:
    descriptor = descriptor_settings(study)
    means = cell_means(labelled(), descriptor)
    clusters = cluster_cells(cells, means, options["clusters"], study["seed"])
parts = split_cells(cells, test_fraction, options["train_environments"], rng, clusters)
with open(snakemake.log[0], "w") as log:
    for name, taken in zip(("train", "test"), parts, strict=True):
        write_cells(snakemake.output[name], labelled(), taken)
        environments = sum(cells[position].environments for position in taken)
        print(name, len(taken), "cells", environments, "environments", file=log)
finish(snakemake)
