"""Tabulate what another energy weight changes in the comparison of training sets."""

from diverse.errors.draws import read_table
from diverse.errors.effects import reference_set
from diverse.errors.levels import LEVEL_COLUMNS
from diverse.errors.sensitivity import weight_effects
from diverse.report.pages.mixtures import sensitivity_page
from diverse.study.job import begin, finish

begin(snakemake)
levels, params = read_table(snakemake.input.levels, LEVEL_COLUMNS), snakemake.params
table = weight_effects(levels, params.weighted, reference_set(params.trains, params.families))
table.to_csv(snakemake.output.table, index=False, float_format="%.6g")
with open(snakemake.output.page, "w") as page:
    page.write(sensitivity_page(table))
finish(snakemake)
