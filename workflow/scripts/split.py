"""Divide a labelled data set into training and test parts, reading it more than once."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms

from diverse.datasets.draws import TEST, draw_cells, draws_table
from diverse.datasets.selection import cell_means
from diverse.datasets.split import Outline, check_labels, cluster_cells
from diverse.structures import iterate_cells, write_cells
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings

begin(snakemake)
study, dataset = snakemake.params.study, snakemake.wildcards.dataset
options, share = study["split"], snakemake.params.test_fraction


def labelled() -> Iterator[Atoms]:
    return (cell for cell in iterate_cells(snakemake.input.cells) if cell.calc is not None)


cells = [Outline.of(cell) for cell in labelled()]
if not options["mixed_labels"]:
    check_labels(cells, dataset)
clusters = None
if options["by"] == "cluster" and cells:
    descriptor = descriptor_settings(study)
    means = cell_means(labelled(), descriptor)
    clusters = cluster_cells(cells, means, options["clusters"], study["seed"])
cut = {"test_fraction": share, "train_environments": options["train_environments"]}
parts = [
    draw_cells(cells, dataset, draw, seed=study["seed"], clusters=clusters, **cut)
    for draw in range(options["draws"])
]
keys = [cell.info["key"] for cell in labelled()]
draws_table(cells, keys, parts).to_csv(snakemake.output.draws, index=False)
with open(snakemake.log[0], "w") as log:
    for name, values in (("train", ["a", "b"]), ("test", [TEST])):
        taken = set(np.flatnonzero(np.isin(parts[0], values)).tolist())
        write_cells(snakemake.output[name], labelled(), taken)
        environments = sum(cells[position].environments for position in taken)
        print(name, len(taken), "cells", environments, "environments", file=log)
finish(snakemake)
