"""Show the calibration of every model that predicts its own errors."""

from pathlib import Path

import pandas as pd

from diverse.errors.views import largest_models
from diverse.report.pages.errors import calibration_page
from diverse.report.plotting import calibration_curves
from diverse.study.job import begin, finish

begin(snakemake)
table = pd.concat([pd.read_csv(path) for path in snakemake.input.tables])
table.to_csv(snakemake.output.table, index=False)
Path(snakemake.output.page).write_text(calibration_page(table))
models = largest_models(pd.read_csv(snakemake.input.scores))
figure = calibration_curves(table, snakemake.params.families, models)
figure.savefig(snakemake.output.figure)
finish(snakemake)
