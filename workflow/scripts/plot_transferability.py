"""Draw the transferability table as a heat map."""

import pandas as pd

from diverse.report.pages.labels import noise_sentence
from diverse.report.plotting import transferability_heatmap
from diverse.study.job import begin, finish

begin(snakemake)
noise = noise_sentence(pd.read_csv(snakemake.input.noise))
table = pd.read_csv(snakemake.input.table)
figure = transferability_heatmap(table, snakemake.params.trains, noise)
figure.savefig(snakemake.output.figure)
finish(snakemake)
