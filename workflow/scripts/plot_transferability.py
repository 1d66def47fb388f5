"""Draw the transferability table as a heat map."""

import pandas as pd

from diverse.plotting import transferability_heatmap

table = pd.read_csv(snakemake.input.table)
figure = transferability_heatmap(table, snakemake.params.trains)
figure.savefig(snakemake.output.figure)
