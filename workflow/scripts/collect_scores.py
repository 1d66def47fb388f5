"""Join the scores of all models and test sets."""

from diverse.errors.views import read_scores
from diverse.study.job import begin, finish

begin(snakemake)
scores = read_scores(*snakemake.input.scores)
scores.to_csv(snakemake.output.scores, index=False)
finish(snakemake)
