"""Draw the loss curves of every network."""

import pandas as pd

from diverse.plotting import training_curves

histories = {tuple(path.split("/")[-4:-1]): pd.read_csv(path) for path in snakemake.input.histories}
training_curves(histories, snakemake.params.families).savefig(snakemake.output.figure)
