"""Join the scores of all models and test sets."""

import pandas as pd

from diverse.study.job import begin, finish

begin(snakemake)
scores = pd.concat([pd.read_csv(path) for path in snakemake.input.scores])
scores.to_csv(snakemake.output.scores, index=False)
finish(snakemake)
