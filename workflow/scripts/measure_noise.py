"""Say how large the noise of the labels is that errors of models are read against."""

import pandas as pd

from diverse.labels.convergence import label_noise
from diverse.study.job import begin, finish

begin(snakemake)
errors = pd.read_csv(snakemake.input.errors) if snakemake.input.errors else None
label_noise(errors, snakemake.params.variants).to_csv(snakemake.output.table, index=False)
finish(snakemake)
