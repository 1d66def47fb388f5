"""Draw how well the data sets cover each other."""

from diverse.report.pages.datasets import read_diversity
from diverse.report.plotting import coverage_heatmaps
from diverse.study.job import begin, finish

begin(snakemake)
table = read_diversity(snakemake.input.table)
coverage_heatmaps(table).savefig(snakemake.output.figure)
finish(snakemake)
