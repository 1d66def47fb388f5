"""Train one tanh network on energies and forces, on top of ZBL."""

from pathlib import Path

import pandas as pd
import torch

from diverse.descriptors import DescriptorTable
from diverse.models.training import TrainingSettings, train_network
from diverse.structures import random_stream

study, model, names = snakemake.params.study, dict(snakemake.params.model), snakemake.wildcards
torch.set_num_threads(snakemake.threads)
stream = random_stream(study["seed"], f"{names.train} {names.model}", int(names.seed))
twojmax = model.pop("twojmax")
settings = TrainingSettings(**{k: v for k, v in model.items() if k not in ("family", "seeds")})
table = DescriptorTable.load(snakemake.input.table)
network, history = train_network(table, twojmax, settings, int(stream.integers(2**31)))
network.write(Path(snakemake.output.parameters[0]).parent, study["element"], study["cutoff"])
pd.DataFrame(history).to_csv(snakemake.output.history, index=False)
