"""Draw errors against the number of training environments."""

import pandas as pd

from diverse.errors.views import learning_curves
from diverse.report.plotting import learning_curve_panels
from diverse.study.job import begin, finish

begin(snakemake)
curves = learning_curves(pd.read_csv(snakemake.input.scores), snakemake.params.subsets)
figure = learning_curve_panels(curves, snakemake.params.families)
figure.savefig(snakemake.output.figure)
finish(snakemake)
