"""Arrange the scores as the transferability table."""

import pandas as pd

from diverse.scores import transferability
from diverse.tables import shifts_page, transferability_page

scores = pd.read_csv(snakemake.input.scores)
table = transferability(scores)
table.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(transferability_page(table) + shifts_page(scores))
