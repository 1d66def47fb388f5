"""Compute the errors of one model on every test set, over all seeds."""

from pathlib import Path

import numpy as np
import pandas as pd

from diverse.descriptors import DescriptorTable
from diverse.models import load_model
from diverse.scores import score_rows

names, tests = snakemake.wildcards, snakemake.params.tests
files = {(Path(p).parent.name, Path(p).stem): p for p in snakemake.input.predictions}
n_seeds = snakemake.params.model.get("seeds", 1)
model = load_model(Path(snakemake.input.export).parent)
training = DescriptorTable.load(snakemake.input.training)
scores = []
for test, path in zip(tests, snakemake.input.tables, strict=True):
    table = DescriptorTable.load(path)
    if not len(table.energies):
        continue  # every label failed: tables/failures.csv says why
    labels = {"study": snakemake.params.study, "train": names.train, "test": test}
    labels["model"] = names.model
    seeds = [np.load(files[str(seed), test]) for seed in range(n_seeds)]
    predictions = [(data["energies"], data["forces"]) for data in seeds]
    scores.append(score_rows(labels, model, training, table, predictions))
pd.concat(scores).to_csv(snakemake.output.scores, index=False)
