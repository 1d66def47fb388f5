"""Divide a labelled data set into a training and a test part."""

from diverse.kernel import BispectrumSettings
from diverse.split import check_labels, cluster_cells, split_cells
from diverse.structures import random_stream, read_cells, write_cells

cells = [cell for cell in read_cells(snakemake.input.cells) if cell.calc is not None]
study, options = snakemake.params.study, snakemake.params.study["split"]
if not options["mixed_labels"]:
    check_labels(cells, snakemake.wildcards.dataset)
rng = random_stream(study["seed"], f"split {snakemake.wildcards.dataset}", 0)
test_fraction = 1.0 if snakemake.params.use == "test" else options["test_fraction"]
clusters = None
if options["by"] == "cluster" and cells:
    descriptor = BispectrumSettings(study["optimiser"]["twojmax"], study["cutoff"])
    clusters = cluster_cells(cells, descriptor, options["clusters"], study["seed"])
train, test = split_cells(cells, test_fraction, options["train_environments"], rng, clusters)
write_cells(snakemake.output.train, train)
write_cells(snakemake.output.test, test)
with open(snakemake.log[0], "w") as log:
    for part, members in (("train", train), ("test", test)):
        print(part, len(members), "cells", sum(map(len, members)), "environments", file=log)
