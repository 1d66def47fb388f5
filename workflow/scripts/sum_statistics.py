"""Add the statistics of one round to those of all earlier ones."""

from diverse.descriptors.statistics import SetStatistics, sum_statistics
from diverse.study.job import begin, finish

begin(snakemake)
parts = [SetStatistics.load(path) for path in snakemake.input.statistics]
sum_statistics(parts).save(snakemake.output.statistics)
finish(snakemake)
