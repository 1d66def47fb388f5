"""Divide a labelled data set into a training and a test part."""

from diverse.split import split_cells
from diverse.structures import random_stream, read_cells, write_cells

cells = [cell for cell in read_cells(snakemake.input.cells) if cell.calc is not None]
rng = random_stream(snakemake.params.seed, f"split {snakemake.wildcards.dataset}", 0)
options = snakemake.params.split
test_fraction = 1.0 if snakemake.params.use == "test" else options["test_fraction"]
train, test = split_cells(cells, test_fraction, options["train_environments"], rng)
write_cells(snakemake.output.train, train)
write_cells(snakemake.output.test, test)
with open(snakemake.log[0], "w") as log:
    for part, members in (("train", train), ("test", test)):
        print(part, len(members), "cells", sum(map(len, members)), "environments", file=log)
