"""Tabulate and draw the errors of each group of the curated and published sets."""

import pandas as pd

from diverse.comparison import group_errors, largest_models
from diverse.plotting import group_dots
from diverse.tables import groups_page

scores, families = pd.read_csv(snakemake.input.scores), snakemake.params.families
table = group_errors(scores, snakemake.params.trains, snakemake.params.tests)
table.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(groups_page(table))
group_dots(table, families, largest_models(scores)).savefig(snakemake.output.figure)
