"""Predict energies and forces of every test set with one model."""

from pathlib import Path

import numpy as np

from diverse.descriptors import DescriptorTable
from diverse.models import load_model, predict

model = load_model(Path(snakemake.input.parameters[0]).parent)
for table, output in zip(snakemake.input.tables, snakemake.output.predictions, strict=True):
    energies, forces = predict(model, DescriptorTable.load(table))
    np.savez(output, energies=energies, forces=forces)
