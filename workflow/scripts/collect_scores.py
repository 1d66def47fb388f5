"""Join the scores of all models and test sets."""

import pandas as pd

from diverse.errors.views import read_scores
from diverse.study.job import begin, finish

begin(snakemake)
scores = pd.concat([read_scores(path) for path in snakemake.input.scores])
scores.to_csv(snakemake.output.scores, index=False)
finish(snakemake)
