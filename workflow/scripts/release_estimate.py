"""Write what a study will take into the first page, and into that for those who run it."""

from pathlib import Path

import pandas as pd

from diverse.report.estimate import estimate_sentence, estimate_text, show_estimate
from diverse.study.job import begin, finish

begin(snakemake)
tables = pd.read_csv(snakemake.input.stages), pd.read_csv(snakemake.input.nodes)
study = snakemake.params.study
show_estimate(Path(snakemake.params.page), study, estimate_text(*tables))
show_estimate(Path(snakemake.params.first), study, estimate_sentence(*tables))
finish(snakemake)
