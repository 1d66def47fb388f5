"""Join the audits of the data sets in one table and page."""

import sys
from pathlib import Path

import pandas as pd

from diverse.labels.audit import verdict
from diverse.report.pages.labels import audit_page
from diverse.study.job import begin, finish

begin(snakemake)
table = pd.concat(map(pd.read_csv, snakemake.input.tables), ignore_index=True)
table.to_csv(snakemake.output.table, index=False)
Path(snakemake.output.page).write_text(audit_page(table))
print(verdict(table), file=sys.stderr)
finish(snakemake)
