"""Join the audits of the data sets in one table and page."""

from pathlib import Path

import pandas as pd

from diverse.audit import audit_page

table = pd.concat(map(pd.read_csv, snakemake.input.tables), ignore_index=True)
table.to_csv(snakemake.output.table, index=False)
Path(snakemake.output.page).write_text(audit_page(table))
