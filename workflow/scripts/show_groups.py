"""Tabulate and draw the errors of each group of the curated and published sets."""

from diverse.errors.views import group_errors, largest_models, read_scores
from diverse.report.pages.errors import groups_page
from diverse.report.plotting import group_dots
from diverse.study.job import begin, finish

begin(snakemake)
scores, families = read_scores(snakemake.input.scores), snakemake.params.families
table = group_errors(scores, snakemake.params.trains, snakemake.params.tests)
table.to_csv(snakemake.output.table, index=False)
with open(snakemake.output.page, "w") as page:
    page.write(groups_page(table))
group_dots(table, families, largest_models(scores)).savefig(snakemake.output.figure)
finish(snakemake)
