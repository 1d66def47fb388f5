"""Tabulate how comparisons of training sets depend on the energy weight of the training."""

from diverse.errors.draws import read_table
from diverse.errors.effects import reference_set
from diverse.errors.levels import LEVEL_COLUMNS
from diverse.errors.weights import weight_ratios
from diverse.report.pages.mixtures import weights_page
from diverse.study.job import begin, finish

begin(snakemake)
families, trains = snakemake.params.families, snakemake.params.trains
table = weight_ratios(
    read_table(snakemake.input.levels, LEVEL_COLUMNS),
    snakemake.params.weighted,
    snakemake.params.declared,
    reference_set(trains, families),
)
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
with open(snakemake.output.page, "w") as page:
    page.write(weights_page(table))
finish(snakemake)
