"""Print what a study will take."""

import pandas as pd

from diverse.report.estimate import estimate_text
from diverse.study.job import begin, finish

begin(snakemake)
text = estimate_text(pd.read_csv(snakemake.input.stages), pd.read_csv(snakemake.input.nodes))
print(f"{text}\n")
finish(snakemake)
