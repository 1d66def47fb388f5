"""Show the calibration of every model that predicts its own errors."""

from pathlib import Path

import pandas as pd

from diverse.report.pages.errors import calibration_page
from diverse.report.plotting import calibration_curves
from diverse.study.job import begin, finish

begin(snakemake)
table = pd.concat([pd.read_csv(path) for path in snakemake.input.tables])
table.to_csv(snakemake.output.table, index=False)
Path(snakemake.output.page).write_text(calibration_page(table))
calibration_curves(table, snakemake.params.families).savefig(snakemake.output.figure)
finish(snakemake)
