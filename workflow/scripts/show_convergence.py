"""Show how far the labels are from better ones: a page and a figure."""

from pathlib import Path

import pandas as pd

from diverse.report.pages.labels import convergence_page
from diverse.report.plotting.labels import convergence_strips
from diverse.study.job import begin, finish

begin(snakemake)
errors = pd.read_csv(snakemake.input.table)
Path(snakemake.output.page).write_text(convergence_page(errors))
convergence_strips(errors).savefig(snakemake.output.figure)
finish(snakemake)
