"""Draw the diversity of the data sets at equal numbers of environments."""

from diverse.report.pages.datasets import read_diversity
from diverse.report.plotting import diversity_dots
from diverse.study.job import begin, finish

begin(snakemake)
families = snakemake.params.families
table = read_diversity(snakemake.input.table)
diversity_dots(table, families).savefig(snakemake.output.figure)
finish(snakemake)
