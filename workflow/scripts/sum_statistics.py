"""Add the statistics of one round to those of all earlier ones."""

from diverse.descriptors.statistics import SetStatistics, sum_statistics

parts = [SetStatistics.load(path) for path in snakemake.input.statistics]
sum_statistics(parts).save(snakemake.output.statistics)
