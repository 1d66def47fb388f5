"""Draw the transferability table as a heat map."""

import pandas as pd

from diverse.plotting import transferability_heatmap

figure = transferability_heatmap(pd.read_csv(snakemake.input.table))
figure.savefig(snakemake.output.figure)
