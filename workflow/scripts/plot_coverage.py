"""Draw how well the data sets cover each other."""

from diverse.plotting import coverage_heatmaps
from diverse.tables import read_diversity

table = read_diversity(snakemake.input.table)
coverage_heatmaps(table).savefig(snakemake.output.figure)
