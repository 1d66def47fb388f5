"""Write what a study will take into the page for those who run it."""

from pathlib import Path

import pandas as pd

from diverse.report.estimate import estimate_text, show_estimate
from diverse.study.job import begin, finish

begin(snakemake)
text = estimate_text(pd.read_csv(snakemake.input.stages), pd.read_csv(snakemake.input.nodes))
show_estimate(Path(snakemake.params.page), snakemake.params.study, text)
finish(snakemake)
