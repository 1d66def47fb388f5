"""Divide a labelled data set into training and test parts, reading it more than once."""

import numpy as np

from diverse.datasets.blocks import deal_blocks, draw_blocks, thin_tests
from diverse.datasets.draws import TEST, draw_cells, draws_table
from diverse.datasets.selection import cell_means
from diverse.datasets.split import Outline, check_labels, cluster_cells
from diverse.structures import random_stream
from diverse.structures.frames import copy_labelled, labelled_frames
from diverse.study.job import begin, finish
from diverse.study.settings import descriptor_settings

begin(snakemake)
study, dataset = snakemake.params.study, snakemake.wildcards.dataset
options, share, seed = study["split"], snakemake.params.test_fraction, study["seed"]

cells, keys = [], []
for frame in labelled_frames(snakemake.input.cells):
    info = frame.info()
    cells.append(Outline.of_info(info, frame.n_atoms))
    keys.append(info["key"])
if not options["mixed_labels"]:
    check_labels(cells, dataset)
clusters, blocks = None, None
if options["by"] == "cluster" and cells:
    descriptor = descriptor_settings(study)
    labelled = (frame.cell() for frame in labelled_frames(snakemake.input.cells))
    means = cell_means(labelled, descriptor)
    clusters = cluster_cells(cells, means, options["clusters"], seed)
if options["by"] == "block":
    blocks = deal_blocks(cells, options["blocks"], random_stream(seed, f"blocks {dataset}", 0))
parts = []
for draw in range(options["draws"]):
    fixed = {"seed": seed, "test_fraction": share}
    if blocks is not None and 0 < share < 1:
        part = draw_blocks(blocks, dataset, draw, n_blocks=options["blocks"], **fixed)
    else:
        cut = {"train_environments": options["train_environments"], "clusters": clusters}
        part = draw_cells(cells, dataset, draw, **fixed, **cut)
    if options["test_cells"] is not None:
        rng = random_stream(seed, f"tests {dataset}", draw)
        part = thin_tests(part, cells, options["test_cells"], rng)
    parts.append(part)
draws_table(cells, keys, parts, blocks).to_csv(snakemake.output.draws, index=False)
with open(snakemake.log[0], "w") as log:
    for name, values in (("train", ["a", "b"]), ("test", [TEST])):
        taken = set(np.flatnonzero(np.isin(parts[0], values)).tolist())
        copy_labelled(snakemake.input.cells, snakemake.output[name], taken)
        environments = sum(cells[position].environments for position in taken)
        print(name, len(taken), "cells", environments, "environments", file=log)
finish(snakemake)
