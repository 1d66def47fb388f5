"""Draw the loss curves of every network."""

import pandas as pd

from diverse.plotting import training_curves

histories = {tuple(path.split("/")[-4:-1]): pd.read_csv(path) for path in snakemake.input.histories}
study = snakemake.params.study
families = {name: entry["family"] for name, entry in study["datasets"].items()}
families |= {name: families[entry["of"]] for name, entry in study["subsets"].items()}
training_curves(histories, families).savefig(snakemake.output.figure)
