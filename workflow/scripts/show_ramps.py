"""Join the ramps of all potentials, and draw how far those of every training set got."""

import pandas as pd

from diverse.errors.draws import read_table
from diverse.report.plotting.dynamics import survival_curves
from diverse.study.job import begin, finish

begin(snakemake)
rows = pd.concat(read_table(path, ["train", "ramp", "reached"]) for path in snakemake.input.rows)
rows.to_csv(snakemake.output.table, index=False)
survival_curves(rows, snakemake.params.families).savefig(snakemake.output.figure)
finish(snakemake)
