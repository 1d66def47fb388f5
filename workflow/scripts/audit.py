"""End with an error if a check of the audit is beyond its limit."""

import sys

import pandas as pd

from diverse.labels.audit import demand_limits, verdict
from diverse.study.job import begin, finish

begin(snakemake)
table = pd.read_csv(snakemake.input.table)
with open(snakemake.log[0], "w") as log:
    for file in (log, sys.stderr):
        print(f"{verdict(table)} See {snakemake.input.page}.", file=file)
demand_limits(table)
finish(snakemake)
