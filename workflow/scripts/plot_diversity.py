"""Draw the diversity of the data sets at equal numbers of environments."""

from diverse.plotting import diversity_dots
from diverse.tables import read_diversity

families = snakemake.params.families
table = read_diversity(snakemake.input.table)
diversity_dots(table, families).savefig(snakemake.output.figure)
