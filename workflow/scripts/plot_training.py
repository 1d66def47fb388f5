"""Draw the loss curves of every network."""

import pandas as pd

from diverse.report.plotting import training_curves
from diverse.study.job import begin, finish

begin(snakemake)
names = [tuple(name) for name in snakemake.params.models]
histories = dict(zip(names, map(pd.read_csv, snakemake.input.histories), strict=True))
training_curves(histories, snakemake.params.families).savefig(snakemake.output.figure)
finish(snakemake)
